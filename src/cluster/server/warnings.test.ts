import { describe, expect, it } from 'vitest';

import type { ApiResponse } from '../../kube/client/index.ts';
import { warnings } from './warnings.ts';

const EMPTY: ApiResponse = { status: 200, headers: {}, body: { kind: 'none' } };
const headerFor = (...messages: string[]): string | undefined => {
  const warned = warnings();
  for (const message of messages) warned.add(message);
  return warned.addTo(EMPTY).headers['warning'];
};

describe('warnings', () => {
  it('REST-12: one header with code 299 and agent -, equal texts once, none without warnings', () => {
    expect(headerFor('a', 'b', 'a')).toBe('299 - "a", 299 - "b"');
    expect(headerFor()).toBeUndefined();
  });

  it('REST-12: quotes are escaped, and nothing can break out of the header', () => {
    expect(headerFor('say "x\\y"\r\nset-cookie: z')).toBe(String.raw`299 - "say \"x\\y\"  set-cookie: z"`);
    expect(headerFor('schön 😀')).toBe('299 - "schön ?"');
  });

  it('REST-12: more than 4,096 runes: items are cut to 256, and as many as fit are sent', () => {
    const long = Array.from({ length: 20 }, (_, i) => `${i}-${'x'.repeat(300)}`);
    const items = (headerFor(...long) ?? '').split(', ');
    expect(items).toHaveLength(16);
    expect(items.every((item) => item.length === '299 - ""'.length + 256)).toBe(true);
    // A single long one is not cut as long as all fit.
    expect(headerFor('y'.repeat(3000))).toHaveLength(3000 + '299 - ""'.length);
  });
});
