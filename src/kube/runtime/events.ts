import { boundedCache } from '../../base/cache/index.ts';
import { messageOf } from '../../base/errors/index.ts';
import type { Log } from '../../base/log/index.ts';
import type { World } from '../../base/world/index.ts';
import type { Cluster } from '../client/index.ts';
import { isNotFound, type KubeObject, type ObjectRef } from '../objects/index.ts';
import { conditionTime } from './conditions.ts';
import { eventSink } from './sink.ts';

/** Trace events are core Events only and never reach the event sink. */
export type EventType = 'Normal' | 'Warning' | 'Trace';

/** Tells people and programs what happened to an object. */
export interface EventRecorder {
  /**
   * Records an event. Returns at once; failures to write are logged.
   *
   * @param metadata keys such as `kustomize.toolkit.fluxcd.io/revision`; written as annotations
   */
  event(object: KubeObject, type: EventType, reason: string, message: string, metadata?: Readonly<Record<string, string>>): void;
  /** Resolves when everything recorded so far has been written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly cluster: Cluster;
  readonly world: World;
  readonly log: Log;
  /** Name of the controller, such as `kustomize-controller`. */
  readonly component: string;
  /** Where events are posted besides (Flux's `--events-addr`); absent: nowhere. */
  readonly sinkUrl?: string;
}

/** Annotations of the object that travel with all its events (EVT-02). */
const EVENT_ANNOTATIONS = 'event.toolkit.fluxcd.io/';
const MAX_REMEMBERED = 4096;
/** client-go's aggregation: the eleventh similar event within ten minutes stands for all that follow. */
const MAX_SIMILAR = 10;
const SIMILAR_WINDOW_MS = 10 * 60_000;
const MAX_NAME_LENGTH = 253;

interface Recorded {
  readonly ref: ObjectRef;
  readonly firstTimestamp: string;
  count: number;
}

interface Similar {
  readonly messages: Set<string>;
  lastAt: number;
}

/** What one event says, before it is counted. */
interface Entry {
  readonly object: KubeObject;
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Records core/v1 Events with the metadata as annotations, and posts Normal and Warning ones to the sink (EVT-01).
 * An event that repeats is counted in the Event that is there already.
 */
export function eventRecorder(options: EventRecorderOptions): EventRecorder {
  const { world, log, sinkUrl, component } = options;
  const write = eventWriter(options);
  const post = sinkUrl === undefined ? undefined : eventSink({ url: sinkUrl, component, world });
  let written: Promise<void> = Promise.resolve();
  let posted: Promise<void> = Promise.resolve();
  const report =
    (what: string, { object, reason }: Entry) =>
    (error: unknown) =>
      log.info(what, { name: object.metadata.name, namespace: object.metadata.namespace, reason, error: messageOf(error) });

  return {
    event: (object, type, reason, message, metadata = {}) => {
      const entry: Entry = { object, type, reason, message, metadata: { ...metadata, ...ownAnnotations(object) } };
      written = written.then(() => write(entry)).catch(report('cannot record an event', entry));
      if (post === undefined || type === 'Trace') return;
      const timestamp = conditionTime(world.clock.now());
      const severity = type === 'Warning' ? 'error' : 'info';
      posted = posted
        .then(() => post({ ...entry, severity, timestamp, involvedObject: involvedObjectOf(object) }))
        .catch(report('cannot post an event', entry));
    },
    flush: async () => {
      await Promise.all([written, posted]);
    },
  };
}

function eventWriter({ cluster, world, component }: EventRecorderOptions): (entry: Entry) => Promise<void> {
  const recorded = boundedCache<string, Recorded>({ maxEntries: MAX_REMEMBERED });
  const similar = boundedCache<string, Similar>({ maxEntries: MAX_REMEMBERED });
  let sequence = 0;

  /** Many messages that differ only in details become one. */
  const aggregate = (entry: Entry): Entry => {
    const key = keyOf(entry, '');
    const now = world.clock.now();
    const known = similar.get(key);
    const group = known !== undefined && now - known.lastAt <= SIMILAR_WINDOW_MS ? known : { messages: new Set<string>(), lastAt: now };
    group.lastAt = now;
    similar.set(key, group);
    if (group.messages.has(entry.message)) return entry;
    if (group.messages.size >= MAX_SIMILAR) return { ...entry, message: `(combined from similar events): ${entry.message}` };
    group.messages.add(entry.message);
    return entry;
  };

  const create = async (entry: Entry, key: string, now: string): Promise<void> => {
    sequence += 1;
    const namespace = entry.object.metadata.namespace ?? 'default';
    // Nanoseconds of which the last digits count: several events may fall into one millisecond.
    const suffix = (BigInt(world.clock.now()) * 1_000_000n + BigInt(sequence % 1_000_000)).toString(16);
    const name = `${(entry.object.metadata.name ?? '').slice(0, MAX_NAME_LENGTH - suffix.length - 1)}.${suffix}`;
    await cluster.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace, ...(Object.keys(entry.metadata).length === 0 ? {} : { annotations: { ...entry.metadata } }) },
      involvedObject: involvedObjectOf(entry.object),
      reason: entry.reason,
      message: entry.message,
      source: { component },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type: entry.type === 'Warning' ? 'Warning' : 'Normal',
      reportingComponent: component,
      reportingInstance: '',
    });
    recorded.set(key, { ref: { apiVersion: 'v1', kind: 'Event', namespace, name }, firstTimestamp: now, count: 1 });
  };

  return async (single) => {
    const entry = aggregate(single);
    const isCombined = entry !== single;
    const key = keyOf(entry, isCombined ? '(combined)' : entry.message);
    const now = conditionTime(world.clock.now());
    const known = recorded.get(key);
    if (known === undefined) return create(entry, key, now);
    try {
      const patch = { count: known.count + 1, lastTimestamp: now, message: entry.message };
      await cluster.patch(known.ref, 'merge', patch);
      known.count += 1;
      return undefined;
    } catch (error) {
      // Events expire after an hour.
      if (!isNotFound(error)) throw error;
      return create(entry, key, now);
    }
  };
}

/** Equal for events that count as one. */
function keyOf({ object, type, reason, metadata }: Entry, message: string): string {
  const { namespace, name, uid } = object.metadata;
  return JSON.stringify([object.apiVersion, object.kind, namespace, name, uid, type, reason, message === '' ? '' : [message, metadata]]);
}

/** A core/v1 ObjectReference. */
function involvedObjectOf(object: KubeObject): Record<string, string> {
  const { namespace, name = '', uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

function ownAnnotations({ metadata }: KubeObject): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith(EVENT_ANNOTATIONS)));
}
