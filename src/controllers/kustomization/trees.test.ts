import { describe, expect, it } from 'vitest';

import { memoryTree, type Tree } from '../../base/files/index.ts';
import { treeCache } from './trees.ts';

const tree = (): Tree => memoryTree(new Map());
const never = (): Promise<Tree> => Promise.reject(new Error('loaded again'));

describe('the trees of sources', () => {
  it('one digest is loaded once, also by calls at the same time', async () => {
    const cache = treeCache(2);
    const first = cache.load('a', '1', async () => tree());
    expect(await cache.load('a', '1', never)).toBe(await first);
  });

  it('another digest takes the place of the old one', async () => {
    const cache = treeCache(2);
    const [one, two] = [tree(), tree()];
    await cache.load('a', '1', async () => one);
    expect(await cache.load('a', '2', async () => two)).toBe(two);
    await expect(cache.load('a', '1', never)).rejects.toThrow('loaded again');
  });

  it('a failure is not kept, and the least recently used source goes first', async () => {
    const cache = treeCache(2);
    await expect(cache.load('a', '1', never)).rejects.toThrow('loaded again');
    for (const name of ['a', 'b', 'a', 'c']) await cache.load(name, '1', async () => tree());
    await cache.load('a', '1', never);
    await expect(cache.load('b', '1', never)).rejects.toThrow('loaded again');
  });
});
