import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ApiError, applyJsonPatch, applyMergePatch, type Json, type JsonObject } from './index.ts';

function thrown(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

type Row = readonly [name: string, document: Json, patch: JsonObject[], result: Json];

const APPLIED: readonly Row[] = [
  ['adds a member', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
  ['replaces a member by add', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
  ['inserts into a list', { l: [1, 3] }, [{ op: 'add', path: '/l/1', value: 2 }], { l: [1, 2, 3] }],
  ['appends with -', { l: [1] }, [{ op: 'add', path: '/l/-', value: 2 }], { l: [1, 2] }],
  ['appends at the length', { l: [1] }, [{ op: 'add', path: '/l/1', value: 2 }], { l: [1, 2] }],
  [
    'removes',
    { a: 1, l: [1, 2] },
    [
      { op: 'remove', path: '/a' },
      { op: 'remove', path: '/l/0' },
    ],
    { l: [2] },
  ],
  ['replaces', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: null }], { a: { b: null } }],
  ['moves', { a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
  ['copies', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
  ['tests', { a: { b: [1] } }, [{ op: 'test', path: '/a', value: { b: [1] } }], { a: { b: [1] } }],
  [
    'unescapes ~1 and ~0',
    { 'a/b': 1, 'm~n': 2 },
    [
      { op: 'remove', path: '/a~1b' },
      { op: 'remove', path: '/m~0n' },
    ],
    {},
  ],
  ['reads ~01 as ~1', { '~1': 1 }, [{ op: 'remove', path: '/~01' }], {}],
  ['replaces the whole document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
  ['has an empty key', { '': 1 }, [{ op: 'replace', path: '/', value: 2 }], { '': 2 }],
  ['sets __proto__ as a key', {}, [{ op: 'add', path: '/__proto__', value: { x: 1 } }], JSON.parse('{"__proto__":{"x":1}}') as Json],
];

const FAILING: readonly (readonly [name: string, document: Json, patch: JsonObject[]])[] = [
  ['a test of another value', { a: 1 }, [{ op: 'test', path: '/a', value: 2 }]],
  ['a test of a missing value', {}, [{ op: 'test', path: '/a', value: null }]],
  ['a missing member', {}, [{ op: 'remove', path: '/a' }]],
  ['a replace of a missing member', {}, [{ op: 'replace', path: '/a', value: 1 }]],
  ['a missing parent', {}, [{ op: 'add', path: '/a/b', value: 1 }]],
  ['an index beyond the list', { l: [] }, [{ op: 'add', path: '/l/1', value: 1 }]],
  ['an index with a leading zero', { l: [1, 2] }, [{ op: 'remove', path: '/l/01' }]],
  ['a negative index', { l: [1] }, [{ op: 'remove', path: '/l/-1' }]],
  ['- where something must be', { l: [1] }, [{ op: 'remove', path: '/l/-' }]],
  ['a member of a text', { a: 'x' }, [{ op: 'add', path: '/a/b', value: 1 }]],
  ['a move into itself', { a: { b: {} } }, [{ op: 'move', from: '/a', path: '/a/b/c' }]],
  ['a member of the prototype', {}, [{ op: 'test', path: '/constructor', value: 1 }]],
  ['an own key of the prototype chain', {}, [{ op: 'add', path: '/__proto__/x', value: 1 }]],
];

describe('applyJsonPatch', () => {
  it.each(APPLIED)('PATCH-02: %s', (_name, document, patch, result) => {
    const before = JSON.stringify(document);
    expect(applyJsonPatch(document, patch)).toEqual(result);
    expect(JSON.stringify(document)).toBe(before);
  });

  it.each(FAILING)('PATCH-02: %s is a 422 with a fixed text', (_name, document, patch) => {
    const { status } = thrown(() => applyJsonPatch(document, patch));
    expect(status).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: 'the server rejected our request due to an error in our request',
    });
    expect(status.details?.causes).toBeUndefined();
  });

  it.each([
    ['an object', {}],
    ['an operation that is no object', [1]],
    ['an unknown op', [{ op: 'merge', path: '/a' }]],
    ['a missing path', [{ op: 'remove' }]],
    ['a path without slash', [{ op: 'remove', path: 'a' }]],
    ['a missing value', [{ op: 'add', path: '/a' }]],
    ['a missing from', [{ op: 'move', path: '/a' }]],
  ])('PATCH-02: %s is a 400', (_name, patch) => {
    expect(thrown(() => applyJsonPatch({}, patch)).status.code).toBe(400);
  });

  it('PATCH-02: more than 10,000 operations are a 413', () => {
    const patch = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} }));
    expect(thrown(() => applyJsonPatch({}, patch)).status.code).toBe(413);
    expect(applyJsonPatch({}, patch.slice(1))).toEqual({});
  });

  it('PATCH-02: copies of copies cannot fill the memory', () => {
    const patch = Array.from({ length: 100 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
    expect(thrown(() => applyJsonPatch({ a: ['x'.repeat(100)] }, patch)).status.code).toBe(422);
  });
});

const json = fc.jsonValue() as fc.Arbitrary<Json>;

describe('applyMergePatch', () => {
  // The examples of RFC 7386, appendix A, as far as the patch is an object.
  const rows: [document: Json, patch: JsonObject, result: Json][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  it.each(rows)('PATCH-03: %j with %j is %j', (document, patch, result) => {
    expect(applyMergePatch(document, patch)).toEqual(result);
  });

  it('PATCH-03: a patch that is no object is a 400', () => {
    for (const patch of [null, [], 'x', 1]) expect(thrown(() => applyMergePatch({}, patch)).status.code).toBe(400);
  });

  it('PATCH-03: merging twice is merging once, and the document stays', () => {
    fc.assert(
      fc.property(json, fc.dictionary(fc.string(), json), (document, patch) => {
        const before = JSON.stringify(document);
        const once = applyMergePatch(document, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
        expect(JSON.stringify(document)).toBe(before);
      }),
    );
  });

  it('PATCH-03: keys never reach a prototype', () => {
    const merged = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true},"constructor":{"x":1}}')) as object;
    expect(Object.keys(merged)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('refuses what is nested too deep', () => {
    let deep: Json = {};
    for (let i = 0; i < 50_000; i++) deep = { deep };
    expect(thrown(() => applyMergePatch({}, deep)).status.code).toBe(400);
    expect(thrown(() => applyJsonPatch({}, [{ op: 'add', path: '/a', value: deep }])).status.code).toBe(400);
  });
});
