import { describe, expect, it } from 'vitest';

import { dependencyCycle, notReadyError } from './causes.ts';
import type { Standing } from './state.ts';

const standing = (name: string, state: Standing['state'], more: Partial<Standing> = {}): Standing => ({
  key: `Kustomization/flux-system/${name}`,
  kind: 'Kustomization',
  namespace: 'flux-system',
  name,
  state,
  word: '',
  revision: '',
  why: more.message ?? '',
  reason: '',
  message: '',
  objects: 0,
  dependsOn: [],
  ...more,
});

describe('the error that ends --once', () => {
  it('TRM-06: root causes first, counts in place of repetition, one hint', () => {
    const all = [
      standing('a', 'failed', { message: 'post build failed: variable not set (strict mode): "X"' }),
      standing('b', 'waiting', { dependsOn: ['flux-system/a'] }),
      standing('c', 'ready'),
    ];
    const error = notReadyError(all, false);
    expect(error.message).toBe(
      '1 of 3 failed, 1 waits for them; first: Kustomization flux-system/a: post build failed: variable not set (strict mode): "X"',
    );
    expect(error.hint).toBe('define the variable in spec.postBuild, or give it a default: ${NAME:=value}');
  });

  it('a time-out says what still worked', () => {
    expect(notReadyError([standing('a', 'working')], true)).toMatchObject({
      message: '1 still working when time was up',
      hint: expect.stringContaining('--timeout') as string,
    });
  });
});

describe('dependencyCycle', () => {
  it.each([
    [
      [
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
      ],
      ['flux-system/a', 'flux-system/b', 'flux-system/c', 'flux-system/a'],
    ],
    [[['a', 'a']], ['flux-system/a', 'flux-system/a']],
    [
      [
        ['a', 'b'],
        ['b', 'elsewhere'],
      ],
      undefined,
    ],
  ])('%o → %o', (edges, cycle) => {
    const waiting = edges.map(([name = '', on = '']) => standing(name, 'waiting', { dependsOn: [`flux-system/${on}`] }));
    expect(dependencyCycle(waiting)).toEqual(cycle);
  });
});
