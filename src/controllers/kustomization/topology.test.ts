import { describe, expect, it } from 'vitest';

import { orderByDependencies } from './topology.ts';

const node = (key: string, ...dependsOn: string[]) => ({ key, request: { namespace: 'n', name: key }, dependsOn });

describe('the order of a fan-out', () => {
  it('flux/KS-07: dependencies come first, those outside the fan-out do not count', () => {
    const order = orderByDependencies([node('c', 'b', 'elsewhere'), node('a'), node('b', 'a')]);
    expect(order).toEqual({ kind: 'ordered', requests: ['a', 'b', 'c'].map((name) => ({ namespace: 'n', name })) });
  });

  it('flux/KS-07: a cycle is told as a path', () => {
    expect(orderByDependencies([node('a', 'b'), node('b', 'c'), node('c', 'b')])).toEqual({ kind: 'cycle', keys: ['b', 'c', 'b'] });
  });
});
