import { describe, expect, it } from 'vitest';

import { environmentOf, parsePlain } from './index.ts';

const read = (yaml: string): Readonly<Record<string, string>> =>
  environmentOf(parsePlain(new TextEncoder().encode(yaml), 'yaml'), () => undefined);

describe('a file as environment variables', () => {
  it('SOPS-57: values as dotenv files have them, comments left out, the first document only', () => {
    expect(read('# c\na: x\nf: 1.0\ng: 1e30\nb: true\nn: null\nt: 2024-01-01T00:00:00.5Z\n---\nz: 1\n')).toEqual({
      a: 'x',
      f: '1.0',
      g: '1E+30',
      b: 'true',
      n: '',
      t: '2024-01-01T00:00:00Z',
    });
  });

  it.each([
    ['l: [secret]', 'cannot use complex value in environment; offending key l'],
    ['m: {k: secret}', 'offending key m'],
    ['"a=b": secret', "cannot use keys with '=' in environment: a=b"],
    ['a: "sec\\0ret"', 'cannot use a NUL byte in environment'],
  ])('SOPS-57: refuses %s, without the value', (yaml, message) => {
    expect(() => read(yaml)).toThrow(message);
    expect(() => read(yaml)).not.toThrow('secret');
  });
});
