import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compareNatural, parseYaml, sortKeys, stringifyYaml, type YamlValue } from './index.ts';

/** Each line checked against kustomize 5.8.1. */
const scalars: readonly [value: Exclude<YamlValue, bigint>, text: string][] = [
  ['', '""'],
  ['a', 'a'],
  ['yes', '"yes"'],
  ['y', '"y"'],
  ['nULL', 'nULL'],
  ['0x1F', '"0x1F"'],
  ['08', '"08"'],
  ['5.', '"5."'],
  ['.5_0', '".5_0"'],
  ['._5', '._5'],
  ['0o8', '0o8'],
  ['1e400', '1e400'],
  ['2020-01-02', '"2020-01-02"'],
  ['2020-13-02', '2020-13-02'],
  ['12:34:56', '"12:34:56"'],
  ['<<', '<<'],
  ['=', '='],
  ['- a', "'- a'"],
  ['-a', '-a'],
  ['? x', "'? x'"],
  ['a: b', "'a: b'"],
  ['a:b', 'a:b'],
  ['a #b', "'a #b'"],
  ['---', "'---'"],
  ["it's", "it's"],
  ["'q'", "'''q'''"],
  [' a', "' a'"],
  ['tab\there', '"tab\\there"'],
  ['\u0007\u001b\r', '"\\a\\e\\r"'],
  ['\u{1F600}é', '"\\U0001F600é"'],
  ['a\\b', 'a\\b'],
  ['line\nbreak', '|-\n  line\n  break'],
  ['x\n', '|\n  x'],
  ['x\n\n', '|+\n  x\n'],
  ['\n', '|2+\n'],
  [' x\ny', '|2-\n   x\n  y'],
  ['sp \nx', '"sp \\nx"'],
  ['a\tb\n', '"a\\tb\\n"'],
  ['a\u2028b', '"a\\Lb"'],
  [1.5e6, '1500000'],
  [1234567.5, '1.2345675e+06'],
  [1e20, '1e+20'],
  [1e-6, '1e-06'],
  [null, 'null'],
  [true, 'true'],
  [[], '[]'],
  [{}, '{}'],
];

describe('stringifyYaml', () => {
  it.each(scalars)('KZ-17: %j', (value, text) => {
    expect(stringifyYaml({ k: value })).toBe(`k: ${text}\n`);
  });

  it('KZ-17: writes integers up to uint64 exactly', () => {
    expect(stringifyYaml([18446744073709551615n, -9223372036854775808n])).toBe('- 18446744073709551615\n- -9223372036854775808\n');
  });

  it('leaves undefined fields out', () => {
    expect(stringifyYaml({ a: undefined, b: 1 })).toBe('b: 1\n');
  });

  it('KZ-17: puts lists at the column of their key and nested collections on the line of their dash', () => {
    const value = { l: [1, [2, [3]], { a: 1, b: { c: 2 } }, {}], m: { n: [{ o: [] }] } };
    expect(stringifyYaml(value)).toBe('l:\n- 1\n- - 2\n  - - 3\n- a: 1\n  b:\n    c: 2\n- {}\nm:\n  "n":\n  - o: []\n');
  });

  it('KZ-17: writes long and multi-line keys behind a question mark', () => {
    const long = 'k'.repeat(129);
    expect(stringifyYaml({ [long]: 1, ['a\nb']: { c: [1] }, ['k'.repeat(128)]: 2 })).toBe(
      `? |-\n  a\n  b\n: c:\n  - 1\n${'k'.repeat(128)}: 2\n? ${long}\n: 1\n`,
    );
  });

  it('KZ-17: folds beyond 80 columns at single spaces', () => {
    const words = `${'word '.repeat(20)}end`;
    expect(stringifyYaml({ k: words })).toBe(`k: ${'word '.repeat(15)}word\n  ${'word '.repeat(4)}end\n`);
    expect(stringifyYaml({ k: `: ${words}` })).toBe(`k: ': ${'word '.repeat(15)}word\n  ${'word '.repeat(4)}end'\n`);
    expect(stringifyYaml({ k: `\t${'x'.repeat(80)}  y` })).toBe(`k: "\\t${'x'.repeat(80)}\n  \\ y"\n`);
  });

  it('KZ-17: orders keys naturally', () => {
    const keys = ['a10', 'a2', 'b9', 'b', 'b10', 'b_', '_a', 'A', '-a', '.a', 'a1', 'é', '10', '2'];
    expect(sortKeys(keys)).toEqual(['-a', '.a', '_a', '2', '10', 'A', 'a1', 'a2', 'a10', 'b', 'b_', 'b9', 'b10', 'é']);
  });

  it('gives one order for keys that upstream prints in random order', () => {
    const keys = ['a1', 'a01', 'a001', 'a10', 'a1b2'];
    const orders = new Set([keys, keys.toReversed(), keys.toSorted()].map((input) => sortKeys(input).join(' ')));
    expect(orders.size).toBe(1);
  });

  it('compares antisymmetrically', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '0', '1', '9', '_', '-', '.'), maxLength: 6 });
    fc.assert(fc.property(key, key, (a, b) => Math.sign(compareNatural(a, b)) === -Math.sign(compareNatural(b, a)) || a === b));
  });

  it('is read back as the same value', () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from(' \n\t:#-?,[]{}&*!|>\'"%@`\\abzAZ019_.=~+/é\u{1F600}\u0085\u2028')),
      maxLength: 120,
    });
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.constantFrom('yes', '0755', '1e3', '2020-01-02', '~', ''),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(text, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (original) => {
        const plain = JSON.parse(JSON.stringify(original)) as YamlValue;
        for (const profile of ['goYaml3', 'yaml11'] as const) {
          expect(parseYaml(stringifyYaml({ k: plain, l: [plain] }), { profile })[0]?.value).toEqual({ k: plain, l: [plain] });
        }
      }),
      { numRuns: 300 },
    );
  });
});
