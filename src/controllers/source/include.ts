import { messageOf } from '../../base/errors/index.ts';
import { joinPath, memoryTree, type Tree, type TreeFile } from '../../base/files/index.ts';
import { hasDigest, unpackTree, type Artifact } from '../../fetch/artifact/index.ts';
import { apiErrors, type GitRepositorySpec, type GitRepositoryStatus, type ObjectRef } from '../../kube/objects/index.ts';
import { IncludeUnavailable, SourceFailure } from './failure.ts';
import { asGitRepository, GROUP, refOfRequest } from './model.ts';
import type { Pass } from './pass.ts';

type Include = NonNullable<GitRepositorySpec['include']>[number];

/** An archive of another GitRepository that goes into this one. */
export interface Included {
  readonly include: Include;
  readonly artifact: Artifact;
}

/**
 * The artifacts of `spec.include`, in order.
 *
 * @throws IncludeUnavailable when one does not exist or has no artifact yet
 */
export async function readIncludes(pass: Pass): Promise<readonly Included[]> {
  const found: Included[] = [];
  for (const include of pass.spec.include ?? []) {
    const { name } = include.repository;
    const ref: ObjectRef = refOfRequest({ namespace: pass.namespace, name });
    const object = await pass.controls.cluster.find(ref, { signal: pass.signal });
    if (object === undefined) {
      const reason = messageOf(apiErrors.notFound({ group: GROUP, plural: 'gitrepositories' }, name));
      throw new IncludeUnavailable('NotFound', `could not get resource for include '${name}': ${reason}`, ref);
    }
    const { artifact } = asGitRepository(object).status ?? {};
    if (artifact === undefined) throw new IncludeUnavailable('NoArtifact', `no artifact available for include '${name}'`, ref);
    found.push({ include, artifact });
  }
  return found;
}

/** Whether the stored archive was made with other included archives. */
export function areIncludesChanged(status: GitRepositoryStatus, included: readonly Included[]): boolean {
  const before = status.includedArtifacts ?? [];
  return (
    before.length !== included.length ||
    included.some(({ artifact }, i) => artifact.digest !== before[i]?.digest || artifact.revision !== before[i]?.revision)
  );
}

/**
 * A tree with the included archives copied into it, each from its `fromPath` to its `toPath` (by default the name of
 * the repository).
 *
 * @throws SourceFailure IllegalPath, CopyFailure
 */
export async function withIncludes(pass: Pass, tree: Tree, included: readonly Included[]): Promise<Tree> {
  if (included.length === 0) return tree;
  const files = new Map<string, TreeFile>();
  const directories: string[] = [];
  copy(tree, '', '', files, directories);
  for (const { include, artifact } of included) {
    const { name } = include.repository;
    const from = inside(include.fromPath ?? '', name);
    const to = inside(include.toPath ?? name, name);
    const source = await unpacked(pass, name, artifact);
    if (source.kind(from) !== 'directory') throw copyFailure(name, `it has no directory '${from}'`);
    copy(source, from, to, files, directories);
  }
  return memoryTree(files, directories);
}

function inside(path: string, name: string): string {
  const joined = joinPath(path.replace(/^\/+/, ''));
  if (joined !== undefined) return joined;
  throw new SourceFailure('IllegalPath', `path '${path}' of include '${name}' leads outside of the repository`, {
    condition: 'StorageOperationFailed',
  });
}

async function unpacked(pass: Pass, name: string, artifact: Artifact): Promise<Tree> {
  const bytes = await pass.controls.storage.read(artifact.path);
  if (bytes === undefined) throw copyFailure(name, 'its artifact is not in storage');
  try {
    if (hasDigest(bytes, artifact.digest)) return unpackTree(bytes);
  } catch (cause) {
    throw copyFailure(name, messageOf(cause), cause);
  }
  throw copyFailure(name, "its artifact doesn't match its digest");
}

function copyFailure(name: string, why: string, cause?: unknown): SourceFailure {
  return new SourceFailure('CopyFailure', `failed to copy artifact of include '${name}': ${why}`, {
    condition: 'StorageOperationFailed',
    cause,
  });
}

function copy(tree: Tree, from: string, to: string, files: Map<string, TreeFile>, directories: string[]): void {
  if (to !== '') directories.push(to);
  for (const name of tree.list(from)) {
    const [source, target] = [below(from, name), below(to, name)];
    if (tree.kind(source) === 'directory') copy(tree, source, target, files, directories);
    else files.set(target, { bytes: tree.read(source) ?? new Uint8Array(), executable: tree.isExecutable(source) });
  }
}

function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}
