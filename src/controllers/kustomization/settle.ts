import { isAbort, messageOf } from '../../base/errors/index.ts';
import { formatDuration } from '../../base/world/index.ts';
import { reconcileRequestOf, type Outcome } from '../../kube/runtime/index.ts';
import { StepFailure } from './failure.ts';
import { recordHistory } from './history.ts';
import { GROUP, intervalOf, retryIntervalOf } from './model.ts';
import { announce, originRevisionOf, type Pass } from './pass.ts';

/** A suspended Kustomization only takes note of the request to reconcile (flux/KS-08). */
export async function settleSuspended(pass: Pass): Promise<Outcome> {
  pass.log.info('Reconciliation is suspended for this object');
  recordRequest(pass);
  await pass.draft.write();
  return { kind: 'done' };
}

function recordRequest(pass: Pass): void {
  const value = reconcileRequestOf(pass.object);
  if (value !== undefined && value !== pass.draft.current.lastHandledReconcileAt) pass.draft.set({ lastHandledReconcileAt: value });
}

/**
 * Status, log and event of a success. A pass that found everything as it was writes neither status nor event.
 */
export async function settleSuccess(pass: Pass): Promise<Outcome> {
  const { draft, controls, spec } = pass;
  const revision = pass.artifact?.revision ?? '';
  draft.set({
    lastAppliedRevision: revision,
    lastAppliedOriginRevision: originRevisionOf(pass.artifact),
    observedGeneration: pass.object.metadata.generation,
  });
  draft.mark('Ready', 'True', 'ReconciliationSucceeded', `Applied revision: ${revision}`);
  draft.unmark('Reconciling');
  draft.unmark('Stalled');
  recordRequest(pass);
  const isEventful = draft.isDirty() || pass.hasWritten || pass.isNews;
  if (isEventful) recordHistory(pass, 'ReconciliationSucceeded');
  await draft.write();
  const elapsed = formatDuration(controls.world.clock.monotonic() - pass.started);
  const message = `Reconciliation finished in ${elapsed}, next run in ${formatDuration(intervalOf(spec))}`;
  pass.log.info(message, { revision });
  if (isEventful) announce(pass, 'info', message, { [`${GROUP}/commit_status`]: 'update' });
  return { kind: 'again', afterMs: jittered(pass, intervalOf(spec)) };
}

function jittered(pass: Pass, intervalMs: number): number {
  const { flags, world } = pass.controls;
  return intervalMs * (1 + (flags.intervalJitterPercentage / 100) * (2 * world.random.number() - 1));
}

/** Reasons under which the built objects are known, and that the history keeps. */
const IN_HISTORY = new Set(['ReconciliationFailed', 'PruneFailed', 'HealthCheckFailed']);

/**
 * Status, log and event of a failed step, and when to try again (parity d2, flux/KS-05).
 *
 * @throws the error itself when it is no step's failure but trouble with the API: the runtime backs off
 */
export async function settleFailure(pass: Pass, error: unknown): Promise<Outcome> {
  if (isAbort(error)) throw error;
  if (!(error instanceof StepFailure)) {
    // Nothing is known about the step, so the status keeps what it said; progress that was shown is taken back.
    if (pass.draft.condition('Ready')?.status === 'Unknown') pass.draft.mark('Ready', 'False', 'ReconciliationFailed', messageOf(error));
    await pass.draft.write().catch((second: unknown) => pass.log.error('status could not be written', { error: messageOf(second) }));
    throw error;
  }
  const { draft } = pass;
  const before = draft.condition('Ready');
  const { next = 'retry-interval', announce: severity = 'error', announcement = error.message, isObserved = false } = error.options;
  draft.mark('Ready', 'False', error.reason, error.message);
  if (next === 'never') draft.mark('Stalled', 'True', error.reason, error.message);
  else draft.unmark('Stalled');
  if (isObserved && pass.object.metadata.generation !== undefined) draft.set({ observedGeneration: pass.object.metadata.generation });
  showRetry(pass, next === 'never');
  recordRequest(pass);
  const isRepeated = before?.reason === error.reason && before.message === error.message && !draft.isDirty();
  if (IN_HISTORY.has(error.reason) && !isRepeated) recordHistory(pass, error.reason);
  await draft.write();
  tell(pass, announcement, severity === 'info' && isRepeated ? 'none' : severity, next);
  return outcomeOf(pass, error);
}

/** Reconciling stays while there will be another try, so that waiting tools go on waiting. */
function showRetry(pass: Pass, isFinal: boolean): void {
  const reconciling = pass.draft.condition('Reconciling');
  if (reconciling === undefined) return;
  if (isFinal) pass.draft.unmark('Reconciling');
  else pass.draft.mark('Reconciling', 'True', 'ProgressingWithRetry', reconciling.message);
}

function tell(pass: Pass, message: string, severity: 'error' | 'info' | 'none', next: string): void {
  const elapsed = formatDuration(pass.controls.world.clock.monotonic() - pass.started);
  const fields = { revision: pass.artifact?.revision };
  if (severity === 'error') {
    const retry = next === 'never' ? 'no next try until the spec changes' : `next try in ${formatDuration(retryIntervalOf(pass.spec))}`;
    pass.log.error(`Reconciliation failed after ${elapsed}, ${retry}`, { ...fields, error: message });
  } else {
    pass.log.info(message, fields);
  }
  if (severity !== 'none') announce(pass, severity, message);
}

function outcomeOf(pass: Pass, { options }: StepFailure): Outcome {
  const { next = 'retry-interval', waitFor = [] } = options;
  if (next === 'never') return { kind: 'done' };
  const delays = {
    'at-once': 0,
    'retry-interval': retryIntervalOf(pass.spec),
    'requeue-dependency': pass.controls.flags.requeueDependencyMs,
  };
  const afterMs = delays[next];
  return waitFor.length === 0 ? { kind: 'again', afterMs } : { kind: 'wait', refs: waitFor, afterMs };
}
