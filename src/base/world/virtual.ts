import { aborted, SottoError } from '../errors/index.ts';
import { seededRandom } from './random.ts';
import type { Clock, Fetch, Timer, World } from './types.ts';

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

export interface VirtualWorldOptions {
  readonly seed: number;
  /** Virtual time at the start, milliseconds since the epoch. Default 2026-01-01T00:00:00Z. */
  readonly start?: number;
  readonly fetch?: Fetch;
}

export interface VirtualWorld extends World {
  /**
   * Lets virtual time pass until `done` holds, checked whenever everything is still, or until
   * `forMs` have passed. Returns whether `done` held (true when no condition is given).
   */
  run(forMs: number, done?: () => boolean): Promise<boolean>;
}

const DEFAULT_START = Date.UTC(2026, 0, 1);

/**
 * A world in which time passes only when nothing else can happen. Timers fire in order of due time, then
 * of creation; completions of {@link World.outside} arrive in call order while time stands still. Two
 * runs with the same seed therefore take the same steps.
 */
export function virtualWorld(options: VirtualWorldOptions): VirtualWorld {
  let now = options.start ?? DEFAULT_START;
  let order = 0;
  const timers = timerHeap();
  let turns: (() => void)[] = [];
  const outside = outsideQueue();

  const after = (ms: number, fn: () => void): Timer => {
    const entry: Pending = { due: now + Math.max(0, ms), order: order++, fn, cancelled: false };
    timers.push(entry);
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  };

  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(aborted());
        const stop = (): void => {
          timer.cancel();
          reject(aborted());
        };
        const timer = after(ms, () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        });
        signal?.addEventListener('abort', stop, { once: true });
      }),
    turn: () => new Promise((resolve) => turns.push(resolve)),
  };

  /** Runs everything that is ready at this instant, outside work included. */
  const settle = async (): Promise<void> => {
    for (;;) {
      await realTurn();
      if (turns.length > 0) {
        const ready = turns;
        turns = [];
        for (const resolve of ready) resolve();
      } else if (!(await outside.deliverNext())) {
        return;
      }
    }
  };

  const run = async (forMs: number, done?: () => boolean): Promise<boolean> => {
    const end = now + forMs;
    for (;;) {
      await settle();
      if (done?.() === true) return true;
      const next = timers.pop();
      if (next === undefined || next.due > end) {
        if (next !== undefined) timers.push(next);
        now = end;
        return done === undefined;
      }
      now = Math.max(now, next.due);
      next.fn();
    }
  };

  return {
    clock,
    random: seededRandom(options.seed),
    fetch:
      options.fetch ?? (() => Promise.reject(new SottoError('NETWORK_UNREACHABLE', 'this simulation has no network', { retry: true }))),
    stdin: Object.assign((async function* () {})(), { isTTY: false }),
    stdout: silent(),
    stderr: silent(),
    env: {},
    cwd: '/',
    outside: outside.run,
    run,
  };
}

function realTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function silent(): World['stdout'] {
  return { write: () => {}, isTTY: false, columns: 80 };
}

/** Work off the thread, whose results are handed over one at a time, in call order. */
function outsideQueue(): { run: World['outside']; deliverNext(): Promise<boolean> } {
  const queue: { finished: Promise<void>; deliver: () => void }[] = [];
  const run = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      let deliver = (): void => {};
      const finished = work().then(
        (value) => {
          deliver = () => resolve(value);
        },
        (error: unknown) => {
          deliver = () => reject(error);
        },
      );
      queue.push({ finished, deliver: () => deliver() });
    });
  const deliverNext = async (): Promise<boolean> => {
    const first = queue.shift();
    if (first === undefined) return false;
    await first.finished;
    first.deliver();
    return true;
  };
  return { run, deliverNext };
}

/** A binary heap ordered by due time, then by creation. */
function timerHeap(): { push(entry: Pending): void; pop(): Pending | undefined } {
  const heap: Pending[] = [];
  const before = (a: number, b: number): boolean => {
    const [x, y] = [heap[a] as Pending, heap[b] as Pending];
    return x.due < y.due || (x.due === y.due && x.order < y.order);
  };
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b] as Pending, heap[a] as Pending];
  };
  const push = (entry: Pending): void => {
    heap.push(entry);
    for (let i = heap.length - 1, up = (i - 1) >> 1; i > 0 && before(i, up); i = up, up = (i - 1) >> 1) swap(i, up);
  };
  const popAny = (): Pending | undefined => {
    const [top] = heap;
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    heap[0] = last;
    for (let i = 0; ;) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = i;
      if (left < heap.length && before(left, least)) least = left;
      if (right < heap.length && before(right, least)) least = right;
      if (least === i) return top;
      swap(i, least);
      i = least;
    }
  };
  const pop = (): Pending | undefined => {
    for (let next = popAny(); ; next = popAny()) if (next?.cancelled !== true) return next;
  };
  return { push, pop };
}
