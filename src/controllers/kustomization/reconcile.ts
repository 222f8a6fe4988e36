import { formatDuration } from '../../base/world/index.ts';
import { kstatusReader } from '../../kube/apply/index.ts';
import { addFinalizer, type Outcome, type Request } from '../../kube/runtime/index.ts';
import { applyObjects, collectGarbage, recordIntent } from './apply.ts';
import { buildObjects, refuseEncryptedSecrets } from './build.ts';
import type { Controls } from './controls.ts';
import { checkGates } from './decryption.ts';
import { checkDependencies } from './dependencies.ts';
import { healthReader } from './expressions.ts';
import { checkPath, fetchTree } from './fetch.ts';
import { finalize } from './finalize.ts';
import { checkHealth } from './health.ts';
import { historyDigest } from './history.ts';
import { targetCluster } from './impersonation.ts';
import { FINALIZER, KUSTOMIZATION, STATUS_MANAGER, timeoutOf } from './model.ts';
import { isNewsFor, showProgress, startPass, type Pass } from './pass.ts';
import { settleFailure, settleSuccess, settleSuspended } from './settle.ts';
import { findSource, requireArtifact } from './source.ts';

/** Brings one Kustomization in order. */
export async function reconcileKustomization(controls: Controls, request: Request, signal: AbortSignal): Promise<Outcome> {
  const found = await controls.cluster.find({ ...KUSTOMIZATION, ...request }, { signal });
  if (found === undefined) return { kind: 'done' };
  if (found.metadata.deletionTimestamp !== undefined) {
    await finalize(startPass(controls, found, signal));
    return { kind: 'done' };
  }
  const object = await addFinalizer(controls.cluster, found, FINALIZER, { fieldManager: STATUS_MANAGER, signal });
  const pass = startPass(controls, object, signal);
  if (pass.spec.suspend === true) return settleSuspended(pass);
  try {
    await runSteps(pass);
  } catch (error) {
    return settleFailure(pass, error);
  }
  return settleSuccess(pass);
}

/** The steps of a reconciliation, in the order of kustomize-controller (flux/KS-01). Each throws StepFailure. */
async function runSteps(pass: Pass): Promise<void> {
  const reader = healthReader(pass.spec.healthCheckExprs ?? [], kstatusReader(pass.controls.world));
  checkGates(pass);

  const source = await findSource(pass);
  const artifact = requireArtifact(pass, source);
  const { revision } = artifact;
  pass.artifact = artifact;
  await checkDependencies(pass, source);

  const limit = `for revision ${revision} with a timeout of ${formatDuration(timeoutOf(pass.spec))}`;
  const fetching = `Fetching manifests ${limit}`;
  pass.isNews = isNewsFor(pass.object, revision, fetching);
  await showProgress(pass, fetching);
  const tree = await fetchTree(pass, artifact);
  checkPath(pass, tree);

  pass.draft.set({ lastAttemptedRevision: revision });
  await showProgress(pass, `Building manifests ${limit}`);
  const cluster = targetCluster(pass);
  const objects = await buildObjects(pass, tree);
  refuseEncryptedSecrets(objects);
  pass.digest = () => historyDigest(pass, objects);

  await showProgress(pass, `Detecting drift ${limit}`);
  await recordIntent(pass, cluster, objects);
  const changes = await applyObjects(pass, cluster, objects, reader);
  await collectGarbage(pass, cluster, changes);
  await checkHealth(pass, cluster, objects, changes, reader);
}
