import { messageOf } from '../../base/errors/index.ts';
import { memoryTree, type Tree, type TreeFile } from '../../base/files/index.ts';
import { sourceIgnore } from '../../fetch/artifact/index.ts';
import type { GitCommit } from '../../fetch/git/index.ts';
import { SourceFailure } from './failure.ts';
import { isContentObserved } from './fetch.ts';
import { areIncludesChanged, withIncludes, type Included } from './include.ts';
import { markProgress } from './conditions.ts';
import { contentConfigOf } from './model.ts';
import { ownerOf, type Pass, trace } from './pass.ts';

/** Says in the status that there is something new, before its archive is made. */
export async function showChange(pass: Pass, commit: GitCommit, included: readonly Included[]): Promise<void> {
  const { draft } = pass;
  const isNewRevision = draft.current.artifact?.revision !== commit.revision;
  if (!isNewRevision && !areIncludesChanged(draft.current, included)) return;
  const message = isNewRevision ? `new upstream revision '${commit.revision}'` : 'included artifacts differ from last observed includes';
  draft.mark('ArtifactOutdated', 'True', isNewRevision ? 'NewRevision' : 'IncludeChange', message);
  markProgress(draft, `building artifact: ${message}`, true);
  await draft.write();
}

/**
 * Makes and stores the archive of a commit, unless the stored one is of this revision and made the same way.
 *
 * @throws SourceFailure ArchiveOperationFailed, GitOperationFailed (a sparse directory is missing), IllegalPath, CopyFailure
 */
export async function archiveCommit(pass: Pass, commit: GitCommit, included: readonly Included[]): Promise<void> {
  const { draft, spec, controls } = pass;
  if (draft.current.artifact?.revision === commit.revision && isContentObserved(pass, included)) {
    trace(pass, 'ArtifactUpToDate', `artifact up-to-date with remote revision: '${commit.revision}'`);
  } else {
    const whole = await withIncludes(pass, sparse(commit.tree, spec.sparseCheckout ?? []), included);
    const tree = sourceIgnore(whole, spec.ignore);
    const artifact = await controls.storage
      .store({ owner: ownerOf(pass), file: `${commit.commit}.tar.gz`, revision: commit.revision, tree })
      .catch((cause: unknown) => {
        throw new SourceFailure('ArchiveOperationFailed', messageOf(cause), { condition: 'StorageOperationFailed', cause });
      });
    draft.set({
      artifact,
      includedArtifacts: included.length === 0 ? undefined : included.map((one) => ({ ...one.artifact })),
      observedIgnore: undefined,
      observedRecurseSubmodules: undefined,
      observedInclude: undefined,
      observedSparseCheckout: undefined,
      ...contentConfigOf(spec),
    });
  }
  draft.unmark('ArtifactOutdated', 'StorageOperationFailed');
  markStored(pass, commit.revision);
}

export function markStored(pass: Pass, revision: string): void {
  pass.draft.mark('ArtifactInStorage', 'True', 'Succeeded', `stored artifact for revision '${revision}'`);
}

/** Only the files below these directories; each has to be there. */
function sparse(tree: Tree, directories: readonly string[]): Tree {
  if (directories.length === 0) return tree;
  const files = new Map<string, TreeFile>();
  const empty: string[] = [];
  for (const directory of directories.map((path) => path.replace(/^(\.\/)+/, '').replace(/\/+$/, ''))) {
    if (tree.kind(directory) !== 'directory') {
      throw new SourceFailure(
        'GitOperationFailed',
        `failed to sparse checkout directories : directory '${directory}' does not exist in the repository`,
      );
    }
    collect(tree, directory, files, empty);
  }
  return memoryTree(files, empty);
}

function collect(tree: Tree, directory: string, files: Map<string, TreeFile>, directories: string[]): void {
  directories.push(directory);
  for (const name of tree.list(directory)) {
    const path = directory === '' ? name : `${directory}/${name}`;
    if (tree.kind(path) === 'directory') collect(tree, path, files, directories);
    else files.set(path, { bytes: tree.read(path) ?? new Uint8Array(), executable: tree.isExecutable(path) });
  }
}
