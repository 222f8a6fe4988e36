import type { Clock, Random, Timer } from '../../base/world/index.ts';
import { apiErrors, type KubeObject, type Status } from '../../kube/objects/index.ts';
import type { Store, StoreEvent } from '../store/index.ts';
import type { Selector } from './selectors.ts';

/** A watcher that is this many events behind is dropped. */
const WATCH_BUFFER = 16_384;
/** Time between bookmarks, and before the end of a watch, at which one is sent. */
const BOOKMARK_MS = 60_000;
const LAST_BOOKMARK_MS = 2_000;
const DEFAULT_TIMEOUT_MS = 30 * 60_000;
/** Marks the bookmark after the initial events (LIST-12). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** One frame of a watch, before it is shown in a version or as a table. */
export interface Frame {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject | Status;
}

export interface WatchRequest {
  /** Name in the store. */
  readonly resource: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly selects: Selector;
  readonly resourceVersion: number;
  readonly bookmarks: boolean;
  /** Start with the current objects, and a bookmark that says so. */
  readonly initialEvents: boolean;
  /** 0: the server decides. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** An open watch: frames until somebody ends it. */
export interface WatchStream {
  readonly frames: AsyncIterable<Frame>;
  /** Ends the stream after the frames that are queued. */
  end(): void;
  /** Breaks the stream off as a lost connection would. */
  drop(error: unknown): void;
  /** Resolves when the stream has ended, however. */
  readonly closed: Promise<void>;
}

/** Opens a watch (LIST-07 … LIST-12). It sees every event after its start once, in order. */
export function openWatch(env: { store: Store; clock: Clock; random: Random }, request: WatchRequest): WatchStream {
  const { store, clock } = env;
  const queue = frameQueue();
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<void>();
  let last = request.resourceVersion;
  const timers = new Set<Timer>();
  const send = (frame: Frame): void => {
    if (!queue.push(frame)) stop();
  };
  const sendEvent = (event: StoreEvent): void => {
    if (event.revision <= last) return;
    last = event.revision;
    const frame = frameOf(event, request);
    if (frame !== undefined) send(frame);
  };
  const stop = (): void => {
    unsubscribe();
    unsubscribePublished();
    for (const timer of timers) timer.cancel();
    request.signal.removeEventListener('abort', stop);
    queue.end();
    resolveClosed();
  };
  const later = (ms: number, run: () => void): void => {
    const timer = clock.after(ms, () => {
      timers.delete(timer);
      run();
    });
    timers.add(timer);
  };
  const bookmark = (annotations?: Record<string, string>): void =>
    send({ type: 'BOOKMARK', object: bookmarkOf(request, Math.max(last, request.resourceVersion), annotations) });
  const unsubscribe = store.subscribe(request.resource, sendEvent);
  let published = 0;
  const unsubscribePublished = request.bookmarks ? store.subscribe(undefined, (event) => void (published = event.revision)) : () => {};

  const start = (): void => {
    const past = request.initialEvents ? undefined : store.since(request.resource, request.resourceVersion);
    if (request.initialEvents) {
      for (const object of store.list(request.resource, request.namespace)) if (request.selects(object)) send({ type: 'ADDED', object });
      last = store.revision;
      if (request.bookmarks) bookmark({ [INITIAL_EVENTS_END]: 'true' });
    } else if (past === undefined) {
      const message = `too old resource version: ${request.resourceVersion} (${store.oldest(request.resource)})`;
      send({ type: 'ERROR', object: apiErrors.expired(message).status });
      return stop();
    } else for (const event of past) sendEvent(event);
    schedule();
  };
  const schedule = (): void => {
    const timeout = request.timeoutMs > 0 ? request.timeoutMs : DEFAULT_TIMEOUT_MS * (1 + env.random.number());
    later(timeout, stop);
    if (!request.bookmarks) return;
    const repeat = (): void => {
      // Everything up to the store's revision has been published once nothing is waiting to be committed.
      last = Math.max(last, published);
      bookmark();
      later(BOOKMARK_MS, repeat);
    };
    later(BOOKMARK_MS, repeat);
    if (timeout > LAST_BOOKMARK_MS) later(timeout - LAST_BOOKMARK_MS, () => bookmark());
  };
  request.signal.addEventListener('abort', stop, { once: true });
  if (request.signal.aborted) stop();
  else start();
  return { frames: queue.frames(stop), end: stop, drop: (error) => (queue.fail(error), stop()), closed };
}

/** The frame that this watch's selection makes of an event (LIST-09). */
function frameOf(event: StoreEvent, request: WatchRequest): Frame | undefined {
  if (request.namespace !== undefined && event.namespace !== request.namespace) return undefined;
  const { previous, object, type } = event;
  const isIn = type !== 'DELETED' && request.selects(object);
  const wasIn = previous !== undefined && request.selects(previous);
  if (isIn) return { type: wasIn ? 'MODIFIED' : 'ADDED', object };
  if (!wasIn) return undefined;
  if (type === 'DELETED') return { type, object };
  return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion: String(event.revision) } } };
}

function bookmarkOf(request: WatchRequest, revision: number, annotations?: Record<string, string>): KubeObject {
  const { apiVersion, kind } = request;
  return { apiVersion, kind, metadata: { resourceVersion: String(revision), ...(annotations === undefined ? {} : { annotations }) } };
}

interface FrameQueue {
  /** False when the reader is too far behind. */
  push(frame: Frame): boolean;
  end(): void;
  fail(error: unknown): void;
  frames(onReturn: () => void): AsyncIterable<Frame>;
}

function frameQueue(): FrameQueue {
  let waiting: Frame[] = [];
  let wake: (() => void) | undefined;
  let isEnded = false;
  let failure: { readonly error: unknown } | undefined;
  const signal = (): void => {
    wake?.();
    wake = undefined;
  };
  async function* read(onReturn: () => void): AsyncGenerator<Frame> {
    try {
      for (;;) {
        const batch = waiting;
        waiting = [];
        yield* batch;
        if (failure !== undefined) throw failure.error;
        if (waiting.length > 0) continue;
        if (isEnded) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      onReturn();
    }
  }
  return {
    push: (frame) => {
      if (isEnded) return true;
      waiting.push(frame);
      signal();
      return waiting.length <= WATCH_BUFFER;
    },
    end: () => {
      isEnded = true;
      signal();
    },
    fail: (error) => {
      failure = { error };
      waiting = [];
      signal();
    },
    frames: (onReturn) => read(onReturn),
  };
}
