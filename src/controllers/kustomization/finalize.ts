import { messageOf } from '../../base/errors/index.ts';
import { formatChanges, prune, refsOf, waitForTermination } from '../../kube/apply/index.ts';
import { formatRef } from '../../kube/objects/index.ts';
import { removeFinalizer } from '../../kube/runtime/index.ts';
import { ownerOf } from './build.ts';
import { canImpersonate, targetCluster } from './impersonation.ts';
import { FINALIZER, inventoryOfStatus, STATUS_MANAGER, statusOfKustomization, timeoutOf } from './model.ts';
import { announce, type Pass } from './pass.ts';

/**
 * Cleans up after a deleted Kustomization, then lets it go (flux/KS-12).
 *
 * @throws PruneFailed when something could not be deleted: the finalizer stays and the runtime tries again
 */
export async function finalize(pass: Pass): Promise<void> {
  if (!(pass.object.metadata.finalizers ?? []).includes(FINALIZER)) return;
  if (prunesOnDeletion(pass)) await pruneAll(pass);
  const { controls, object, signal } = pass;
  await removeFinalizer(controls.cluster, object, FINALIZER, { fieldManager: STATUS_MANAGER, signal });
}

function prunesOnDeletion(pass: Pass): boolean {
  const { suspend, prune: isPruned, deletionPolicy = 'MirrorPrune' } = pass.spec;
  if (suspend === true || inventoryOfStatus(statusOfKustomization(pass.object)).length === 0) return false;
  return deletionPolicy === 'MirrorPrune' ? isPruned : deletionPolicy !== 'Orphan';
}

async function pruneAll(pass: Pass): Promise<void> {
  const refs = refsOf(inventoryOfStatus(statusOfKustomization(pass.object)));
  if (!(await canImpersonate(pass))) {
    announce(pass, 'error', `unable to prune objects: \n${refs.map(formatRef).join('\n')}`);
    return;
  }
  const cluster = targetCluster(pass);
  let deleted;
  try {
    deleted = (await prune(cluster, refs, { owner: ownerOf(pass), signal: pass.signal })).entries;
  } catch (error) {
    pass.log.error('pruning for deleted resource failed', { error: messageOf(error) });
    announce(pass, 'error', 'pruning for deleted resource failed');
    throw error;
  }
  if (deleted.length === 0) return;
  announce(pass, 'info', formatChanges(deleted));
  if (pass.spec.deletionPolicy !== 'WaitForTermination') return;
  try {
    const gone = deleted.filter((entry) => entry.action === 'deleted').map((entry) => entry.ref);
    await waitForTermination(cluster, gone, { world: pass.controls.world, timeoutMs: timeoutOf(pass.spec), signal: pass.signal });
  } catch (error) {
    if (pass.signal.aborted) throw error;
    // Upstream lets the Kustomization go although something is left; so does this.
    pass.log.error('failed to wait for resources termination', { error: messageOf(error) });
    announce(pass, 'error', 'failed to wait for resources termination');
  }
}
