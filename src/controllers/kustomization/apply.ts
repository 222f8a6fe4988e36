import { isAbort, messageOf } from '../../base/errors/index.ts';
import {
  applyStaged,
  formatChanges,
  inventoryOf,
  isOwnedBy,
  isWritten,
  mergeEntries,
  prune,
  PruneFailed,
  refsOf,
  staleEntries,
  type ChangeSet,
  type HealthReader,
  type InventoryEntry,
} from '../../kube/apply/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import { formatRef, isJsonObject, refOf, type KubeObject, type ObjectRef } from '../../kube/objects/index.ts';
import { ownerOf } from './build.ts';
import { StepFailure } from './failure.ts';
import { userOf } from './impersonation.ts';
import { inventoryOfStatus } from './model.ts';
import { announce, type Pass } from './pass.ts';

/**
 * Records in the inventory what is about to be created, before it is created: a run that dies half-way leaves
 * nothing behind that a later run does not know of (flux/SSA-12, BY-17).
 */
export async function recordIntent(pass: Pass, cluster: Cluster, objects: readonly KubeObject[]): Promise<void> {
  if (pass.controls.faults.inventoryAfterApply === true) return;
  const old = inventoryOfStatus(pass.draft.current);
  const refs = await Promise.all(objects.map((object) => scopedRef(cluster, object, objects)));
  const intended = staleEntries(inventoryOf(refs), old);
  if (intended.length === 0) return;
  pass.draft.set({ inventory: { entries: mergeEntries(old, intended) } });
  await pass.draft.write();
}

/** The name that the server will give: without a namespace where the kind has none. */
async function scopedRef(cluster: Cluster, object: KubeObject, objects: readonly KubeObject[]): Promise<ObjectRef> {
  const ref = refOf(object);
  if (ref.namespace === undefined) return ref;
  const isNamespaced = (await cluster.resourceFor(object))?.namespaced ?? isNamespacedByDefinition(object, objects);
  const { namespace: _namespace, ...clusterWide } = ref;
  return isNamespaced ? ref : clusterWide;
}

/** What a CustomResourceDefinition of the same build says about the kind; namespaced when none does. */
function isNamespacedByDefinition(object: KubeObject, objects: readonly KubeObject[]): boolean {
  const group = object.apiVersion.split('/')[0];
  const definition = objects.find((candidate) => {
    const spec = candidate['spec'];
    if (candidate.kind !== 'CustomResourceDefinition' || !isJsonObject(spec) || spec['group'] !== group) return false;
    const names = spec['names'];
    return isJsonObject(names) && names['kind'] === object.kind;
  });
  const spec = definition?.['spec'];
  return !isJsonObject(spec) || spec['scope'] !== 'Cluster';
}

/**
 * Applies the objects in stages and announces what changed (flux/SSA-14).
 *
 * @throws StepFailure ReconciliationFailed
 */
export async function applyObjects(pass: Pass, cluster: Cluster, objects: readonly KubeObject[], reader: HealthReader): Promise<ChangeSet> {
  const { controls, spec } = pass;
  const user = userOf(pass);
  try {
    const changes = await applyStaged(cluster, objects, {
      owner: ownerOf(pass),
      world: controls.world,
      reader,
      force: spec.force === true,
      concurrency: controls.flags.concurrentSsa,
      customStageKinds: controls.flags.customApplyStageKinds,
      overrideManagers: controls.flags.overrideManagers,
      memory: controls.memory,
      signal: pass.signal,
      ...(spec.ignore === undefined ? {} : { ignore: spec.ignore }),
      ...(user === undefined ? {} : { user }),
      ...(controls.faults.writeWithoutChange === true ? { writeUnchanged: true } : {}),
    });
    announceChanges(pass, changes);
    return changes;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new StepFailure('ReconciliationFailed', messageOf(error), { cause: error });
  }
}

function announceChanges(pass: Pass, changes: ChangeSet): void {
  const written = changes.entries.filter((entry) => isWritten(entry));
  if (written.length === 0) return;
  pass.hasWritten = true;
  pass.log.info('server-side apply completed', {
    output: Object.fromEntries(written.map((entry) => [formatRef(entry.ref), entry.action])),
    revision: pass.artifact?.revision,
  });
  announce(pass, 'info', formatChanges(written));
}

/**
 * Deletes what the last run owned and this one does not build any more, when `spec.prune` says so (flux/SSA-11), and
 * sets the inventory: what was applied, what could not be deleted yet, and with `prune: false` what still exists, so
 * that turning pruning on later deletes it (flux/SSA-12).
 *
 * @throws StepFailure PruneFailed
 */
export async function collectGarbage(pass: Pass, cluster: Cluster, changes: ChangeSet): Promise<void> {
  const applied = inventoryOf(changes.entries.map((entry) => entry.ref));
  const stale = staleEntries(inventoryOfStatus(pass.draft.current), applied);
  const keep = (kept: readonly InventoryEntry[]): void => {
    pass.draft.set({ inventory: { entries: mergeEntries(applied, kept) } });
  };
  if (!pass.spec.prune) return keep(await stillOurs(pass, cluster, stale));
  try {
    keep([]);
    const pruned = await prune(cluster, refsOf(stale), { owner: ownerOf(pass), signal: pass.signal });
    if (pruned.entries.length === 0) return;
    pass.hasWritten = true;
    announce(pass, 'info', formatChanges(pruned.entries));
  } catch (error) {
    if (!(error instanceof PruneFailed)) {
      keep(stale);
      throw error;
    }
    keep(inventoryOf(error.survivors));
    throw new StepFailure('PruneFailed', messageOf(error), { cause: error });
  }
}

async function stillOurs(pass: Pass, cluster: Cluster, entries: readonly InventoryEntry[]): Promise<InventoryEntry[]> {
  const kept: InventoryEntry[] = [];
  for (const entry of entries) {
    const [ref] = refsOf([entry]);
    const live = ref === undefined ? undefined : await cluster.find(ref, { signal: pass.signal });
    if (live !== undefined && isOwnedBy(live, ownerOf(pass))) kept.push(entry);
  }
  return kept;
}
