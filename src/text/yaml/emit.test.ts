import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { emitNodes, fromJson, parseDocuments, parseYaml, type YamlValue } from './index.ts';

const emit = (text: string, indent?: number): string =>
  emitNodes(parseDocuments(text, { profile: 'goYaml3' }), { profile: 'goYaml3', ...(indent === undefined ? {} : { indent }) });
const emitJson = (value: YamlValue, indent = 4): string =>
  emitNodes([{ root: fromJson(value), trailingComments: [] }], { profile: 'goYaml3', indent });

describe('emitNodes', () => {
  it('sops c6.1: indents by multiples of four, two behind a dash', () => {
    const value = { a: [{ b: { c: [1] }, d: 2 }, [1, [2]]], e: {}, f: [] };
    expect(emitJson(value)).toBe('a:\n    - b:\n        c:\n            - 1\n      d: 2\n    - - 1\n      - - 2\ne: {}\nf: []\n');
    expect(emitJson(value, 2)).toBe('a:\n  - b:\n      c:\n        - 1\n    d: 2\n  - - 1\n    - - 2\ne: {}\nf: []\n');
    expect(emitJson(value, 12)).toBe(emitJson(value, 2));
  });

  /** Each line checked against SOPS 3.13. */
  const strings: readonly [value: string, text: string][] = [
    ['', '""'],
    ['yes', '"yes"'],
    ['y', '"y"'],
    ['0o17', '"0o17"'],
    ['2020-01-02', '"2020-01-02"'],
    ['12:34:56', '"12:34:56"'],
    ['1e400', '1e400'],
    ['<<', '!!merge <<'],
    ['- a', "'- a'"],
    ['a: b', "'a: b'"],
    ['a\tb', '"a\\tb"'],
    ['a\tb\nc', '|-\n    a\tb\n    c'],
    ['\u{1F600}', '"\\U0001F600"'],
    ['x\n\n', '|+\n    x\n'],
    ['sp \nx', '"sp \\nx"'],
    ['long '.repeat(40).trim(), 'long '.repeat(40).trim()],
  ];
  it.each(strings)('sops c6.1: %j', (value, text) => {
    expect(emitJson({ k: value })).toBe(`k: ${text}\n`);
  });

  it('sops c6.1: a literal that starts with a blank names its real indentation, in lists too', () => {
    const value = { k: ['\n x\n'], m: '  y\nz' };
    const text = emitJson(value);
    expect(text).toBe('k:\n    - |2\n\n       x\nm: |4-\n      y\n    z\n');
    expect(parseDocuments(text, { profile: 'goYaml3' })[0]?.root).toMatchObject({
      items: [{ value: { items: [{ text: '\n x\n' }] } }, { value: { text: '  y\nz' } }],
    });
  });

  it('sops c7: keeps comments where they were', () => {
    const text = `# top
a: 1 # behind a
b:
    # of c
    c: x
    # foot of b
# of d
d:
    - x # behind x
    # between
    - k: 1
      # foot of the item
e: | # header
    t
# end
`;
    expect(emit(text)).toBe(text);
  });

  it('sops c7: comments before the first key of a list item stand before its dash', () => {
    expect(emit('a:\n    -\n      # c\n      b: 1\n')).toBe('a:\n    # c\n    - b: 1\n');
  });

  it('separates documents, and writes an empty one as a mapping', () => {
    expect(emit('a: 1\n---\nb: 2\n---\n')).toBe('a: 1\n---\nb: 2\n---\n{}\n');
  });

  it('writes long keys behind a question mark', () => {
    const long = 'k'.repeat(129);
    expect(emitJson({ [long]: { a: 1 }, ['x\ny']: 1 })).toBe(`? ${long}\n:   a: 1\n? |-\n    x\n    y\n: 1\n`);
  });

  it('gives back what it wrote', () => {
    const text = emit('a: [1, {b: c}]\n"d": |+\n  x\n\n\n? {e: f}\n: g\n', 3);
    expect(emit(text, 3)).toBe(text);
  });

  it('is read back as the same value at every indentation', () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from(' \n\t:#-?,[]{}&*!|>\'"%@`\\abzAZ019_.=~+/é\u{1F600}\u0085\u2028\r\u007f')),
      maxLength: 60,
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
      fc.property(value, fc.integer({ min: 1, max: 10 }), (original, indent) => {
        const plain = JSON.parse(JSON.stringify({ k: original, l: [original] })) as YamlValue;
        expect(parseYaml(emitJson(plain, indent), { profile: 'goYaml3' })[0]?.value).toEqual(plain);
      }),
      { numRuns: 300 },
    );
  });

  it('moves no comment when what it wrote is read and written again', () => {
    const line = fc.constantFrom(
      'a: 1',
      'b:',
      '  c: 2',
      '  d:',
      '    - e',
      '    - f: 3',
      '      g: 4',
      '- h',
      '# x',
      '  # y',
      '    # z',
      '',
      'i: 5 # j',
      '  k: [] # l',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 14 }), (lines) => {
        let once: string;
        try {
          once = emit(`r: 0\n${lines.map((text, index) => text.replace(/[a-z](?=:)/, (key) => `${key}${index}`)).join('\n')}\n`, 2);
        } catch {
          return; // not YAML
        }
        expect(emit(once, 2)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});
