import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { parseJson, stringifyJson } from './json.ts';

describe('JSON with exact integers', () => {
  it.each(['9007199254740993', '-9223372036854775808', '18446744073709551615', '0', '1.5', '1e21', '12345678901234567890.5'])(
    '%s survives a round trip',
    (text) => {
      const value = parseJson(`{"n":${text}}`);
      expect(JSON.parse(stringifyJson(value))).toEqual(JSON.parse(`{"n":${text}}`));
      if (/^-?\d+$/.test(text)) expect(stringifyJson(value)).toBe(`{"n":${text}}`);
    },
  );

  it('__proto__ is an ordinary key', () => {
    const value = parseJson('{"__proto__":{"polluted":true}}') as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(stringifyJson(value)).toBe('{"__proto__":{"polluted":true}}');
  });

  it('what is not JSON is an error that does not quote it', () => {
    expect(() => parseJson('{"password": hunter2}')).toThrow(
      expect.objectContaining({ code: 'JSON_SYNTAX', message: expect.not.stringContaining('hunter2') as string }),
    );
  });

  it('a secret refuses to be written, beside a bigint too', () => {
    expect(() => stringifyJson({ secret: new Sensitive('x'), big: 1n })).toThrow('without reveal()');
  });

  it('any JSON text means the same after a round trip', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(stringifyJson(parseJson(text)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('indents', () => {
    expect(stringifyJson({ a: [1n] }, 1)).toBe('{\n "a": [\n  1\n ]\n}');
  });
});
