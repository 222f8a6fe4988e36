import { aborted, codeOf, isAbort, messageOf } from '../../base/errors/index.ts';
import { joinPath, type Tree } from '../../base/files/index.ts';
import { formatDuration } from '../../base/world/index.ts';
import { fetchArtifact, type Artifact } from '../../fetch/artifact/index.ts';
import { StepFailure } from './failure.ts';
import { sourceRefOf } from './model.ts';
import type { Pass } from './pass.ts';

/**
 * The tree of the source's artifact, shared with the other Kustomizations of the source.
 *
 * @throws StepFailure ArtifactFailed
 */
export async function fetchTree(pass: Pass, artifact: Artifact): Promise<Tree> {
  const { controls } = pass;
  const { world, flags } = controls;
  try {
    // A shared download must not end with the one reconciliation that began it.
    const load = (): Promise<Tree> =>
      fetchArtifact(artifact, {
        world,
        retries: flags.httpRetry,
        ...(flags.sourceHost === undefined ? {} : { hostOverride: flags.sourceHost }),
      });
    const { kind, namespace, name } = sourceRefOf(pass.object);
    return await untilAborted(controls.trees.load(`${kind}/${namespace}/${name}`, artifact.digest, load), pass.signal);
  } catch (error) {
    if (isAbort(error)) throw error;
    if (codeOf(error) !== 'ARTIFACT_NOT_FOUND') throw new StepFailure('ArtifactFailed', messageOf(error), { cause: error });
    const retry = formatDuration(flags.requeueDependencyMs);
    throw new StepFailure('ArtifactFailed', `Source is not ready, artifact not found, retrying in ${retry}`, {
      next: 'requeue-dependency',
      announce: 'none',
      waitFor: [sourceRefOf(pass.object)],
    });
  }
}

/** The promise's outcome, or an abort error as soon as the signal fires; the work itself goes on for others. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(aborted());
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/**
 * Makes sure that `spec.path` is a directory inside the tree.
 *
 * @throws StepFailure ArtifactFailed
 */
export function checkPath(pass: Pass, tree: Tree): void {
  const path = pass.spec.path ?? '';
  // An absolute path means the root of the artifact, as upstream joins it.
  const inside = joinPath(path.replace(/^\/+/, ''));
  if (inside !== undefined && tree.kind(inside) === 'directory') return;
  const why = inside === undefined ? 'it leads outside the artifact' : `stat ${path}: no such file or directory`;
  throw new StepFailure('ArtifactFailed', `kustomization path not found: ${why}`);
}
