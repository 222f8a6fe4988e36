import { aborted, SottoError } from '../../base/errors/index.ts';
import { joinPath, type Tree } from '../../base/files/index.ts';
import { isJsonObject, parseApiVersion, type KubeObject } from '../../kube/objects/index.ts';
import { build, type BuildResult, type BuildWarning, type BuiltObject } from '../kustomize/index.ts';
import { decryptObject, isSopsEncrypted, type DecryptedObject } from './decrypt.ts';
import { prefixed } from './errors.ts';
import { leftoverWarnings, plainSecretWarnings, secretOrigin } from './origins.ts';
import { generateOverlay } from './overlay.ts';
import { kustomizationFiles } from './paths.ts';
import { PristineSources } from './pristine.ts';
import { decryptSources } from './sources.ts';
import { changedSecretKeys, optsOutOfSubstitution, substitute, substitutionError } from './substitute.ts';
import type { FleetBuild, FleetObject, FleetOptions, KustomizationSpec } from './types.ts';
import { loadVariables } from './variables.ts';

/** Objects that are decrypted at the same time; key services answer slowly. */
const PARALLEL = 8;

/**
 * Builds what a Flux Kustomization would apply, in its order: overlay of the spec's fields, decryption of generator
 * inputs, kustomize build, then per object decryption and substitution, last `commonMetadata`. All in memory; the tree
 * is only read.
 *
 * Without a decryptor encrypted objects come out encrypted: see {@link isSopsEncrypted}, and refuse to apply them.
 *
 * @throws SottoError with the text of a `BuildFailed` condition: `kustomize build failed: …`, `error decrypting
 *   sources: …`, `decryption failed for '<gvk>/<name>': …`, `post build failed for '<gvk>/<name>': …`; for a missing
 *   directory FLEET_PATH, `kustomization path not found: …`
 */
export async function buildFleet(options: FleetOptions): Promise<FleetBuild> {
  const { tree, spec, decryptor } = options;
  const directory = directoryOf(tree, spec);
  const overlay = attempt('kustomize build failed', () => generateOverlay(tree, directory, spec, options.ignore));
  const sources =
    decryptor === undefined ? { tree, decrypted: new Set<string>() } : await decryptSources(tree, directory, overlay.rootFile, decryptor);
  checkSignal(options);
  const result = attempt('kustomize build failed', () => runKustomize(sources.tree, directory, overlay.rootFile));
  const built = result.objects.flatMap(expandList).filter(({ object }) => !isKustomization(object));
  const decrypted = await decryptAll(built, options);
  const substituted = await substituteAll(decrypted, options);
  const objects = built.map((item, index): FleetObject => {
    const { found } = decrypted[index] ?? { found: 'nothing' as const };
    const object = withCommonMetadata(substituted.objects[index] ?? item.object, spec.commonMetadata);
    requireIdentity(object, item);
    const secret = secretOrigin(item, found, tree, sources.decrypted);
    return {
      object,
      file: item.origin.file,
      ...(item.origin.line === undefined ? {} : { line: item.origin.line }),
      ...(secret === undefined ? {} : { secret }),
    };
  });
  const warnings = [...overlay.warnings, ...result.warnings, ...decrypted.flatMap((item) => item.warnings), ...substituted.warnings];
  const leftover = decryptor === undefined ? [] : leftoverWarnings(objects.filter(({ object }) => !isSopsEncrypted(object)));
  return { objects, warnings: [...warnings, ...plainSecretWarnings(objects), ...leftover] };
}

function directoryOf(tree: Tree, { path = '' }: KustomizationSpec): string {
  const directory = joinPath(path.replace(/^\/+/, ''));
  const resolved = directory === undefined ? undefined : tree.resolve(directory);
  if (resolved === undefined || tree.kind(resolved) !== 'directory') {
    throw new SottoError('FLEET_PATH', `kustomization path not found: stat ${path}: no such file or directory`);
  }
  return resolved;
}

/** The root file was rewritten, so its lines are none that a user could look up. */
function runKustomize(tree: Tree, directory: string, rootFile: string): BuildResult {
  const [root] = kustomizationFiles(tree, directory);
  try {
    const { objects, warnings } = build({
      tree,
      path: directory,
      loadRestrictor: 'none',
      order: 'fifo',
      rootFile,
      keepBuiltinSchema: true,
    });
    return {
      objects,
      warnings: warnings.map(({ line, ...rest }) => (line === undefined || rest.file === root ? rest : { ...rest, line })),
    };
  } catch (error) {
    if (!(error instanceof SottoError) || root === undefined || error.at?.file !== root) throw error;
    const { code, message, hint, retry } = error;
    throw new SottoError(code, message, { retry, cause: error, at: { file: root }, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Any failure becomes an error of this build, programming errors included. */
function attempt<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw prefixed('FLEET_BUILD', prefix, error);
  }
}

function checkSignal({ signal }: FleetOptions): void {
  if (signal?.aborted === true) throw aborted();
}

function expandList(built: BuiltObject): BuiltObject[] {
  const { kind, items } = built.object;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [built];
  return items.filter(isJsonObject).map((item) => ({ ...built, object: item as unknown as KubeObject }));
}

function isKustomization({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Kustomization' && typeof apiVersion === 'string' && parseApiVersion(apiVersion).group === 'kustomize.config.k8s.io';
}

/** In order, several at a time; of several failures the first object's is thrown, so that a build is repeatable. */
async function decryptAll(built: readonly BuiltObject[], options: FleetOptions): Promise<DecryptedObject[]> {
  const { decryptor } = options;
  if (decryptor === undefined) return built.map(({ object }) => ({ object, found: 'nothing', warnings: [] }));
  const sources = new PristineSources(options.tree);
  const done: DecryptedObject[] = [];
  for (let start = 0; start < built.length; start += PARALLEL) {
    checkSignal(options);
    const batch = built.slice(start, start + PARALLEL).map((item) => decryptObject(item, decryptor, sources));
    for (const outcome of await Promise.allSettled(batch)) {
      if (outcome.status === 'rejected') throw outcome.reason;
      done.push(outcome.value);
    }
  }
  return done;
}

async function substituteAll(
  decrypted: readonly DecryptedObject[],
  { spec, variables: source, strictSubstitution = true }: FleetOptions,
): Promise<{ objects: readonly KubeObject[]; warnings: readonly BuildWarning[] }> {
  const { postBuild } = spec;
  const objects = decrypted.map(({ object }) => object);
  const first = objects.find((object) => !optsOutOfSubstitution(object));
  if (postBuild === undefined || first === undefined) return { objects, warnings: [] };
  const variables = await loadVariables(postBuild, source).catch((error: unknown) => {
    throw substitutionError(first, error);
  });
  if (variables.size === 0 && postBuild.substituteStrategy !== 'Always') return { objects, warnings: [] };
  const warnings: BuildWarning[] = [];
  const substituted = objects.map((object) => {
    if (optsOutOfSubstitution(object)) return object;
    try {
      const after = substitute(object, variables, strictSubstitution);
      warnings.push(...changedSecretKeys(object, after).map((key) => changed(object, key)));
      return after;
    } catch (error) {
      throw substitutionError(object, error);
    }
  });
  return { objects: substituted, warnings };
}

function changed({ metadata }: KubeObject, key: string): BuildWarning {
  return {
    message: `substitution changed '$' in stringData '${key}' of Secret '${metadata.name ?? ''}': write $$ where a dollar sign is meant`,
  };
}

function withCommonMetadata(object: KubeObject, common: KustomizationSpec['commonMetadata']): KubeObject {
  const { labels, annotations } = common ?? {};
  if (labels === undefined && annotations === undefined) return object;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(labels === undefined ? {} : { labels: { ...object.metadata.labels, ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...object.metadata.annotations, ...annotations } }),
    },
  };
}

/** The message names what is known of the object, never its content. */
function requireIdentity(object: KubeObject, { origin }: BuiltObject): void {
  const name: unknown = isJsonObject(object.metadata) ? object.metadata['name'] : undefined;
  const { apiVersion, kind } = object as { readonly apiVersion: unknown; readonly kind: unknown };
  if ([apiVersion, kind, name].every((value) => typeof value === 'string' && value !== '')) return;
  const known = Object.entries({ apiVersion, kind, name }).map(
    ([field, value]) => `${field} ${typeof value === 'string' ? `'${value}'` : 'missing'}`,
  );
  throw new SottoError('FLEET_IDENTITY', `failed to decode Kubernetes apiVersion, kind and name from: ${known.join(', ')}`, {
    at: { file: origin.file },
  });
}
