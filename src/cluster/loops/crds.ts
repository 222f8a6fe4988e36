import { messageOf } from '../../base/errors/index.ts';
import { deepEqual, type KubeObject } from '../../kube/objects/index.ts';
import {
  CRD_FINALIZER,
  nextCrdStatus,
  resourceOfCrd,
  systemDelete,
  systemUpdate,
  timestamp,
  workQueue,
  type Loop,
  type LoopContext,
} from '../registry/index.ts';

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';

/**
 * Serves what CRDs describe, accepts names that became free, and empties a CRD that is being deleted (CRD-01, CRD-02;
 * apiextensions-apiserver:pkg/controller).
 */
export function crdLoop({ env, log, endWatches }: LoopContext): Loop {
  const { store, catalog } = env;
  const serve = (crd: KubeObject): void => {
    const resource = resourceOfCrd(crd);
    if (resource !== undefined) catalog.setCustom(resource);
  };
  const remove = (crd: KubeObject): void => {
    const { group, names } = crd['spec'] as { group: string; names: { plural: string } };
    catalog.removeCustom(group, names.plural);
    endWatches(`${names.plural}.${group}`);
  };
  const keyOf = (name: string): { resource: string; namespace: string; name: string } => ({ resource: CRDS, namespace: '', name });

  const work = async (name: string): Promise<void> => {
    const crd = store.get(keyOf(name));
    if (crd === undefined) return;
    if (crd.metadata.deletionTimestamp === undefined) return acceptNames(name);
    await acceptNames(name);
    if (crd.metadata.finalizers?.includes(CRD_FINALIZER) !== true) return;
    const isEmpty = await deleteInstances(name);
    if (!isEmpty) return;
    await systemUpdate(env, keyOf(name), {}, ({ metadata }) => {
      metadata.finalizers = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== CRD_FINALIZER);
      return true;
    });
  };
  const acceptNames = (name: string): Promise<void> =>
    systemUpdate(env, keyOf(name), { subresource: 'status' }, (crd) => {
      const next = nextCrdStatus(catalog, crd, timestamp(env));
      if (deepEqual(next, crd['status'])) return false;
      crd['status'] = next;
      return true;
    });
  /** True when no object of the CRD is left. */
  const deleteInstances = async (storeName: string): Promise<boolean> => {
    for (const { metadata } of store.list(storeName)) {
      if (metadata.deletionTimestamp !== undefined) continue;
      await systemDelete(env, { resource: storeName, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }, {});
    }
    return store.list(storeName).length === 0;
  };
  const queue = workQueue(env.world.clock, work, (name, error) =>
    log.error('custom resource definition', { name, error: messageOf(error) }),
  );

  return {
    start: () => {
      for (const crd of store.list(CRDS)) serve(crd);
      for (const crd of store.list(CRDS)) queue.add(crd.metadata.name ?? '');
    },
    on: ({ resource, type, object, previous, name }) => {
      if (resource !== CRDS) {
        // An object of a CRD that is being deleted went.
        if (type === 'DELETED' && store.get(keyOf(resource))?.metadata.deletionTimestamp !== undefined) queue.add(resource);
        return;
      }
      if (type !== 'DELETED') {
        serve(object);
        // Watches show objects by the schema that they started with: clients open new ones.
        if (previous !== undefined && !deepEqual(previous['spec'], object['spec'])) endWatches(name);
        queue.add(name);
        return;
      }
      remove(object);
      // Its names are free now.
      for (const other of store.list(CRDS)) queue.add(other.metadata.name ?? '');
    },
    stop: () => queue.stop(),
  };
}
