import { messageOf } from '../../base/errors/index.ts';
import type { Artifact } from '../../fetch/artifact/index.ts';
import { isNotFound, type KubeObject } from '../../kube/objects/index.ts';
import { formatDuration } from '../../base/world/index.ts';
import { StepFailure } from './failure.ts';
import { artifactOf, sourceRefOf } from './model.ts';
import type { Pass } from './pass.ts';

/**
 * Reads the source object that `spec.sourceRef` names (flux/KS-02).
 *
 * @throws StepFailure AccessDenied for a foreign namespace that is not allowed, ArtifactFailed when there is none
 */
export async function findSource(pass: Pass): Promise<KubeObject> {
  const { flags, cluster } = pass.controls;
  const ref = sourceRefOf(pass.object);
  const denied = (why: string): StepFailure =>
    new StepFailure('AccessDenied', `can't access '${ref.kind}/${ref.namespace}/${ref.name}', ${why}`, { next: 'never' });
  if (flags.noCrossNamespaceRefs && ref.namespace !== pass.namespace) throw denied('cross-namespace references have been blocked');
  if (ref.kind === 'ExternalArtifact' && !flags.gates.externalArtifact) throw denied('ExternalArtifact feature gate is disabled');
  try {
    return await cluster.get(ref, { signal: pass.signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new StepFailure('ArtifactFailed', messageOf(error), { announce: 'none', cause: error });
  }
}

/** The artifact of a source. @throws StepFailure ArtifactFailed when it has none yet */
export function requireArtifact(pass: Pass, source: KubeObject): Artifact {
  const artifact = artifactOf(source);
  if (artifact !== undefined) return artifact;
  const retry = formatDuration(pass.controls.flags.requeueDependencyMs);
  throw new StepFailure('ArtifactFailed', `Source artifact not found, retrying in ${retry}`, {
    next: 'requeue-dependency',
    announce: 'none',
    waitFor: [sourceRefOf(pass.object)],
  });
}
