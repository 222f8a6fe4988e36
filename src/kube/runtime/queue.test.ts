import { describe, expect, it } from 'vitest';

import { virtualWorld } from '../../base/world/index.ts';
import { backoffMs, jitter, RETRY } from './backoff.ts';
import { workQueue } from './queue.ts';
import type { Request } from './types.ts';

const request = (name: string): Request => ({ namespace: 'n', name });

/** A queue whose runs last `lastsMs`; `log` says when each began and ended. */
function start(concurrency: number, lastsMs = 10) {
  const world = virtualWorld({ seed: 1 });
  const log: string[] = [];
  const begin = world.clock.now();
  const at = (): number => world.clock.now() - begin;
  const queue = workQueue({
    clock: world.clock,
    concurrency,
    run: async ({ name }) => {
      log.push(`${at()} ${name}`);
      await world.clock.sleep(lastsMs);
      log.push(`${at()} /${name}`);
    },
  });
  return { world, queue, log };
}

describe('workQueue', () => {
  it('collects before the start, then works in order of arrival, each request once', async () => {
    const { world, queue, log } = start(1);
    for (const name of ['b', 'a', 'b']) queue.add(request(name));
    await world.run(100);
    expect(log).toEqual([]);
    queue.start();
    await world.run(100);
    expect(log).toEqual(['100 b', '110 /b', '110 a', '120 /a']);
  });

  it('runs no more than its concurrency at once', async () => {
    const { world, queue, log } = start(2);
    for (const name of ['a', 'b', 'c']) queue.add(request(name));
    queue.start();
    await world.run(100);
    expect(log).toEqual(['0 a', '0 b', '10 /a', '10 c', '10 /b', '20 /c']);
  });

  it('never runs the same request twice at once, but once more when it came while running', async () => {
    const { world, queue, log } = start(5);
    queue.start();
    queue.add(request('a'));
    await world.run(5);
    queue.add(request('a'));
    queue.add(request('a'));
    await world.run(100);
    expect(log).toEqual(['0 a', '10 /a', '10 a', '20 /a']);
  });

  it('keeps the earliest of several later times, and none once the request has run', async () => {
    const { world, queue, log } = start(1, 0);
    queue.start();
    queue.addAfter(request('a'), 500);
    queue.addAfter(request('a'), 100);
    queue.addAfter(request('a'), 300);
    queue.addAfter(request('b'), 400);
    await world.run(50);
    queue.add(request('b'));
    await world.run(1000);
    expect(log).toEqual(['50 b', '50 /b', '100 a', '100 /a']);
  });

  it('SRC-12: backs off from 750 ms to 15 minutes, and starts anew after forget', () => {
    const { queue } = start(1);
    const delays = Array.from({ length: 13 }, () => queue.retry(request('a')) / 1000);
    expect(delays).toEqual([0.75, 1.5, 3, 6, 12, 24, 48, 96, 192, 384, 768, 900, 900]);
    expect(queue.retry(request('b'))).toBe(750);
    queue.forget(request('a'));
    expect(queue.retry(request('a'))).toBe(750);
    expect(backoffMs(5000, RETRY)).toBe(900_000);
  });

  it('stops: what runs may finish, nothing else begins', async () => {
    const { world, queue, log } = start(1);
    queue.start();
    queue.add(request('a'));
    queue.add(request('b'));
    queue.addAfter(request('c'), 20);
    await world.run(5);
    let isIdle = false;
    void queue.stop().then(() => (isIdle = true));
    await world.run(1);
    expect(isIdle).toBe(false);
    queue.add(request('d'));
    await world.run(100);
    expect(isIdle).toBe(true);
    expect(log).toEqual(['0 a', '10 /a']);
  });

  it('is idle at once when nothing runs', async () => {
    await start(1).queue.stop();
  });
});

describe('jitter', () => {
  it('SRC-12: moves an interval by up to the percentage in both directions', () => {
    const { random } = virtualWorld({ seed: 7 });
    const values = Array.from({ length: 1000 }, () => jitter(60_000, 5, random));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(57_000);
    expect(Math.min(...values)).toBeLessThan(57_200);
    expect(Math.max(...values)).toBeGreaterThan(62_800);
    expect(Math.max(...values)).toBeLessThanOrEqual(63_000);
    expect(jitter(60_000, 0, random)).toBe(60_000);
  });
});
