import { isAbort, messageOf } from '../../base/errors/index.ts';
import { parseDuration } from '../../base/world/index.ts';
import type { GitCommit } from '../../fetch/git/index.ts';
import type { Outcome, Request } from '../../kube/runtime/index.ts';
import { isNotFound, refOf, type GitRepository } from '../../kube/objects/index.ts';
import { archiveCommit, markStored, showNewRevision } from './archive.ts';
import { clearFailures, failuresIn, markProgress, summarise } from './conditions.ts';
import { SourceFailure } from './failure.ts';
import { fetchSource } from './fetch.ts';
import { asGitRepository, FINALIZER, GROUP, MANAGER, refOfRequest, requestedAt } from './model.ts';
import { announce, ownerOf, type Controls, type Pass } from './pass.ts';
import { statusDraft } from './status.ts';
import { checkStorage } from './storage.ts';

const MAX_SUBJECT = 50;

/** Brings one GitRepository in order: finalizer, suspension, storage, fetch, archive, status, events. */
export async function reconcile(controls: Controls, request: Request, signal: AbortSignal): Promise<Outcome> {
  const { cluster, world } = controls;
  const log = controls.log.with({ controllerKind: 'GitRepository', namespace: request.namespace, name: request.name });
  const found = await cluster.find(refOfRequest(request), { signal });
  if (found === undefined) return { kind: 'done' };
  const object = asGitRepository(found);
  const passOf = (current: GitRepository): Pass => ({
    controls,
    object: current,
    spec: current.spec,
    ...request,
    draft: statusDraft(cluster, current, world.clock, signal),
    log,
    signal,
  });
  if (object.metadata.deletionTimestamp !== undefined) return finalise(passOf(object));
  const kept = await withFinalizer(controls, object, signal);
  if (kept === undefined) return { kind: 'done' };
  if (kept.spec.suspend === true) {
    log.info('reconciliation is suspended for this object');
    return { kind: 'done' };
  }
  return run(passOf(kept));
}

/** Removes what was stored, then lets the object go. */
async function finalise(pass: Pass): Promise<Outcome> {
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
async function withFinalizer(controls: Controls, object: GitRepository, signal: AbortSignal): Promise<GitRepository | undefined> {
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

async function run(pass: Pass): Promise<Outcome> {
  const { draft } = pass;
  const before = { failures: failuresIn(draft), digest: draft.current.artifact?.digest };
  try {
    await begin(pass);
    await checkStorage(pass);
    if (draft.condition('SourceVerified')?.status === 'False') draft.unmark('SourceVerified');
    const commit = await fetchSource(pass);
    draft.unmark('FetchFailed');
    if (commit === 'unchanged') return await settleUnchanged(pass);
    await showNewRevision(pass, commit);
    await archiveCommit(pass, commit);
    return await settleSuccess(pass, commit, before);
  } catch (error) {
    return settleFailure(pass, error);
  }
}

/** Shows that a new spec or a request is being worked on. */
async function begin(pass: Pass): Promise<void> {
  const { draft, object } = pass;
  const { generation } = object.metadata;
  markProgress(draft, 'reconciliation in progress', false);
  const observed = draft.current.observedGeneration ?? -1;
  if (generation !== observed) markProgress(draft, `processing object: new generation ${observed} -> ${generation}`, false);
  if (generation !== observed || (requestedAt(object) ?? '') !== (draft.current.lastHandledReconcileAt ?? '')) await draft.write();
}

/** Takes note of the handled request and, unless the run failed, of the generation; summarises; writes. */
async function finish(pass: Pass, isObserved: boolean): Promise<void> {
  const { draft, object } = pass;
  const request = requestedAt(object);
  if (request !== undefined) draft.set({ lastHandledReconcileAt: request });
  if (isObserved && object.metadata.generation !== undefined) draft.set({ observedGeneration: object.metadata.generation });
  summarise(draft);
  await draft.write();
}

async function settleUnchanged(pass: Pass): Promise<Outcome> {
  const revision = pass.draft.current.artifact?.revision ?? '';
  pass.log.info(`no changes since last reconcilation: observed revision '${revision}'`, { reason: 'GitOperationSucceeded' });
  pass.draft.unmark('Reconciling', 'Stalled', 'ArtifactOutdated');
  clearFailures(pass.draft);
  markStored(pass, revision);
  await finish(pass, true);
  return nextInterval(pass);
}

async function settleSuccess(
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
async function settleFailure(pass: Pass, error: unknown): Promise<Outcome> {
  if (isAbort(error) || !(error instanceof SourceFailure)) throw error;
  const { draft } = pass;
  draft.mark(error.condition, 'True', error.reason, error.message);
  if (error.isStalled) {
    draft.unmark('Reconciling');
    draft.mark('Stalled', 'True', error.reason, error.message);
  } else {
    const progress = draft.condition('Reconciling')?.message ?? 'reconciliation in progress';
    draft.mark('Reconciling', 'True', 'ProgressingWithRetry', progress);
  }
  await finish(pass, error.isStalled);
  pass.log.error(error.isStalled ? 'reconciliation stalled' : 'reconciliation failed', { reason: error.reason, error: messageOf(error) });
  await announce(pass, 'error', error.reason, error.message);
  if (error.isStalled) return { kind: 'done' };
  throw error;
}

/** The interval, moved by some percent to either side (flux/SRC-12). */
function nextInterval(pass: Pass): Outcome {
  const { flags, world } = pass.controls;
  const jitter = (flags.intervalJitterPercentage / 100) * (2 * world.random.number() - 1);
  return { kind: 'again', afterMs: parseDuration(pass.spec.interval) * (1 + jitter) };
}
