import type { Clock, Timer } from '../../base/world/index.ts';
import { backoffMs, RETRY, type BackoffOptions } from './backoff.ts';
import { requestKey } from './requests.ts';
import type { Request } from './types.ts';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** How many requests may run at once. */
  readonly concurrency: number;
  readonly retry?: BackoffOptions;
  /** Must not reject. */
  readonly run: (request: Request) => Promise<void>;
}

/**
 * Requests waiting to be worked on, in order of arrival. A request is there at most once; one that arrives while it
 * runs is run again afterwards, never twice at once.
 */
export interface WorkQueue {
  add(request: Request): void;
  /** Adds later, unless the request runs earlier for another reason. Milliseconds. */
  addAfter(request: Request, ms: number): void;
  /** Adds after a delay that doubles with every call until {@link forget}. Returns the delay. */
  retry(request: Request): number;
  /** Forgets the failures of a request. */
  forget(request: Request): void;
  /** Begins to work; until then requests are only collected. */
  start(): void;
  /** Begins nothing any more. Resolves when everything that runs has finished. */
  stop(): Promise<void>;
}

interface Item {
  readonly request: Request;
  isQueued: boolean;
  isRunning: boolean;
  failures: number;
  timer: { readonly due: number; readonly timer: Timer } | undefined;
}

export function workQueue({ clock, concurrency, retry = RETRY, run }: WorkQueueOptions): WorkQueue {
  const items = new Map<string, Item>();
  const waiting: Item[] = [];
  let running = 0;
  let state: 'collecting' | 'working' | 'stopped' = 'collecting';
  const idle = Promise.withResolvers<void>();

  const itemOf = (request: Request): Item => {
    const key = requestKey(request);
    const item = items.get(key) ?? { request, isQueued: false, isRunning: false, failures: 0, timer: undefined };
    items.set(key, item);
    return item;
  };
  const dropIfUnused = (item: Item): void => {
    if (!item.isQueued && !item.isRunning && item.failures === 0 && item.timer === undefined) items.delete(requestKey(item.request));
  };
  const cancelTimer = (item: Item): void => {
    item.timer?.timer.cancel();
    item.timer = undefined;
  };

  /** The next request that may begin. */
  const take = (): Item | undefined => {
    if (state !== 'working' || running >= concurrency) return undefined;
    const next = waiting.findIndex((item) => !item.isRunning);
    return next < 0 ? undefined : waiting.splice(next, 1)[0];
  };
  const pump = (): void => {
    for (let item = take(); item !== undefined; item = take()) void work(item);
  };
  const work = async (item: Item): Promise<void> => {
    item.isQueued = false;
    item.isRunning = true;
    running += 1;
    cancelTimer(item);
    try {
      // Whoever adds a request never runs part of it.
      await Promise.resolve();
      await run(item.request);
    } finally {
      item.isRunning = false;
      running -= 1;
      dropIfUnused(item);
      if (state === 'stopped' && running === 0) idle.resolve();
      pump();
    }
  };

  const add = (request: Request): void => {
    const item = itemOf(request);
    if (item.isQueued || state === 'stopped') return;
    item.isQueued = true;
    waiting.push(item);
    pump();
  };
  const addAfter = (request: Request, ms: number): void => {
    const item = itemOf(request);
    const due = clock.now() + ms;
    if (state === 'stopped' || (item.timer !== undefined && item.timer.due <= due)) return;
    cancelTimer(item);
    const timer = clock.after(ms, () => {
      item.timer = undefined;
      add(request);
    });
    item.timer = { due, timer };
  };

  return {
    add,
    addAfter,
    retry: (request) => {
      const item = itemOf(request);
      item.failures += 1;
      const delay = backoffMs(item.failures, retry);
      addAfter(request, delay);
      return delay;
    },
    forget: (request) => {
      const item = itemOf(request);
      item.failures = 0;
      dropIfUnused(item);
    },
    start: () => {
      if (state === 'collecting') state = 'working';
      pump();
    },
    stop: () => {
      state = 'stopped';
      for (const item of items.values()) cancelTimer(item);
      if (running === 0) idle.resolve();
      return idle.promise;
    },
  };
}
