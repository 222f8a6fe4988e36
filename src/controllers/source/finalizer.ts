import type { Outcome } from '../../kube/runtime/index.ts';
import { isNotFound, refOf, type GitRepository } from '../../kube/objects/index.ts';
import { asGitRepository, FINALIZER, MANAGER } from './model.ts';
import { ownerOf, type Controls, type Pass } from './pass.ts';

/** Removes what was stored, then lets the object go. */
export async function finalise(pass: Pass): Promise<Outcome> {
  const { object, controls, signal } = pass;
  await controls.storage.removeAll(ownerOf(pass));
  pass.log.info('garbage collected artifacts for deleted resource', { reason: 'GarbageCollectionSucceeded' });
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(FINALIZER)) {
    const rest = finalizers.filter((name) => name !== FINALIZER);
    await patchFinalizers(controls, object, rest, signal);
  }
  return { kind: 'done' };
}

/** The object with our finalizer; undefined when it went away meanwhile. */
export async function withFinalizer(controls: Controls, object: GitRepository, signal: AbortSignal): Promise<GitRepository | undefined> {
  const finalizers = object.metadata.finalizers ?? [];
  return finalizers.includes(FINALIZER) ? object : patchFinalizers(controls, object, [...finalizers, FINALIZER], signal);
}

async function patchFinalizers(
  controls: Controls,
  object: GitRepository,
  finalizers: readonly string[],
  signal: AbortSignal,
): Promise<GitRepository | undefined> {
  const { resourceVersion } = object.metadata;
  try {
    const patch = { metadata: { finalizers, resourceVersion } };
    return asGitRepository(await controls.cluster.patch(refOf(object), 'merge', patch, { fieldManager: MANAGER, signal }));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
