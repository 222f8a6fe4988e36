import { describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { parseDocuments, parseYaml, toJson, type ParseOptions, type YamlDocument, type YamlMap, type YamlNode } from './index.ts';

const v3: ParseOptions = { profile: 'goYaml3', file: 'f.yaml' };

function errorOf(text: string, options: ParseOptions = v3): SottoError {
  try {
    parseYaml(text, options);
  } catch (error) {
    if (error instanceof SottoError) return error;
    throw error;
  }
  throw new Error('no error');
}

function rootMap(text: string): YamlMap {
  const root = parseDocuments(text, v3)[0]?.root;
  if (root?.kind !== 'map') throw new Error('no map');
  return root;
}

/** Which node holds the comment ` x`: `above k`, or the name of the last item before it in its collection. */
function placeOf(document: YamlDocument | undefined): string | undefined {
  if (document?.trailingComments.includes(' x') === true) return 'end';
  const visit = (node: YamlNode): string | undefined => {
    if (node.comments?.includes(' x') === true) return `above ${nameOf(node)}`;
    if (node.kind === 'scalar') return undefined;
    const items = node.kind === 'map' ? node.items.flatMap(({ key, value }) => [key, value]) : node.items;
    const last = node.kind === 'map' ? node.items.at(-1)?.key : node.items.at(-1);
    return node.footComments?.includes(' x') === true ? nameOf(last) : items.map(visit).find((place) => place !== undefined);
  };
  return document?.root === undefined ? undefined : visit(document.root);
}

const nameOf = (node: YamlNode | undefined): string => (node?.kind === 'scalar' ? node.text : '');

const keys = (map: YamlMap): YamlNode[] => map.items.map(({ key }) => key);
const values = (map: YamlMap): YamlNode[] => map.items.map(({ value }) => value);

describe('parseDocuments', () => {
  it('gives every document with the line of its content', () => {
    const documents = parseYaml('# c\na: 1\n---\n\nb: 2\n---\n---\nnull\n', v3);
    expect(documents.map(({ line }) => line)).toEqual([2, 5, 6, 8]);
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, { b: 2 }, undefined, null]);
  });

  it.each(['', '\n \n', '# only a comment\n'])('finds no document in %j', (text) => {
    expect(parseDocuments(text, v3)).toEqual([]);
  });

  it('keeps source text, style, tag and position of scalars', () => {
    const map = rootMap('a: 0x1F\nb: "0x1F"\nc: |\n  t\nd: !foo x\n');
    expect(values(map)).toMatchObject([
      { text: '0x1F', style: 'plain', tag: '!!int', line: 1, column: 4 },
      { text: '0x1F', style: 'double', tag: '!!str', line: 2 },
      { text: 't\n', style: 'literal', tag: '!!str' },
      { text: 'x', tag: '!foo' },
    ]);
  });

  const broken: readonly [title: string, text: string, code: string, line: number][] = [
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', 'YAML_DUPLICATE_KEY', 3],
    ['a mapping on the line of its key', 'a: b: c', 'YAML_SYNTAX', 1],
    ['an open bracket', 'a: 1\nb: [x', 'YAML_SYNTAX', 2],
    ['an open quote', 'a: "x', 'YAML_SYNTAX', 1],
    ['a tab for indentation', 'a:\n\tb: 1', 'YAML_SYNTAX', 2],
    ['an unknown anchor', 'a: *x', 'YAML_SYNTAX', 1],
    ['an anchor inside itself', 'a: &a [*a]', 'YAML_SYNTAX', 1],
    ['a value that does not fit its tag', 'x: 1\na: !!int s3cret', 'YAML_TAG', 2],
    ['deep flow nesting', '['.repeat(5000), 'YAML_LIMIT', 1],
    ['deep block nesting', Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), 'YAML_LIMIT', 501],
    ['a merge of a scalar', 'a: {<<: 1}', 'YAML_MERGE', 1],
    ['infinity', 'a: .inf', 'YAML_VALUE', 1],
  ];
  it.each(broken)('reports %s with file and line', (_title, text, code, line) => {
    const error = errorOf(text);
    expect(error).toMatchObject({ code, at: { file: 'f.yaml', line } });
  });

  it('names both lines of a duplicate key', () => {
    expect(errorOf('a: 1\n"a": 2\n').message).toBe('mapping key "a" already defined at line 1');
  });

  it('lets the last duplicate win when asked', () => {
    expect(parseYaml('a: 1\nb: 2\na: 3\n', { profile: 'yaml11', duplicateKeys: 'last' })[0]?.value).toEqual({ a: 3, b: 2 });
  });

  it('never quotes the text in an error', () => {
    const texts = [
      'a: "hunter2 \\q"',
      'a: hunter2: x',
      'a: !!int hunter2',
      'a: [hunter2',
      'hunter2\na: 1',
      '@hunter2',
      'a: *hunter2x\n hunter2',
    ];
    for (const text of texts) expect(errorOf(text).message.replace("'hunter2x'", '')).not.toContain('hunter2');
  });

  it('stops alias bombs by the number of nodes', () => {
    const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(10).fill(`*l${n}`).join(', ')}]`);
    expect(errorOf(['l0: &l0 lol', ...levels].join('\n')).code).toBe('YAML_LIMIT');
  });

  it('expands aliases into copies', () => {
    const map = rootMap('a: &x {b: 1}\nc: *x\n');
    expect(values(map)[0]).not.toBe(values(map)[1]);
    expect(toJson(map, v3)).toEqual({ a: { b: 1 }, c: { b: 1 } });
  });

  it('reads a megabyte in linear time', () => {
    const item = '- name: foo\n  value: "bar baz"\n  list: [1, 2] # c\n';
    const documents = parseDocuments(`items:\n${item.repeat(20_000)}`, v3);
    expect(values(documents[0]?.root as YamlMap)[0]).toMatchObject({ items: { length: 20_000 } });
  });
});

describe('hostile text ends quickly', () => {
  it.each([
    ['brackets', '['.repeat(50_000)],
    ['dashes', '- '.repeat(50_000)],
    ['anchors', '&a '.repeat(20_000)],
    ['escaped line breaks', `"${'\\\n'.repeat(50_000)}"`],
    ['blank lines of a literal', `a: |\n${' \n'.repeat(50_000)}`],
    ['comments', `a: 1\n${'  # c\n'.repeat(20_000)}b: 1`],
    ['documents', '---\n'.repeat(20_000)],
    ['keys of one mapping', Array.from({ length: 20_000 }, (_, index) => `k${index}: v`).join('\n')],
  ])('%s', { timeout: 10_000 }, (_title, text) => {
    try {
      parseYaml(text, v3);
    } catch (error) {
      expect(error).toBeInstanceOf(SottoError);
    }
  });
});

describe('comments', () => {
  const text = `# top

# of a
a: 1 # behind a
b: # behind b
  # of c
  c: x
  # foot of b
# of d
d:
- x # behind x
# between
- [y] # behind flow
- k: 1
  # foot of the item
# of e
e: | # header
  t
# end
`;
  const map = rootMap(text);
  const [a, b, d, e] = values(map);

  it('stand on the key or item below them', () => {
    expect(keys(map).map(({ comments }) => comments)).toEqual([[' top', ' of a'], undefined, [' of d'], [' of e']]);
    expect(keys(b as YamlMap)[0]?.comments).toEqual([' of c']);
    expect(d?.kind === 'sequence' && d.items[1]?.comments).toEqual([' between']);
  });

  it('behind a value are inline, behind a key without one on the key', () => {
    expect(a?.inlineComment).toBe(' behind a');
    expect(keys(map)[1]?.inlineComment).toBe(' behind b');
    expect(d?.kind === 'sequence' && d.items.map(({ inlineComment }) => inlineComment)).toEqual([' behind x', ' behind flow', undefined]);
    expect(e?.inlineComment).toBe(' header');
  });

  it('after the last item stay with the collection whose indentation they have', () => {
    expect(b?.footComments).toEqual([' foot of b']);
    expect(d?.kind === 'sequence' && d.items[2]?.footComments).toEqual([' foot of the item']);
    expect(parseDocuments(text, v3)[0]?.trailingComments).toEqual([' end']);
  });

  /** Where SOPS 3.13.3 puts the comment: in the collection of the key named, or above the next item. */
  const places: readonly [title: string, text: string, place: string][] = [
    ['directly below an inner item and left of it, another column follows', 'a:\n  b:\n    c: 1\n   # x\nd: 2\n', 'c'],
    ['below a blank line, at the column of the outer collection', 'a:\n  b: 1\n\n  # x\nc: 2\n', 'b'],
    ['at the column of the next item', 'a:\n  b: 1\n# x\nc: 2\n', 'above c'],
    ['with a blank line below, dedented', 'a:\n  b:\n    c: 1\n  # x\n\nd: 2\n', 'b'],
    ['at the end, dedented', 'a:\n  b:\n    c: 1\n  # x\n', 'b'],
    ['at the end, at the margin', 'a:\n  b: 1\n# x\n', 'end'],
    ['at the end behind a blank line', 'a:\n  b: 1\n\n  # x\n', 'end'],
    ['deeper than the item that follows it', 'a: 1\n  # x\nb: 2\n', 'above b'],
    ['inside brackets', 'a: [1,\n  # x\n  2]\n', 'above 2'],
    ['before a closing bracket', 'a: [1,\n  # x\n  ]\nb: 2\n', '1'],
  ];
  it.each(places)('sops c7: %s', (_title, text, place) => {
    expect(placeOf(parseDocuments(text, v3)[0])).toBe(place);
  });

  it('of a document before its first item survive the marker', () => {
    expect(keys(rootMap('# one\n---\n# two\na: 1\n'))[0]?.comments).toEqual([' one', ' two']);
  });
});

describe('toJson', () => {
  const merged = 'x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  c: 3\n  <<: [*x, *y]\n';

  it('KZ-18: expands merge keys; explicit keys win, then earlier entries of the list', () => {
    expect(parseYaml(merged, v3)[0]?.value).toMatchObject({ z: { a: 1, b: 1, c: 3 } });
  });

  it('keeps integers beyond 2^53 exact', () => {
    expect(parseYaml('[18446744073709551615, -9223372036854775808, 9007199254740991]', v3)[0]?.value).toEqual([
      18446744073709551615n,
      -9223372036854775808n,
      9007199254740991,
    ]);
  });

  it('makes __proto__ an ordinary key', () => {
    const value = parseYaml('__proto__: {x: 1}\n', v3)[0]?.value as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('KZ-18: timestamps become RFC 3339, an empty value in a flow mapping the empty string', () => {
    const value = parseYaml('a: 2020-01-02\nb: [2001-12-14 21:59:43.10, 2020-1-2]\nc: {d: , e}\nf:\n', v3)[0]?.value;
    expect(value).toEqual({
      a: '2020-01-02T00:00:00Z',
      b: ['2001-12-14 21:59:43.10', '2020-01-02T00:00:00Z'],
      c: { d: '', e: '' },
      f: null,
    });
  });

  it('keeps the text of timestamps where the caller says so', () => {
    const root = rootMap('m: {x: 1}\nn: 2020-01-02\no: 2020-01-02\n');
    expect(toJson(root, { profile: 'goYaml3', keepTimestamps: ([key]) => key === 'n' })).toMatchObject({
      n: '2020-01-02',
      o: '2020-01-02T00:00:00Z',
    });
  });

  it('KZ-B3: keys of other types become strings', () => {
    const text = '1: a\ntrue: b\n~: c\n1.10: d\n0x10: e\n';
    expect(parseYaml(text, v3)[0]?.value).toEqual({ 1: 'a', true: 'b', '~': 'c', '1.10': 'd', '0x10': 'e' });
    expect(parseYaml(text, { profile: 'yaml11' })[0]?.value).toEqual({ 1: 'a', true: 'b', null: 'c', 1.1: 'd', 16: 'e' });
  });

  it('kustomize c1.1: an unquoted key y is a boolean for the 1.1 reader', () => {
    expect(parseYaml('y: 1\nno: 2\n', { profile: 'yaml11' })[0]?.value).toEqual({ true: 1, false: 2 });
  });
});

it('thousands of levels on one line are a limit, not a full stack', () => {
  for (const levels of [600, 3000, 20_000]) {
    expect(() => parseDocuments('x: '.repeat(levels) + 'y', { profile: 'goYaml3', file: 'deep.yaml' })).toThrow(
      expect.objectContaining({ code: 'YAML_LIMIT' }),
    );
  }
});
