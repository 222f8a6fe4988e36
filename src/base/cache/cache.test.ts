import { expect, it } from 'vitest';

import { virtualWorld } from '../world/index.ts';
import { boundedCache } from './index.ts';

it('the least recently used entry goes first', () => {
  const cache = boundedCache<string, number>({ maxEntries: 2 });
  cache.set('a', 1);
  cache.set('b', 2);
  cache.get('a');
  cache.set('c', 3);
  expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual([1, undefined, 3, 2]);
});

it('entries end with their lifetime', async () => {
  const world = virtualWorld({ seed: 1 });
  const cache = boundedCache<string, number>({ maxEntries: 2, ttlMs: 1000, clock: world.clock });
  cache.set('a', 1);
  await world.run(999);
  expect(cache.get('a')).toBe(1);
  await world.run(2);
  expect(cache.get('a')).toBeUndefined();
});

it('concurrent loads of one key share one call, failures are not kept', async () => {
  const cache = boundedCache<string, number>({ maxEntries: 2 });
  let calls = 0;
  const load = (): Promise<number> => cache.load('a', () => Promise.resolve(++calls));
  expect(await Promise.all([load(), load(), load()])).toEqual([1, 1, 1]);
  await expect(cache.load('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await cache.load('b', () => Promise.resolve(7))).toBe(7);
});
