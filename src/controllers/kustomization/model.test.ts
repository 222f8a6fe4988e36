import { describe, expect, it } from 'vitest';

import { retryIntervalOf, timeoutOf, type Spec } from './model.ts';

const spec = (fields: Partial<Spec>): Spec => ({
  interval: '10m',
  prune: true,
  sourceRef: { kind: 'GitRepository', name: 'a' },
  ...fields,
});

describe('durations of the spec', () => {
  it.each([
    ['interval less 30 s', {}, 570],
    ['never under 30 s', { interval: '40s' }, 30],
    ['as given', { timeout: '2m' }, 120],
    ['raised when given too small', { timeout: '5s' }, 30],
  ])('flux/KS-06: the timeout is %s', (_, fields, seconds) => {
    expect(timeoutOf(spec(fields)) / 1000).toBe(seconds);
  });

  it('flux/KS-05: the retry interval is the interval unless it is given', () => {
    expect(retryIntervalOf(spec({}))).toBe(600_000);
    expect(retryIntervalOf(spec({ retryInterval: '1m30s' }))).toBe(90_000);
  });
});
