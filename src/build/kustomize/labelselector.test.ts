import { describe, expect, it } from 'vitest';

import { parseLabelSelector } from './labelselector.ts';

const LABELS = new Map([
  ['tier', 'web'],
  ['empty', ''],
  ['count', '7'],
  ['example.com/a', 'b'],
]);

describe('KZ-39: label selectors', () => {
  it.each([
    ['', true],
    ['tier', true],
    ['!tier', false],
    ['none', false],
    ['!none', true],
    ['tier=web', true],
    ['tier == web', true],
    ['tier!=web', false],
    ['none!=x', true],
    ['tier in (db, web)', true],
    ['tier in (db)', false],
    ['tier notin (db)', true],
    ['none notin (db)', true],
    ['empty=', true],
    ['empty in (,x)', true],
    ['count>6', true],
    ['count<7', false],
    ['tier>1', false],
    ['tier=web,count=7', true],
    ['tier=web,count=8', false],
    ['example.com/a=b', true],
  ])('%j matches: %s', (selector, matches) => {
    expect(parseLabelSelector(selector)(LABELS)).toBe(matches);
  });

  it.each(['=x', 'a in b', 'a in (b', 'a b', ',', 'a=b,', '-a=b', 'a>x', '()'])('%j is refused', (selector) => {
    const run = (): boolean => parseLabelSelector(selector)(LABELS);
    if (selector === 'a=b,') expect(run()).toBe(false);
    else expect(run).toThrow(/^unable to parse requirement/);
  });
});
