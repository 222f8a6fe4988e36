import { describe, expect, it } from 'vitest';

import { parseJson, stringifyJson, type Json } from '../../kube/objects/index.ts';
import { applyJsonPatch, parseJsonPatch } from './json6902.ts';

const DOCUMENT = '{"a":{"b":1,"c/d":2,"m~n":3},"list":["x","y","z"],"n":null}';

function apply(operations: string, document = DOCUMENT): string {
  return stringifyJson(applyJsonPatch(parseJson(document), parseJsonPatch(operations, 'p.yaml') ?? []));
}

describe('KZ-38: operations', () => {
  it.each<[string, string, Json]>([
    ['- {op: add, path: /a/e, value: 5}', '/a/e', 5],
    ['- {op: add, path: /list/1, value: new}', '/list', ['x', 'new', 'y', 'z']],
    ['- {op: add, path: /list/-, value: new}', '/list', ['x', 'y', 'z', 'new']],
    ['- {op: add, path: /list/-1, value: new}', '/list', ['x', 'y', 'z', 'new']],
    ['- {op: add, path: /list/3, value: new}', '/list', ['x', 'y', 'z', 'new']],
    ['- {op: remove, path: /list/-1}', '/list', ['x', 'y']],
    ['- {op: replace, path: /list/-1, value: new}', '/list', ['x', 'y', 'new']],
    ['- {op: replace, path: /a/new, value: new}', '/a/new', 'new'],
    ['- {op: remove, path: /a/c~1d}', '/a/c~1d', null],
    ['- {op: replace, path: /a/m~0n, value: 4}', '/a/m~0n', 4],
    ['- {op: move, from: /a/b, path: /moved}', '/moved', 1],
    ['- {op: copy, from: /a, path: /list/0}', '/list/0/b', 1],
    ['- {op: copy, from: /a/none, path: /copied}', '/copied', null],
    ['- {op: add, path: /y, value: yes}', '/y', true],
    ['[{"op": "add", "path": "/y", "value": "yes"}]', '/y', 'yes'],
  ])('%s', (operations, path, value) => {
    const result = parseJson(apply(operations));
    expect(() => applyJsonPatch(result, [{ op: 'test', path, from: undefined, value }])).not.toThrow();
  });

  it.each([
    ['a missing key is null', '- {op: test, path: /a/none, value: null}'],
    ['a null is null', '- {op: test, path: /n, value: null}'],
    ['key order does not matter', '- {op: test, path: /a, value: {m~n: 3, b: 1, c/d: 2}}'],
  ])('test passes: %s', (_, operations) => {
    expect(apply(operations)).toBe(DOCUMENT);
  });

  it.each([
    ['- {op: add, path: /no/x, value: 1}', 'add operation does not apply: doc is missing path: "/no/x": missing value'],
    [
      '- {op: add, path: /list/9, value: 1}',
      "error in add for path: '/list/9': Unable to access invalid index: 9: invalid index referenced",
    ],
    ['- {op: remove, path: /a/no}', "error in remove for path: '/a/no': Unable to remove nonexistent key: no: missing value"],
    ['- {op: replace, path: /no/x, value: 1}', 'replace operation does not apply: doc is missing path: /no/x: missing value'],
    ['- {op: replace, path: /list/9, value: 1}', 'replace operation does not apply: doc is missing key: /list/9: missing value'],
    ['- {op: test, path: /a/b, value: s3cret}', 'testing value /a/b failed: test failed'],
    ['- {op: move, from: /a/no, path: /x}', "error in remove for path: '/a/no': Unable to remove nonexistent key: no: missing value"],
    ['- {op: frob, path: /a}', 'Unexpected kind: frob'],
  ])('%s fails', (operations, message) => {
    expect(() => apply(operations)).toThrow(message);
  });

  it('keeps integers beyond 2^53 exact', () => {
    expect(apply('- {op: add, path: /x, value: 12345678901234567890}', '{"big":9007199254740993}')).toBe(
      '{"big":9007199254740993,"x":12345678901234567890}',
    );
  });

  it('sets a key called __proto__ as an ordinary one', () => {
    const result = apply('[{"op":"add","path":"/a/__proto__","value":{"polluted":true}}]', '{"a":{}}');
    expect(result).toBe('{"a":{"__proto__":{"polluted":true}}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([['{a: b}'], ['text'], ['[1, 2]']])('%s is no list of operations', (text) => {
    expect(parseJsonPatch(text, 'p.yaml')).toBeUndefined();
  });
});
