import { aborted } from '../errors/index.ts';
import { systemRandom } from './random.ts';
import type { Clock, Output, World } from './types.ts';

/** The largest delay that a Node timer honours; longer sleeps are cut into pieces of it. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(aborted());
      const stop = (): void => {
        timer.cancel();
        reject(aborted());
      };
      const timer = after(
        ms,
        () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        },
        true,
      );
      signal?.addEventListener('abort', stop, { once: true });
    }),
  after: (ms, fn) => after(ms, fn, false),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

function after(ms: number, fn: () => void, keepAlive: boolean): { cancel(): void } {
  let handle: NodeJS.Timeout;
  const arm = (left: number): void => {
    const step = Math.min(left, LONGEST_TIMER_MS);
    handle = setTimeout(() => (left > step ? arm(left - step) : fn()), step);
    if (!keepAlive) handle.unref();
  };
  arm(Math.max(0, ms));
  return { cancel: () => clearTimeout(handle) };
}

function output(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    writeBytes: (bytes) => void stream.write(bytes),
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? 80;
    },
  };
}

/** The real world: this process's clock, streams, environment and network. */
export function systemWorld(): World {
  return {
    clock: systemClock,
    random: systemRandom(),
    fetch: (input, init) => fetch(input, init),
    stdin: process.stdin,
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    outside: (work) => work(),
  };
}
