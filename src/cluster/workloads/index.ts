/**
 * A cluster where everything goes well: workloads, volumes and services get the status that a healthy cluster
 * would have reached, at once, so that waits and health checks end (SIM-01). There are no Pods behind them.
 *
 * @module
 */
import { messageOf } from '../../base/errors/index.ts';
import { deepEqual } from '../../kube/objects/index.ts';
import { workQueue, type Loop, type LoopContext } from '../loops/index.ts';
import { systemUpdate, timestamp } from '../registry/index.ts';
import type { StoreKey } from '../store/index.ts';
import { HEALTHY } from './status.ts';

const CLAIMS = 'persistentvolumeclaims';

/** The loop that keeps statuses healthy. */
export function workloadLoop({ env, log }: LoopContext): Loop {
  const keys = new Map<string, StoreKey>();
  const queue = workQueue(
    env.world.clock,
    async (id) => {
      const key = keys.get(id);
      keys.delete(id);
      if (key !== undefined) await makeHealthy(key);
    },
    (id, error) => log.error('workload status', { object: id, error: messageOf(error) }),
  );
  const makeHealthy = async (key: StoreKey): Promise<void> => {
    const healthy = HEALTHY[key.resource];
    if (key.resource === CLAIMS) await bindClaim(key);
    await systemUpdate(env, key, { subresource: 'status' }, (object) => {
      const status = object.metadata.deletionTimestamp === undefined ? healthy?.(object, timestamp(env)) : undefined;
      if (status === undefined || deepEqual(status, object['status'] ?? {})) return false;
      object['status'] = status;
      return true;
    });
  };
  /** A claim that is bound names its volume. */
  const bindClaim = (key: StoreKey): Promise<void> =>
    systemUpdate(env, key, {}, (object) => {
      const spec = (object['spec'] ?? {}) as { volumeName?: string };
      if ((spec.volumeName ?? '') !== '' || object.metadata.deletionTimestamp !== undefined) return false;
      spec.volumeName = `pvc-${object.metadata.uid ?? ''}`;
      return true;
    });
  const add = (key: StoreKey): void => {
    if (HEALTHY[key.resource] === undefined) return;
    const id = `${key.resource}/${key.namespace}/${key.name}`;
    keys.set(id, key);
    queue.add(id);
  };
  return {
    start: () => {
      for (const resource of Object.keys(HEALTHY)) {
        for (const { metadata } of env.store.list(resource))
          add({ resource, namespace: metadata.namespace ?? '', name: metadata.name ?? '' });
      }
    },
    on: ({ type, resource, namespace, name }) => {
      if (type !== 'DELETED') add({ resource, namespace, name });
    },
    stop: () => queue.stop(),
  };
}
