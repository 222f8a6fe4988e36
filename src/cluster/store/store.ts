import { SottoError } from '../../base/errors/index.ts';
import type { Clock } from '../../base/world/index.ts';
import { apiErrors, deepFreeze, type KubeObject } from '../../kube/objects/index.ts';
import { history, type History } from './history.ts';
import { keyOf, objectIndex, type ObjectIndex } from './objects.ts';
import type { Journal, Row, Store, StoreEvent, StoreKey } from './types.ts';

/** The objects of one resource, and their recent past. */
interface Table {
  readonly objects: ObjectIndex;
  readonly history: History;
}

type Listener = (event: StoreEvent) => void;

/**
 * The state of a cluster: everything in memory, every write also in the journal. Writes of one turn of the event
 * loop share one transaction; watchers see them when it is committed.
 *
 * @throws SottoError what the journal throws while it loads
 */
export function createStore(options: { readonly clock: Clock; readonly journal: Journal }): Store {
  return new JournaledStore(options.clock, options.journal);
}

class JournaledStore implements Store {
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #tables = new Map<string, Table>();
  readonly #listeners = new Map<string | undefined, Set<Listener>>();
  /** The highest revision whose superseded content is gone. */
  readonly #floor: number;
  #revision = 0;
  /** Written but not committed. */
  #pending: StoreEvent[] = [];
  #flushing: Promise<void> | undefined;
  #isClosed = false;
  /** Why the last commit, that of closing, failed. */
  #lastFailure: unknown;

  constructor(clock: Clock, journal: Journal) {
    this.#clock = clock;
    this.#journal = journal;
    const rows: Row[] = [];
    this.#floor = journal.load((row) => rows.push(row));
    for (const row of rows) this.#restore(row);
    this.#revision = Math.max(this.#revision, this.#floor);
  }

  get revision(): number {
    return this.#revision;
  }

  get({ resource, namespace, name }: StoreKey): KubeObject | undefined {
    return this.#tables.get(resource)?.objects.get(keyOf(namespace, name));
  }

  list(resource: string, namespace?: string): readonly KubeObject[] {
    return this.#tables.get(resource)?.objects.values(namespace) ?? [];
  }

  /** The current objects with every later event undone. */
  listAt(resource: string, revision: number, namespace?: string): readonly KubeObject[] {
    const table = this.#table(resource);
    const later = table.history.since(revision);
    if (later === undefined) throw apiErrors.expired('The resourceVersion for the provided list is too old.');
    const objects = objectIndex();
    for (const object of table.objects.values()) objects.set(keyOf(object.metadata.namespace ?? '', object.metadata.name ?? ''), object);
    const uncommitted = this.#pending.filter((event) => event.resource === resource && event.revision > revision);
    for (const event of [...later, ...uncommitted].toReversed()) undo(objects, event);
    return objects.values(namespace);
  }

  resources(): readonly string[] {
    return [...this.#tables].filter(([, table]) => table.objects.size > 0).map(([name]) => name);
  }

  put(key: StoreKey, object: KubeObject, expected: KubeObject | undefined): KubeObject | undefined {
    this.#checkOpen();
    const previous = this.get(key);
    if (previous !== expected) return undefined;
    const stored = this.#stamp(object);
    this.#table(key.resource).objects.set(keyOf(key.namespace, key.name), stored);
    return this.#record(eventOf(key, previous === undefined ? 'ADDED' : 'MODIFIED', this.#revision, stored, previous));
  }

  remove(key: StoreKey, expected: KubeObject): KubeObject | undefined {
    this.#checkOpen();
    const previous = this.get(key);
    if (previous === undefined || previous !== expected) return undefined;
    const last = this.#stamp({ ...previous, metadata: { ...previous.metadata } });
    this.#table(key.resource).objects.delete(keyOf(key.namespace, key.name));
    return this.#record(eventOf(key, 'DELETED', this.#revision, last, previous));
  }

  committed(): Promise<void> {
    return this.#flushing ?? Promise.resolve();
  }

  since(resource: string, revision: number): readonly StoreEvent[] | undefined {
    return this.#table(resource).history.since(revision);
  }

  oldest(resource: string): number {
    return this.#table(resource).history.floor;
  }

  subscribe(resource: string | undefined, listener: Listener): () => void {
    const set = this.#listeners.get(resource) ?? new Set();
    this.#listeners.set(resource, set.add(listener));
    return () => void set.delete(listener);
  }

  /** Commits what is pending at once: nobody may be there to let the turn end. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    try {
      this.#commit();
    } catch (error) {
      // The writers are told when they wait for their commit.
      this.#lastFailure = error;
    }
    this.#journal.close();
    return Promise.resolve();
  }

  #table(resource: string): Table {
    const known = this.#tables.get(resource);
    if (known !== undefined) return known;
    const table = { objects: objectIndex(), history: history(this.#clock, this.#floor) };
    this.#tables.set(resource, table);
    return table;
  }

  /** Replays a row of the journal. */
  #restore(row: Row): void {
    const { objects, history: past } = this.#table(row.resource);
    const key = keyOf(row.namespace, row.name);
    const previous = objects.get(key);
    deepFreeze(row.object);
    this.#revision = row.revision;
    if (row.revision > this.#floor) past.push(eventOf(row, typeOf(row), row.revision, row.object, previous));
    if (row.deleted) objects.delete(key);
    else objects.set(key, row.object);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw apiErrors.serviceUnavailable('the cluster is shutting down');
  }

  #stamp(object: KubeObject): KubeObject {
    this.#revision++;
    object.metadata.resourceVersion = String(this.#revision);
    return deepFreeze(object);
  }

  #record(event: StoreEvent): KubeObject {
    this.#pending.push(event);
    this.#flushing ??= this.#flush();
    // Whoever needs to know awaits committed(); a write that nobody awaits must not end the process.
    this.#flushing.catch(() => undefined);
    return event.object;
  }

  async #flush(): Promise<void> {
    await this.#clock.turn();
    this.#flushing = undefined;
    if (this.#lastFailure !== undefined) throw this.#lastFailure;
    this.#commit();
  }

  /** Stores everything that was written in this turn, then tells it. */
  #commit(): void {
    const events = this.#pending;
    this.#pending = [];
    if (events.length === 0) return;
    try {
      this.#journal.append(events.map(rowOf));
    } catch (cause) {
      for (const event of events.toReversed()) undo(this.#table(event.resource).objects, event);
      throw new SottoError('CLUSTER_WRITE_FAILED', 'the write could not be stored in the cluster database', { cause, retry: true });
    }
    for (const event of events) this.#publish(event);
  }

  #publish(event: StoreEvent): void {
    this.#table(event.resource).history.push(event);
    for (const listener of this.#listeners.get(event.resource) ?? []) listener(event);
    for (const listener of this.#listeners.get(undefined) ?? []) listener(event);
  }
}

/** Puts back what was there before an event. */
function undo(objects: ObjectIndex, { namespace, name, previous }: StoreEvent): void {
  if (previous === undefined) objects.delete(keyOf(namespace, name));
  else objects.set(keyOf(namespace, name), previous);
}

function eventOf(
  { resource, namespace, name }: StoreKey,
  type: StoreEvent['type'],
  revision: number,
  object: KubeObject,
  previous: KubeObject | undefined,
): StoreEvent {
  return { resource, namespace, name, type, revision, object, ...(previous === undefined ? {} : { previous }) };
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
