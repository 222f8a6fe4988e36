import { isAbort, messageOf } from '../../base/errors/index.ts';
import { parseDuration } from '../../base/world/index.ts';
import type { GitCommit } from '../../fetch/git/index.ts';
import { jitter, reconcileRequestOf, type Outcome } from '../../kube/runtime/index.ts';
import { markStored } from './archive.ts';
import { clearFailures, summarise } from './conditions.ts';
import { IncludeUnavailable, SourceFailure } from './failure.ts';
import { GROUP } from './model.ts';
import { announce, type Pass, trace } from './pass.ts';
import type { StatusDraft } from './status.ts';

const MAX_SUBJECT = 50;

/** A suspended repository only takes note of the request to reconcile. */
export async function settleSuspended(pass: Pass): Promise<Outcome> {
  pass.log.info('reconciliation is suspended for this object');
  const request = reconcileRequestOf(pass.object);
  if (request !== undefined) pass.draft.set({ lastHandledReconcileAt: request });
  await pass.draft.write();
  return { kind: 'done' };
}

/** Takes note of the handled request and, unless the run failed, of the generation; summarises; writes. */
async function finish(pass: Pass, isObserved: boolean): Promise<void> {
  const { draft, object } = pass;
  const request = reconcileRequestOf(object);
  if (request !== undefined) draft.set({ lastHandledReconcileAt: request });
  if (isObserved && object.metadata.generation !== undefined) draft.set({ observedGeneration: object.metadata.generation });
  summarise(draft);
  await draft.write();
}

export async function settleUnchanged(pass: Pass): Promise<Outcome> {
  const revision = pass.draft.current.artifact?.revision ?? '';
  trace(pass, 'GitOperationSucceeded', `no changes since last reconcilation: observed revision '${revision}'`);
  pass.draft.unmark('Reconciling', 'Stalled', 'ArtifactOutdated');
  clearFailures(pass.draft);
  markStored(pass, revision);
  await finish(pass, true);
  return nextInterval(pass);
}

export async function settleSuccess(
  pass: Pass,
  commit: GitCommit,
  before: { failures: readonly string[]; digest: string | undefined },
): Promise<Outcome> {
  const { draft } = pass;
  draft.unmark('Reconciling', 'Stalled');
  clearFailures(draft);
  await finish(pass, true);
  const { artifact } = draft.current;
  const message = `stored artifact for commit '${shortened(commit.commitSubject)}'`;
  pass.log.info(message, { revision: commit.revision });
  const isNew = artifact?.digest !== before.digest;
  if (artifact !== undefined && (isNew || before.failures.length > 0)) {
    const metadata = { [`${GROUP}/revision`]: artifact.revision, [`${GROUP}/digest`]: artifact.digest };
    await announce(pass, 'info', isNew ? 'NewArtifact' : 'Succeeded', message, metadata);
  }
  return nextInterval(pass);
}

function shortened(subject: string): string {
  const characters = Array.from(subject);
  return characters.length > MAX_SUBJECT ? `${characters.slice(0, MAX_SUBJECT).join('')}...` : subject;
}

/**
 * Status, log and event of a failure (parity d1).
 *
 * @throws the failure, so that the runtime backs off, unless only another spec can help
 */
export async function settleFailure(pass: Pass, error: unknown): Promise<Outcome> {
  if (error instanceof IncludeUnavailable) return settleWaiting(pass, error);
  if (isAbort(error) || !(error instanceof SourceFailure)) throw error;
  const { draft } = pass;
  draft.mark(error.condition, error.condition === 'SourceVerified' ? 'False' : 'True', error.reason, error.message);
  if (error.isStalled) {
    draft.unmark('Reconciling');
    draft.mark('Stalled', 'True', error.reason, error.message);
  } else {
    markRetry(draft);
  }
  await finish(pass, error.isStalled);
  pass.log.error(error.isStalled ? 'reconciliation stalled' : 'reconciliation failed', { reason: error.reason, error: messageOf(error) });
  await announce(pass, 'error', error.reason, error.message);
  if (error.isStalled) return { kind: 'done' };
  throw error;
}

/** An include is missing: only the log tells, and the run is repeated when it appears. */
async function settleWaiting(pass: Pass, error: IncludeUnavailable): Promise<Outcome> {
  pass.draft.mark('IncludeUnavailable', 'True', error.reason, error.message);
  markRetry(pass.draft);
  await finish(pass, false);
  trace(pass, error.reason, error.message);
  return { kind: 'wait', refs: [error.ref], afterMs: pass.controls.flags.requeueDependencyMs };
}

function markRetry(draft: StatusDraft): void {
  draft.mark('Reconciling', 'True', 'ProgressingWithRetry', draft.condition('Reconciling')?.message ?? 'reconciliation in progress');
}

/** The interval, moved by some percent to either side (flux/SRC-12). */
function nextInterval(pass: Pass): Outcome {
  const { flags, world } = pass.controls;
  return { kind: 'again', afterMs: jitter(parseDuration(pass.spec.interval), flags.intervalJitterPercentage, world.random) };
}
