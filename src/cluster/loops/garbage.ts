import { messageOf } from '../../base/errors/index.ts';
import { parseApiVersion, type KubeObject, type OwnerReference } from '../../kube/objects/index.ts';
import {
  createObject,
  rfc3339,
  systemContext,
  systemDelete,
  systemUpdate,
  workQueue,
  type Loop,
  type LoopContext,
  type StoreEvent,
  type StoreKey,
} from '../registry/index.ts';

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

interface Node {
  readonly key: StoreKey;
  readonly object: KubeObject;
}

/** What an owner reference points to. `unknown`: its kind isn't served (yet), so nothing is decided. */
type OwnerState = 'alive' | 'absent' | 'waiting' | 'unknown' | 'invalid';

/**
 * Collects objects whose owners are gone, and finishes foreground deletion and orphaning (GC-01 … GC-04;
 * kubernetes:pkg/controller/garbagecollector). It decides by uid, from its own graph of what is stored.
 */
export function garbageLoop({ env, log }: LoopContext): Loop {
  const { store, catalog } = env;
  const nodes = new Map<string, Node>();
  const dependents = new Map<string, Set<string>>();

  const owners = (object: KubeObject): readonly OwnerReference[] => object.metadata.ownerReferences ?? [];
  const dependentsOf = (uid: string): Node[] => [...(dependents.get(uid) ?? [])].flatMap((each) => nodes.get(each) ?? []);

  const forget = (uid: string): void => {
    const node = nodes.get(uid);
    if (node === undefined) return;
    nodes.delete(uid);
    for (const owner of owners(node.object)) dependents.get(owner.uid)?.delete(uid);
  };
  const remember = (key: StoreKey, object: KubeObject): void => {
    const uid = object.metadata.uid ?? '';
    forget(uid);
    nodes.set(uid, { key, object });
    for (const owner of owners(object)) {
      const set = dependents.get(owner.uid) ?? new Set();
      dependents.set(owner.uid, set.add(uid));
    }
  };

  const ownerState = (dependent: Node, owner: OwnerReference): OwnerState => {
    const { group } = parseApiVersion(owner.apiVersion);
    const resource = catalog.findKind(group, owner.kind);
    if (resource === undefined) return 'unknown';
    const isClusterScoped = dependent.key.namespace === '';
    if (isClusterScoped && resource.namespaced) return 'invalid';
    const found = nodes.get(owner.uid);
    const isThere =
      found !== undefined &&
      found.key.resource === resource.storeName &&
      found.key.name === owner.name &&
      (!resource.namespaced || found.key.namespace === dependent.key.namespace);
    if (!isThere) return 'absent';
    const { deletionTimestamp, finalizers } = found.object.metadata;
    return deletionTimestamp !== undefined && finalizers?.includes(FOREGROUND) === true ? 'waiting' : 'alive';
  };

  /** Decides about an object by its owners. */
  const collect = async (node: Node): Promise<void> => {
    const refs = owners(node.object);
    const { deletionTimestamp, uid = '', resourceVersion = '', finalizers = [] } = node.object.metadata;
    if (refs.length === 0 || (deletionTimestamp !== undefined && !finalizers.includes(FOREGROUND))) return;
    const states = refs.map((owner) => ({ owner, state: ownerState(node, owner) }));
    await reportInvalid(node, states);
    if (states.some(({ state }) => state === 'unknown' || state === 'invalid')) return;
    const removable = states.filter(({ state }) => state !== 'alive').map(({ owner }) => owner.uid);
    if (removable.length === 0) return;
    if (states.some(({ state }) => state === 'alive')) return dropOwners(node, removable);
    if (deletionTimestamp !== undefined) return;
    const isWaitedFor = states.some(({ state }) => state === 'waiting');
    const policy = isWaitedFor && dependentsOf(uid).length > 0 ? 'Foreground' : policyOf(finalizers);
    const preconditions = isWaitedFor ? { uid } : { uid, resourceVersion };
    await systemDelete(env, node.key, { propagationPolicy: policy, preconditions });
  };

  const policyOf = (finalizers: readonly string[]): string => {
    if (finalizers.includes(ORPHAN)) return 'Orphan';
    return finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background';
  };

  const dropOwners = (node: Node, uids: readonly string[]): Promise<void> =>
    systemUpdate(env, node.key, { manager: 'kube-controller-manager' }, ({ metadata }) => {
      const kept = (metadata.ownerReferences ?? []).filter((owner) => !uids.includes(owner.uid));
      if (metadata.uid !== node.object.metadata.uid || kept.length === (metadata.ownerReferences ?? []).length) return false;
      if (kept.length > 0) metadata.ownerReferences = kept;
      else delete metadata.ownerReferences;
      return true;
    });
  const dropFinalizer = (node: Node, finalizer: string): Promise<void> =>
    systemUpdate(env, node.key, {}, ({ metadata }) => {
      if (metadata.uid !== node.object.metadata.uid || metadata.finalizers?.includes(finalizer) !== true) return false;
      metadata.finalizers = metadata.finalizers.filter((each) => each !== finalizer);
      return true;
    });

  /** Finishes the deletion of an owner that waits for its dependents, or lets them go first. */
  const finish = async (node: Node): Promise<void> => {
    const { deletionTimestamp, finalizers = [], uid = '' } = node.object.metadata;
    if (deletionTimestamp === undefined) return;
    if (finalizers.includes(ORPHAN)) {
      for (const dependent of dependentsOf(uid)) await dropOwners(dependent, [uid]);
      await dropFinalizer(node, ORPHAN);
      return;
    }
    if (!finalizers.includes(FOREGROUND)) return;
    const blocking = dependentsOf(uid).filter(({ object }) =>
      owners(object).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    );
    if (blocking.length === 0) return dropFinalizer(node, FOREGROUND);
    for (const { object } of dependentsOf(uid)) queue.add(object.metadata.uid ?? '');
  };

  const reported = new Set<string>();
  const reportInvalid = async (node: Node, states: readonly { owner: OwnerReference; state: OwnerState }[]): Promise<void> => {
    for (const { owner, state } of states) {
      const isElsewhere = state === 'absent' && nodes.has(owner.uid);
      const id = `${node.object.metadata.uid ?? ''} ${owner.uid}`;
      if ((state !== 'invalid' && !isElsewhere) || reported.has(id)) continue;
      reported.add(id);
      await writeEvent(node, owner);
    }
  };
  const writeEvent = async (node: Node, owner: OwnerReference): Promise<void> => {
    const events = catalog.find('', 'events');
    if (events === undefined) return;
    const { apiVersion, kind, metadata } = node.object;
    const namespace = node.key.namespace === '' ? 'default' : node.key.namespace;
    const now = rfc3339(env.world.clock.now());
    const involved = { apiVersion, kind, name: node.key.name, uid: metadata.uid ?? '' };
    await createObject(env, systemContext(events, namespace, ''), {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, generateName: `${node.key.name}.` },
      involvedObject: node.key.namespace === '' ? involved : { ...involved, namespace },
      reason: 'OwnerRefInvalidNamespace',
      message: `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: ${node.key.namespace}, name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace "${node.key.namespace}"`,
      type: 'Warning',
      source: { component: 'garbage-collector-controller' },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    });
  };

  const work = async (uid: string): Promise<void> => {
    const node = nodes.get(uid);
    if (node === undefined) return;
    await finish(node);
    const still = nodes.get(uid);
    if (still !== undefined) await collect(still);
  };
  const queue = workQueue(env.world.clock, work, (uid, error) => log.error('garbage collection', { uid, error: messageOf(error) }));

  const on = (event: StoreEvent): void => {
    const { type, object, previous } = event;
    const uid = object.metadata.uid ?? '';
    if (type === 'DELETED') {
      forget(uid);
      for (const dependent of dependents.get(uid) ?? []) queue.add(dependent);
      for (const owner of owners(object)) queue.add(owner.uid);
      dependents.delete(uid);
      return;
    }
    remember(event, object);
    // A kind that was unknown may be served now.
    if (object.kind === 'CustomResourceDefinition')
      for (const each of dependents.values()) for (const dependent of each) queue.add(dependent);
    if (owners(object).length > 0 || object.metadata.deletionTimestamp !== undefined) queue.add(uid);
    for (const owner of previous === undefined ? [] : owners(previous))
      if (!owners(object).some((each) => each.uid === owner.uid)) queue.add(owner.uid);
  };
  return {
    start: () => {
      for (const resource of store.resources()) {
        for (const object of store.list(resource)) {
          const { namespace = '', name = '', uid = '' } = object.metadata;
          remember({ resource, namespace, name }, object);
          if (owners(object).length > 0 || object.metadata.deletionTimestamp !== undefined) queue.add(uid);
        }
      }
    },
    on,
    stop: () => queue.stop(),
  };
}
