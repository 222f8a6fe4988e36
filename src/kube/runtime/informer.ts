import { boundedCache } from '../../base/cache/index.ts';
import { messageOf } from '../../base/errors/index.ts';
import type { Log } from '../../base/log/index.ts';
import type { World } from '../../base/world/index.ts';
import { isKindNotServed, listAll, type Cluster, type WatchEvent } from '../client/index.ts';
import { isExpired, type KubeObject } from '../objects/index.ts';
import { backoffMs } from './backoff.ts';
import type { WatchMapping } from './types.ts';

/** Which objects an informer follows. */
export interface Selection {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A copy of part of the cluster that follows its changes. Objects are frozen. */
export interface Informer {
  readonly selection: Selection;
  get(namespace: string | undefined, name: string): KubeObject | undefined;
  /** In order of namespace and name. */
  list(namespace?: string): readonly KubeObject[];
  /** When an object last changed here, as a position of the shared sequence; 0 when that is not known. */
  lastChange(namespace: string | undefined, name: string): number;
  /** Calls `listener` for every change. With `replay` the objects that are there already come first, as ADDED. */
  subscribe(listener: (event: WatchMapping) => void, options?: { readonly replay?: boolean }): () => void;
  /** Resolves after the first list, or once it is known that nothing serves the kind yet. */
  readonly settled: Promise<void>;
  /** Follows the cluster until the signal fires. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface InformerOptions {
  readonly cluster: Cluster;
  readonly world: World;
  readonly log: Log;
  /** Gives the next position of the sequence that informers share. */
  readonly nextPosition: () => number;
}

/** client-go's reflector waits this long between failures. */
const RETRY = { minMs: 800, maxMs: 30_000 };
/** A stream that lives this long counts as a success. */
const HEALTHY_MS = 2_000;
const MIN_WATCH_SECONDS = 300;
/** A server that does not end a watch in time is taken for dead. */
const WATCH_GRACE_MS = 30_000;
const REMEMBERED_DELETIONS = 1_000;

interface Entry {
  readonly object: KubeObject;
  readonly position: number;
}

/** Lists, then watches from there on; lists again when the history is gone, and reports what was missed. */
export function informer(selection: Selection, options: InformerOptions): Informer {
  const { cluster, world, nextPosition } = options;
  const log = options.log.with({ watchedKind: selection.kind, watchedApiVersion: selection.apiVersion });
  const entries = new Map<string, Entry>();
  const deletions = boundedCache<string, number>({ maxEntries: REMEMBERED_DELETIONS });
  const listeners = new Set<(event: WatchMapping) => void>();
  const settled = Promise.withResolvers<void>();
  let version: string | undefined;

  const deliver = (event: WatchMapping): void => {
    for (const listener of listeners) listener(event);
  };
  const put = (object: KubeObject): void => {
    const key = keyOf(object);
    const old = entries.get(key)?.object;
    if (old !== undefined && sameVersion(old, object)) return;
    entries.set(key, { object, position: nextPosition() });
    deliver(old === undefined ? { type: 'ADDED', object } : { type: 'MODIFIED', object, old });
  };
  const remove = (object: KubeObject): void => {
    const key = keyOf(object);
    const old = entries.get(key)?.object;
    if (old === undefined) return;
    entries.delete(key);
    deletions.set(key, nextPosition());
    deliver({ type: 'DELETED', object, old });
  };

  const list = async (signal: AbortSignal): Promise<void> => {
    const found = await listAll(cluster, selection, { ...filtersOf(selection), signal });
    const seen = new Set(found.items.map(keyOf));
    for (const object of found.items) put(object);
    for (const [key, { object }] of entries) if (!seen.has(key)) remove(object);
    version = found.resourceVersion;
    settled.resolve();
  };
  const onEvent = ({ type, object }: WatchEvent): void => {
    if (type === 'DELETED') remove(object);
    else if (type !== 'BOOKMARK') put(object);
    version = object.metadata.resourceVersion ?? version;
  };
  const follow = async (signal: AbortSignal): Promise<void> => {
    if (version === undefined) await list(signal);
    const timeoutSeconds = MIN_WATCH_SECONDS + world.random.below(MIN_WATCH_SECONDS);
    const stop = new AbortController();
    const deadline = world.clock.after(timeoutSeconds * 1000 + WATCH_GRACE_MS, () => stop.abort());
    try {
      const watched = {
        ...filtersOf(selection),
        ...(version === undefined ? {} : { resourceVersion: version }),
        allowWatchBookmarks: true,
        timeoutSeconds,
        signal: AbortSignal.any([signal, stop.signal]),
      };
      for await (const event of cluster.watch(selection, watched)) onEvent(event);
    } finally {
      deadline.cancel();
    }
  };
  const onFailure = (error: unknown): void => {
    if (isExpired(error)) {
      version = undefined;
    } else if (isKindNotServed(error)) {
      // Whoever waits for the first list would wait for a CRD that may never be installed.
      settled.resolve();
      log.debug('nothing serves this kind yet');
    } else {
      log.info('cannot follow objects, trying again', { error: messageOf(error) });
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    for (let failures = 0; !signal.aborted;) {
      const startedAt = world.clock.monotonic();
      await follow(signal).catch(onFailure);
      failures = world.clock.monotonic() - startedAt >= HEALTHY_MS ? 0 : failures + 1;
      if (failures > 1) await pause(world, backoffMs(failures - 1, RETRY), signal);
    }
    settled.resolve();
  };

  return {
    selection,
    run,
    settled: settled.promise,
    get: (namespace, name) => entries.get(`${namespace ?? ''}/${name}`)?.object,
    list: (namespace) =>
      [...entries.keys()]
        .filter((key) => namespace === undefined || key.startsWith(`${namespace}/`))
        .toSorted()
        .flatMap((key) => entries.get(key)?.object ?? []),
    lastChange: (namespace, name) => {
      const key = `${namespace ?? ''}/${name}`;
      return entries.get(key)?.position ?? deletions.get(key) ?? 0;
    },
    subscribe: (listener, { replay = false } = {}) => {
      listeners.add(listener);
      if (replay) for (const { object } of entries.values()) listener({ type: 'ADDED', object });
      return () => void listeners.delete(listener);
    },
  };
}

/** Sleeps between half and all of `ms`, or until the signal fires. */
async function pause({ clock, random }: World, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms * (0.5 + random.number() / 2), signal).catch(() => undefined); // stopped: the caller looks at the signal
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
}

function filtersOf({ namespace, labelSelector, fieldSelector }: Selection): Omit<Selection, 'apiVersion' | 'kind'> {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}
