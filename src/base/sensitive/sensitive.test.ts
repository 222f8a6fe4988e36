import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { Sensitive, wipe } from './index.ts';

describe('Sensitive', () => {
  const secret = new Sensitive('hunter2');

  it.each([
    ['a join', ['', secret].join('')],
    ['String()', String(secret)],
    ['inspect', inspect({ secret })],
    ['inspect with everything shown', inspect(secret, { showHidden: true, depth: 9 })],
    ['toString', secret.toString()],
  ])('%s shows no value', (_name, shown) => {
    expect(shown).toContain('***');
    expect(shown).not.toContain('hunter2');
  });

  it('refuses to be serialised, so that *** is never applied as a password', () => {
    expect(() => JSON.stringify({ secret })).toThrow('without reveal()');
  });

  it('reveals the value, and what is computed from it stays wrapped', () => {
    expect(secret.reveal()).toBe('hunter2');
    expect(secret.map((value) => value.length).reveal()).toBe(7);
  });

  it('has no own property that a generic walk would find', () => {
    expect(Object.keys(secret)).toEqual([]);
    expect(structuredClone(Object.getOwnPropertyNames(secret))).toEqual([]);
  });
});

it('wipe overwrites bytes', () => {
  const bytes = new Uint8Array([1, 2, 3]);
  wipe(bytes);
  expect([...bytes]).toEqual([0, 0, 0]);
});
