import { messageOf } from '../../base/errors/index.ts';
import type { KubeObject, OwnerReference } from '../../kube/objects/index.ts';
import {
  createObject,
  rfc3339,
  systemContext,
  systemDelete,
  systemUpdate,
  workQueue,
  type Environment,
  type Loop,
  type LoopContext,
  type StoreEvent,
} from '../registry/index.ts';
import { FOREGROUND, ownerGraph, ownersOf, type Node, type OwnerGraph, type OwnerState } from './graph.ts';

const ORPHAN = 'orphan';

interface Collector {
  readonly env: Environment;
  readonly graph: OwnerGraph;
  readonly add: (uid: string) => void;
  /** Pairs of dependent and owner that an event was written for. */
  readonly reported: Set<string>;
}

/**
 * Collects objects whose owners are gone, and finishes foreground deletion and orphaning (GC-01 … GC-04;
 * kubernetes:pkg/controller/garbagecollector). It decides by uid, from its own graph of what is stored.
 */
export function garbageLoop({ env, log }: LoopContext): Loop {
  const graph = ownerGraph(env.catalog);
  const collector: Collector = { env, graph, add: (uid) => queue.add(uid), reported: new Set() };
  const queue = workQueue(
    env.world.clock,
    (uid) => decide(collector, uid),
    (uid, error) => log.error('garbage collection', { uid, error: messageOf(error) }),
  );
  return {
    start: () => {
      for (const resource of env.store.resources()) {
        for (const object of env.store.list(resource)) {
          const { namespace = '', name = '' } = object.metadata;
          graph.remember({ resource, namespace, name }, object);
          addIfInteresting(collector, object);
        }
      }
    },
    on: (event) => {
      if (event.type === 'DELETED') onDeleted(collector, event);
      else onWritten(collector, event);
    },
    stop: () => queue.stop(),
  };
}

function onDeleted({ graph, add }: Collector, { object }: StoreEvent): void {
  const { uid = '' } = object.metadata;
  for (const dependent of graph.dependentsOf(uid)) add(dependent.object.metadata.uid ?? '');
  graph.forget(uid);
  for (const owner of ownersOf(object)) add(owner.uid);
}

function onWritten(collector: Collector, event: StoreEvent): void {
  const { graph, add } = collector;
  const { object, previous } = event;
  graph.remember(event, object);
  // A kind that was unknown may be served now.
  if (object.kind === 'CustomResourceDefinition') for (const dependent of graph.dependents()) add(dependent);
  addIfInteresting(collector, object);
  const remaining = new Set(ownersOf(object).map(({ uid }) => uid));
  for (const { uid } of previous === undefined ? [] : ownersOf(previous)) if (!remaining.has(uid)) add(uid);
}

function addIfInteresting({ add }: Collector, object: KubeObject): void {
  if (ownersOf(object).length > 0 || object.metadata.deletionTimestamp !== undefined) add(object.metadata.uid ?? '');
}

async function decide(collector: Collector, uid: string): Promise<void> {
  const node = collector.graph.get(uid);
  if (node !== undefined) await finish(collector, node);
  const still = collector.graph.get(uid);
  if (still !== undefined) await collect(collector, still);
}

/** Finishes the deletion of an owner that waits for its dependents, or lets them go first. */
async function finish({ env, graph, add }: Collector, node: Node): Promise<void> {
  const { deletionTimestamp, finalizers = [], uid = '' } = node.object.metadata;
  if (deletionTimestamp === undefined) return;
  const dependents = graph.dependentsOf(uid);
  if (finalizers.includes(ORPHAN)) {
    for (const dependent of dependents) await dropOwners(env, dependent, [uid]);
    return dropFinalizer(env, node, ORPHAN);
  }
  if (!finalizers.includes(FOREGROUND)) return;
  const isBlocked = dependents.some(({ object }) =>
    ownersOf(object).some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
  );
  if (!isBlocked) return dropFinalizer(env, node, FOREGROUND);
  for (const { object } of dependents) add(object.metadata.uid ?? '');
}

/** Decides about an object by its owners. */
async function collect(collector: Collector, node: Node): Promise<void> {
  const { env, graph } = collector;
  const { deletionTimestamp, uid = '', resourceVersion = '', finalizers = [] } = node.object.metadata;
  const states = ownersOf(node.object).map((owner) => ({ owner, state: graph.stateOf(node, owner) }));
  if (deletionTimestamp !== undefined && !finalizers.includes(FOREGROUND)) return;
  await reportInvalid(collector, node, states);
  const has = (state: OwnerState): boolean => states.some((each) => each.state === state);
  if (has('unknown') || has('invalid')) return;
  const removable = states.filter(({ state }) => state !== 'alive').map(({ owner }) => owner.uid);
  if (removable.length === 0) return;
  if (has('alive')) return dropOwners(env, node, removable);
  if (deletionTimestamp !== undefined) return;
  const isInForeground = has('waiting') && graph.dependentsOf(uid).length > 0;
  await systemDelete(env, node.key, {
    propagationPolicy: isInForeground ? 'Foreground' : policyOf(finalizers),
    preconditions: has('waiting') ? { uid } : { uid, resourceVersion },
  });
}

/** What the object's own finalizers ask for. */
function policyOf(finalizers: readonly string[]): string {
  if (finalizers.includes(ORPHAN)) return 'Orphan';
  return finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background';
}

function dropOwners(env: Environment, node: Node, uids: readonly string[]): Promise<void> {
  return systemUpdate(env, node.key, {}, ({ metadata }) => {
    const before = metadata.ownerReferences ?? [];
    const kept = before.filter((owner) => !uids.includes(owner.uid));
    if (metadata.uid !== node.object.metadata.uid || kept.length === before.length) return false;
    if (kept.length > 0) metadata.ownerReferences = kept;
    else delete metadata.ownerReferences;
    return true;
  });
}

function dropFinalizer(env: Environment, node: Node, finalizer: string): Promise<void> {
  return systemUpdate(env, node.key, {}, ({ metadata }) => {
    if (metadata.uid !== node.object.metadata.uid || metadata.finalizers?.includes(finalizer) !== true) return false;
    metadata.finalizers = metadata.finalizers.filter((each) => each !== finalizer);
    return true;
  });
}

/** An owner of a wrong scope, or in another namespace, is told in an Event, once (GC-04). */
async function reportInvalid(
  { env, graph, reported }: Collector,
  node: Node,
  states: readonly { readonly owner: OwnerReference; readonly state: OwnerState }[],
): Promise<void> {
  for (const { owner, state } of states) {
    const isElsewhere = state === 'absent' && graph.get(owner.uid) !== undefined;
    const id = `${node.object.metadata.uid ?? ''} ${owner.uid}`;
    if ((state !== 'invalid' && !isElsewhere) || reported.has(id)) continue;
    reported.add(id);
    await writeEvent(env, node, owner);
  }
}

async function writeEvent(env: Environment, { key, object }: Node, owner: OwnerReference): Promise<void> {
  const events = env.catalog.find('', 'events');
  if (events === undefined) return;
  const namespace = key.namespace === '' ? 'default' : key.namespace;
  const now = rfc3339(env.world.clock.now());
  const { apiVersion, kind, metadata } = object;
  await createObject(env, systemContext(events, namespace, ''), {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, generateName: `${key.name}.` },
    involvedObject: { apiVersion, kind, name: key.name, uid: metadata.uid ?? '', ...(key.namespace === '' ? {} : { namespace }) },
    reason: 'OwnerRefInvalidNamespace',
    message: `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: ${key.namespace}, name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace "${key.namespace}"`,
    type: 'Warning',
    source: { component: 'garbage-collector-controller' },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  });
}
