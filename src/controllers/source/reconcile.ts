import { addFinalizer, reconcileRequestOf, removeFinalizer, type Outcome, type Request } from '../../kube/runtime/index.ts';
import { isNotFound, type GitRepository } from '../../kube/objects/index.ts';
import { archiveCommit, showChange } from './archive.ts';
import { failuresIn, markProgress } from './conditions.ts';
import { fetchSource } from './fetch.ts';
import { readIncludes } from './include.ts';
import { asGitRepository, FINALIZER, MANAGER, refOfRequest } from './model.ts';
import { type Controls, ownerOf, type Pass, trace } from './pass.ts';
import { settleFailure, settleSuccess, settleSuspended, settleUnchanged } from './settle.ts';
import { statusDraft } from './status.ts';
import { checkStorage } from './storage.ts';
import { checkContent } from './support.ts';
import { clearVerification, verifyCommit } from './verify.ts';

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
  return kept.spec.suspend === true ? settleSuspended(passOf(kept)) : run(passOf(kept));
}

/** Removes what was stored, then lets the object go. */
async function finalise(pass: Pass): Promise<Outcome> {
  const { controls, object, signal } = pass;
  if (object.metadata.finalizers?.includes(FINALIZER) !== true) return { kind: 'done' };
  await controls.storage.removeAll(ownerOf(pass));
  trace(pass, 'GarbageCollectionSucceeded', 'garbage collected artifacts for deleted resource');
  await removeFinalizer(controls.cluster, object, FINALIZER, { fieldManager: MANAGER, signal });
  return { kind: 'done' };
}

/** The object with our finalizer; undefined when it went away meanwhile. */
async function withFinalizer(controls: Controls, object: GitRepository, signal: AbortSignal): Promise<GitRepository | undefined> {
  try {
    return asGitRepository(await addFinalizer(controls.cluster, object, FINALIZER, { fieldManager: MANAGER, signal }));
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
    clearVerification(pass);
    checkContent(pass.spec);
    const included = await readIncludes(pass);
    draft.unmark('IncludeUnavailable');
    const commit = await fetchSource(pass, included);
    draft.unmark('FetchFailed');
    if (commit === 'unchanged') return await settleUnchanged(pass);
    const sourceVerificationMode = await verifyCommit(pass, commit);
    await showChange(pass, commit, included);
    await archiveCommit(pass, commit, included);
    draft.set({ sourceVerificationMode });
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
  if (generation !== observed || (reconcileRequestOf(object) ?? '') !== (draft.current.lastHandledReconcileAt ?? '')) await draft.write();
}
