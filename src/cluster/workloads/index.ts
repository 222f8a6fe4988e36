/**
 * A cluster where everything goes well: workloads, volumes and services reach the state that a healthy cluster would
 * reach, so that waits and health checks end (SIM-01). Either with Pods on one simulated node, which start only when
 * everything that they refer to is there (SIM-02), or, quicker, as statuses alone.
 *
 * @module
 */
import { messageOf } from '../../base/errors/index.ts';
import { deepEqual, type KubeObject } from '../../kube/objects/index.ts';
import { systemDelete, systemUpdate, timestamp, workQueue, type Loop, type LoopContext, type StoreKey } from '../registry/index.ts';
import { simulationLoop } from './controllers.ts';
import { HEALTHY } from './status.ts';

/** `true`: controllers and a kubelet, with Pods. `status`: every status is healthy at once, without Pods. */
export type WorkloadSimulation = boolean | 'status';

/** The loops of a simulation. Pods that are deleted end in all of them. */
export function workloadLoops(mode: WorkloadSimulation): readonly ((context: LoopContext) => Loop)[] {
  if (mode === false) return [podLoop];
  return mode === 'status' ? [workloadLoop, podLoop] : [budgetLoop, simulationLoop, podLoop];
}

/** Budgets have no controller of their own in the simulation. */
function budgetLoop(context: LoopContext): Loop {
  return statusLoop(context, (resource) => resource === 'poddisruptionbudgets.policy');
}

const CLAIMS = 'persistentvolumeclaims';

/** How long a kubelet takes to stop a Pod, at most its grace period. */
const STOP_MS = 1_000;

/** Ends Pods that are being deleted, as their kubelet would (DEL-05). */
export function podLoop({ env, log }: LoopContext): Loop {
  const queue = workQueue(
    env.world.clock,
    async (id) => {
      const [namespace = '', name = ''] = id.split('/');
      const key = { resource: 'pods', namespace, name };
      const uid = env.store.get(key)?.metadata.uid;
      const isGoing = env.store.get(key)?.metadata.deletionTimestamp !== undefined;
      if (uid !== undefined && isGoing) await systemDelete(env, key, { gracePeriodSeconds: 0, preconditions: { uid } });
    },
    (pod, error) => log.error('pod deletion', { pod, error: messageOf(error) }),
  );
  const check = ({ metadata }: KubeObject): void => {
    const { namespace = '', name = '', deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata;
    if (deletionTimestamp !== undefined && deletionGracePeriodSeconds > 0) {
      queue.addAfter(`${namespace}/${name}`, Math.min(STOP_MS, deletionGracePeriodSeconds * 1000));
    }
  };
  return {
    start: () => {
      for (const pod of env.store.list('pods')) check(pod);
    },
    on: ({ resource, type, object }) => {
      if (resource === 'pods' && type !== 'DELETED') check(object);
    },
    stop: () => queue.stop(),
  };
}

/** The loop that keeps statuses healthy. */
export function workloadLoop(context: LoopContext): Loop {
  return statusLoop(context, () => true);
}

function statusLoop({ env, log }: LoopContext, isOurs: (resource: string) => boolean): Loop {
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
    if (HEALTHY[key.resource] === undefined || !isOurs(key.resource)) return;
    const id = `${key.resource}/${key.namespace}/${key.name}`;
    keys.set(id, key);
    queue.add(id);
  };
  return {
    start: () => {
      for (const resource of Object.keys(HEALTHY).filter(isOurs)) {
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
