import { SottoError } from '../../base/errors/index.ts';
import type { Clock } from '../../base/world/index.ts';
import { apiErrors, deepFreeze, type KubeObject } from '../../kube/objects/index.ts';
import { history, type History } from './history.ts';
import { keyOf, objectIndex, type ObjectIndex } from './objects.ts';
import type { Journal, Row, Store, StoreEvent, StoreKey } from './types.ts';

interface Table {
  readonly objects: ObjectIndex;
  readonly history: History;
}

type Listener = (event: StoreEvent) => void;

/**
 * The state of a cluster: everything in memory, every write also in the journal. Writes of one turn of the event
 * loop share one transaction; watchers see them when it is committed.
 */
export function createStore(options: { readonly clock: Clock; readonly journal: Journal }): Store {
  const { clock, journal } = options;
  const tables = new Map<string, Table>();
  const listeners = new Map<string | undefined, Set<Listener>>();
  let revision = 0;
  let floor = 0;
  let pending: StoreEvent[] = [];
  let flushing: Promise<void> | undefined;
  let closed = false;

  const tableOf = (resource: string): Table => {
    const known = tables.get(resource);
    if (known !== undefined) return known;
    const table = { objects: objectIndex(), history: history(clock, floor) };
    tables.set(resource, table);
    return table;
  };

  const restore = (row: Row): void => {
    revision = row.revision;
    const { objects } = tableOf(row.resource);
    const key = keyOf(row.namespace, row.name);
    deepFreeze(row.object);
    replayed.push({ ...eventOf(row, row.object, objects.get(key)), type: typeOf(row) });
    if (row.deleted) objects.delete(key);
    else objects.set(key, row.object);
  };
  const replayed: StoreEvent[] = [];
  floor = journal.load(restore);
  for (const name of tables.keys()) tables.set(name, { objects: tableOf(name).objects, history: history(clock, floor) });
  for (const event of replayed) if (event.revision > floor) tableOf(event.resource).history.push(event);
  replayed.length = 0;
  revision = Math.max(revision, floor);

  const publish = (events: readonly StoreEvent[]): void => {
    for (const event of events) {
      tableOf(event.resource).history.push(event);
      for (const listener of listeners.get(event.resource) ?? []) listener(event);
      for (const listener of listeners.get(undefined) ?? []) listener(event);
    }
  };

  const flush = async (): Promise<void> => {
    await clock.turn();
    const events = pending;
    pending = [];
    flushing = undefined;
    try {
      if (!closed) journal.append(events.map(rowOf));
    } catch (cause) {
      undo([...events, ...pending]);
      pending = [];
      throw new SottoError('CLUSTER_WRITE_FAILED', 'the write could not be stored in the cluster database', { cause, retry: true });
    }
    publish(events);
  };

  const undo = (events: readonly StoreEvent[]): void => {
    for (const { resource, namespace, name, previous } of events.toReversed()) {
      const { objects } = tableOf(resource);
      if (previous === undefined) objects.delete(keyOf(namespace, name));
      else objects.set(keyOf(namespace, name), previous);
    }
  };

  const record = (event: StoreEvent): KubeObject => {
    pending.push(event);
    flushing ??= flush();
    // Whoever needs to know awaits committed(); a write that nobody awaits must not end the process.
    flushing.catch(() => undefined);
    return event.object;
  };

  const stamp = (object: KubeObject): KubeObject => {
    revision++;
    object.metadata.resourceVersion = String(revision);
    return deepFreeze(object);
  };

  const get = ({ resource, namespace, name }: StoreKey): KubeObject | undefined =>
    tables.get(resource)?.objects.get(keyOf(namespace, name));

  const put: Store['put'] = (key, object, expected) => {
    if (closed) throw apiErrors.serviceUnavailable('the cluster is shutting down');
    const previous = get(key);
    if (previous !== expected) return undefined;
    const stored = stamp(object);
    tableOf(key.resource).objects.set(keyOf(key.namespace, key.name), stored);
    return record({ ...eventOf(key, stored, previous), revision, type: previous === undefined ? 'ADDED' : 'MODIFIED' });
  };

  const remove: Store['remove'] = (key, expected) => {
    if (closed) throw apiErrors.serviceUnavailable('the cluster is shutting down');
    const previous = get(key);
    if (previous === undefined || previous !== expected) return undefined;
    const last = stamp({ ...previous, metadata: { ...previous.metadata } });
    tableOf(key.resource).objects.delete(keyOf(key.namespace, key.name));
    return record({ ...eventOf(key, last, previous), revision, type: 'DELETED' });
  };

  const listAt: Store['listAt'] = (resource, at, namespace) => {
    const later = tableOf(resource).history.since(at);
    if (later === undefined) throw apiErrors.expired('The resourceVersion for the provided list is too old.');
    const objects = objectIndex();
    for (const object of tableOf(resource).objects.values())
      objects.set(keyOf(object.metadata.namespace ?? '', object.metadata.name ?? ''), object);
    const uncommitted = pending.filter((event) => event.resource === resource && event.revision > at);
    for (const event of [...later, ...uncommitted].toReversed()) {
      const key = keyOf(event.namespace, event.name);
      if (event.previous === undefined) objects.delete(key);
      else objects.set(key, event.previous);
    }
    return objects.values(namespace);
  };

  const subscribe: Store['subscribe'] = (resource, listener) => {
    const set = listeners.get(resource) ?? new Set();
    listeners.set(resource, set.add(listener));
    return () => void set.delete(listener);
  };

  return {
    get revision() {
      return revision;
    },
    get,
    list: (resource, namespace) => tables.get(resource)?.objects.values(namespace) ?? [],
    listAt,
    resources: () => [...tables].filter(([, table]) => table.objects.size > 0).map(([name]) => name),
    put,
    remove,
    committed: () => flushing ?? Promise.resolve(),
    since: (resource, from) => tableOf(resource).history.since(from),
    oldest: (resource) => tableOf(resource).history.floor,
    subscribe,
    close: async () => {
      if (closed) return;
      await flushing?.catch(() => undefined);
      closed = true;
      journal.close();
    },
  };
}

function eventOf(key: StoreKey & { revision?: number }, object: KubeObject, previous: KubeObject | undefined): Omit<StoreEvent, 'type'> {
  const { resource, namespace, name, revision = 0 } = key;
  return { resource, namespace, name, revision, object, ...(previous === undefined ? {} : { previous }) };
}

function typeOf(row: Row): StoreEvent['type'] {
  if (row.deleted) return 'DELETED';
  return row.previousRevision === 0 ? 'ADDED' : 'MODIFIED';
}

function rowOf(event: StoreEvent): Row {
  const { resource, namespace, name, revision, object, previous } = event;
  const previousRevision = Number(previous?.metadata.resourceVersion ?? 0);
  return { resource, namespace, name, revision, object, deleted: event.type === 'DELETED', previousRevision };
}
