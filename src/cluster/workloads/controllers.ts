import { messageOf } from '../../base/errors/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import { workQueue, type Loop, type LoopContext, type StoreEvent, type StoreKey } from '../registry/index.ts';
import { reconcileCronJob } from './cronJobs.ts';
import { reconcileDaemonSet } from './daemonSets.ts';
import { reconcileDeployment } from './deployments.ts';
import { dropEndpoints, reconcileService, selects } from './endpoints.ts';
import { reconcileJob } from './jobs.ts';
import { ensureNode, kubelet } from './kubelet.ts';
import { AWAITED } from './missing.ts';
import { reconcileReplicas } from './replicaSets.ts';
import { fields, PODS, simulation, specOf, text, type Simulation } from './simulation.ts';
import { reconcileStatefulSet } from './statefulSets.ts';
import { CLAIMS, reconcileClaim, reconcileVolume, VOLUMES } from './volumes.ts';

type Reconcile = (sim: Simulation, object: KubeObject) => Promise<void>;

/** By name in the store. A kind is one line here. */
const CONTROLLERS: Readonly<Record<string, Reconcile>> = {
  'deployments.apps': reconcileDeployment,
  'replicasets.apps': (sim, set) => reconcileReplicas(sim, 'replicasets.apps', set),
  replicationcontrollers: (sim, set) => reconcileReplicas(sim, 'replicationcontrollers', set),
  'statefulsets.apps': reconcileStatefulSet,
  'daemonsets.apps': reconcileDaemonSet,
  'jobs.batch': reconcileJob,
  'cronjobs.batch': reconcileCronJob,
  [CLAIMS]: reconcileClaim,
  [VOLUMES]: reconcileVolume,
  services: reconcileService,
};

/** Where the owner of a child is stored. */
const OWNERS: Readonly<Record<string, string>> = {
  Deployment: 'deployments.apps',
  ReplicaSet: 'replicasets.apps',
  ReplicationController: 'replicationcontrollers',
  StatefulSet: 'statefulsets.apps',
  DaemonSet: 'daemonsets.apps',
  Job: 'jobs.batch',
  CronJob: 'cronjobs.batch',
};

/** The controllers and the kubelet of a cluster with one node, as one loop (SIM-01, SIM-02). */
export function simulationLoop(context: LoopContext): Loop {
  const { env, log } = context;
  const keys = new Map<string, StoreKey>();
  const idOf = (key: StoreKey): string => {
    const id = `${key.resource}/${key.namespace}/${key.name}`;
    keys.set(id, key);
    return id;
  };
  const queue = workQueue(
    env.world.clock,
    async (id) => {
      const key = keys.get(id);
      if (key !== undefined) await work(key);
    },
    (id, error) => log.error('workload simulation', { object: id, error: messageOf(error) }),
  );
  const sim = simulation(context, (key, ms) => queue.addAfter(idOf(key), ms));
  const node = kubelet(sim);

  const work = async (key: StoreKey): Promise<void> => {
    if (key.resource === 'nodes') return ensureNode(sim);
    const object = env.store.get(key);
    if (object === undefined) {
      keys.delete(`${key.resource}/${key.namespace}/${key.name}`);
      if (key.resource === 'services') await dropEndpoints(sim, key.namespace, key.name);
      return;
    }
    await (key.resource === PODS ? node.run(object) : CONTROLLERS[key.resource]?.(sim, object));
  };
  const add = (resource: string, namespace: string, name: string): void => queue.add(idOf({ resource, namespace, name }));
  const addOwner = ({ metadata }: KubeObject): void => {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
    const resource = owner === undefined ? undefined : OWNERS[owner.kind];
    if (owner !== undefined && resource !== undefined) add(resource, metadata.namespace ?? '', owner.name);
  };
  const onPod = ({ object, namespace, name, type }: StoreEvent): void => {
    if (type !== 'DELETED') add(PODS, namespace, name);
    for (const service of env.store.list('services', namespace)) {
      if (selects(service, object)) add('services', namespace, service.metadata.name ?? '');
    }
  };
  const addAll = (resource: string): void => {
    for (const { metadata } of env.store.list(resource)) add(resource, metadata.namespace ?? '', metadata.name ?? '');
  };
  return {
    start: () => {
      add('nodes', '', '');
      for (const resource of [...Object.keys(CONTROLLERS), PODS]) addAll(resource);
    },
    on: (event) => {
      const { resource, namespace, name, type, object } = event;
      if (resource === PODS) onPod(event);
      else if (CONTROLLERS[resource] !== undefined && (type !== 'DELETED' || resource === 'services')) add(resource, namespace, name);
      if (object.metadata.ownerReferences !== undefined) addOwner(object);
      if (resource === CLAIMS && type === 'DELETED') add(VOLUMES, '', text(specOf(object)['volumeName']));
      if (resource === VOLUMES && type !== 'DELETED') addClaim(object);
      if (AWAITED.has(resource) && type !== 'DELETED') for (const pod of node.blocked(namespace)) add(PODS, namespace, pod);
    },
    stop: () => queue.stop(),
  };

  function addClaim(volume: KubeObject): void {
    const { namespace, name } = fields(specOf(volume)['claimRef']);
    if (typeof name === 'string') add(CLAIMS, text(namespace), name);
    else
      for (const claim of env.store.list(CLAIMS)) {
        if (specOf(claim)['volumeName'] === volume.metadata.name) add(CLAIMS, claim.metadata.namespace ?? '', claim.metadata.name ?? '');
      }
  }
}
