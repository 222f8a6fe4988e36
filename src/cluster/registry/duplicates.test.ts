import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { duplicateKeys } from './duplicates.ts';

describe('duplicate keys', () => {
  it.each([
    ['{"a":1,"a":2}', ['a']],
    ['{"a":{"b":1,"b":2},"c":[{"d":1},{"d":1,"d":2}]}', ['a.b', 'c[1].d']],
    ['{"a":"a","b":"a"}', []],
    [String.raw`{"a":"\",\"a\":","\u0061":1}`, ['a']],
    ['[[1,2],[{"x":1,"x":1}]]', ['[1][0].x']],
    ['[{"a":1},{"a":2}]', []],
    ['"a"', []],
    ['{"":1,"":2}', ['']],
  ])('%s: %j', (text, expected) => {
    expect(duplicateKeys(text)).toEqual(expected);
  });

  it('what JSON.stringify writes has none', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(duplicateKeys(JSON.stringify(JSON.parse(text)))).toEqual([]);
      }),
    );
  });
});
