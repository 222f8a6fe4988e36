import type { Clock, Timer } from '../../base/world/index.ts';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 30_000;

/** Keys to work on, one at a time, each at most once in the queue. */
export interface Queue {
  add(key: string): void;
  addAfter(key: string, ms: number): void;
  stop(): void;
}

/**
 * A work queue on the world's clock. A key whose work throws comes back after a growing pause; `onError` hears of it.
 */
export function workQueue(clock: Clock, work: (key: string) => Promise<void>, onError: (key: string, error: unknown) => void): Queue {
  const waiting = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, Timer>();
  let isRunning = false;
  let isStopped = false;

  const run = async (): Promise<void> => {
    isRunning = true;
    await clock.turn();
    for (const key of waiting) {
      if (isStopped) break;
      waiting.delete(key);
      try {
        await work(key);
        failures.delete(key);
      } catch (error) {
        if (isStopped) break;
        onError(key, error);
        retry(key);
      }
    }
    isRunning = false;
  };
  const retry = (key: string): void => {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    addAfter(key, Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** count));
  };
  const add = (key: string): void => {
    if (isStopped) return;
    waiting.add(key);
    if (!isRunning) void run();
  };
  const addAfter = (key: string, ms: number): void => {
    timers.get(key)?.cancel();
    timers.set(
      key,
      clock.after(ms, () => {
        timers.delete(key);
        add(key);
      }),
    );
  };
  return {
    add,
    addAfter,
    stop: () => {
      isStopped = true;
      for (const timer of timers.values()) timer.cancel();
      waiting.clear();
    },
  };
}
