import { isAbort, messageOf } from '../../base/errors/index.ts';
import { formatDuration } from '../../base/world/index.ts';
import { waitForHealth, type ChangeSet, type HealthReader } from '../../kube/apply/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import { formatRef, isJsonObject, sameKind, type KubeObject, type ObjectRef } from '../../kube/objects/index.ts';
import { StepFailure } from './failure.ts';
import { KUSTOMIZATION, statusOfKustomization, timeoutOf } from './model.ts';
import { announce, type Pass } from './pass.ts';

/**
 * Waits until what `spec.wait` or `spec.healthChecks` ask for is ready, and keeps the Healthy condition
 * (flux/HLT-01, HLT-05).
 *
 * @throws StepFailure HealthCheckFailed
 */
export async function checkHealth(
  pass: Pass,
  cluster: Cluster,
  objects: readonly KubeObject[],
  changes: ChangeSet,
  reader: HealthReader,
): Promise<void> {
  const { controls, draft, spec } = pass;
  const refs = checkedRefs(pass, changes);
  if (refs.length === 0) return draft.unmark('Healthy');
  const timeoutMs = timeoutOf(spec);
  const wasHealthy = draft.condition('Healthy')?.status === 'True';
  const started = controls.world.clock.monotonic();
  await showHealthProgress(pass, timeoutMs);
  const elapsed = (): string => formatDuration(controls.world.clock.monotonic() - started);
  const interruption = interruptible(pass);
  try {
    await waitForHealth(cluster, refs, {
      world: controls.world,
      reader,
      timeoutMs,
      failFast: !controls.flags.gates.disableFailFastBehavior,
      mayVanish: vanishing(objects),
      known: changes.entries.flatMap((entry) => (entry.live === undefined ? [] : [entry.live])),
      concurrency: controls.flags.concurrentSsa,
      signal: interruption.signal,
    });
  } catch (error) {
    if (isAbort(error)) throw interruption.failure() ?? error;
    draft.mark('Healthy', 'False', 'HealthCheckFailed', messageOf(error));
    throw new StepFailure('HealthCheckFailed', `health check failed after ${elapsed()}: ${messageOf(error)}`, { cause: error });
  } finally {
    interruption.end();
  }
  const message = `Health check passed in ${elapsed()}`;
  const isNewRevision = pass.artifact?.revision !== statusOfKustomization(pass.object).lastAppliedRevision;
  const isAnnounced = !wasHealthy || (isNewRevision && pass.hasWritten);
  // The time of an uneventful check is no news: the message of the last one stays, and nothing is written.
  if (isAnnounced || pass.isNews) draft.mark('Healthy', 'True', 'Succeeded', message);
  if (isAnnounced) announce(pass, 'info', message);
}

/** The signal that ends the checks: that of the pass, or a change that asks for a new one (flux/KS-10). */
function interruptible(pass: Pass): { readonly signal: AbortSignal; failure(): StepFailure | undefined; end(): void } {
  const { flags, interrupts } = pass.controls;
  if (!flags.gates.cancelHealthCheckOnNewRevision) return { signal: pass.signal, failure: () => undefined, end: () => {} };
  const stopping = new AbortController();
  let cause: string | undefined;
  const end = interrupts.listen({ namespace: pass.namespace, name: pass.name }, (by) => {
    cause = by;
    stopping.abort();
  });
  const failure = (): StepFailure | undefined => {
    if (cause === undefined) return undefined;
    const message = `New reconciliation triggered by ${cause}`;
    pass.draft.mark('Healthy', 'False', 'HealthCheckCanceled', message);
    const announcement = `Health checks canceled due to new reconciliation triggered by ${cause}`;
    return new StepFailure('HealthCheckCanceled', message, { next: 'at-once', announce: 'info', announcement });
  };
  return { signal: AbortSignal.any([pass.signal, stopping.signal]), failure, end };
}

async function showHealthProgress(pass: Pass, timeoutMs: number): Promise<void> {
  if (!pass.isNews) return;
  const message = `Running health checks for revision ${pass.artifact?.revision ?? ''} with a timeout of ${formatDuration(timeoutMs)}`;
  pass.draft.mark('Reconciling', 'True', 'Progressing', message);
  pass.draft.mark('Healthy', 'Unknown', 'Progressing', message);
  await pass.draft.write();
}

function checkedRefs(pass: Pass, changes: ChangeSet): ObjectRef[] {
  const listed = (pass.spec.healthChecks ?? []).map(({ apiVersion, kind, name, namespace }) => ({
    apiVersion: apiVersion === undefined || apiVersion === '' ? 'apps/v1' : apiVersion,
    kind,
    name,
    ...(namespace === undefined || namespace === '' ? {} : { namespace }),
  }));
  const applied = changes.entries.filter((entry) => entry.action !== 'skipped').map((entry) => entry.ref);
  // Waiting for itself would never end.
  const isSelf = (ref: ObjectRef): boolean => sameKind(ref, KUSTOMIZATION) && ref.name === pass.name && ref.namespace === pass.namespace;
  return (pass.spec.wait === true ? applied : listed).filter((ref) => !isSelf(ref));
}

/** Finished Jobs that remove themselves count as successes when they are gone (flux/HLT-03). */
function vanishing(objects: readonly KubeObject[]): (ref: ObjectRef) => boolean {
  const jobs = new Set(
    objects
      .filter((object) => object.kind === 'Job' && isJsonObject(object['spec']) && object['spec']['ttlSecondsAfterFinished'] !== undefined)
      .map((object) => formatRef({ ...object, name: object.metadata.name ?? '', namespace: object.metadata.namespace ?? '' })),
  );
  return (ref) => ref.kind === 'Job' && jobs.has(formatRef(ref));
}
