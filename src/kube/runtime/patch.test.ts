import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { connect } from '../client/index.ts';
import { memoryServer } from '../client/memory.fixture.ts';
import { cloneJson, deepEqual, isConflict, isJsonObject, refOf, type Json, type JsonObject, type KubeObject } from '../objects/index.ts';
import { addFinalizer, mergePatchOf, patchStatus, removeFinalizer } from './patch.ts';

/** RFC 7386, section 2. */
function applyMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const result = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, applyMergePatch(result.get(key), value));
  }
  return Object.fromEntries(result);
}

describe('mergePatchOf', () => {
  const cases: [name: string, before: JsonObject, after: JsonObject, patch: JsonObject | undefined][] = [
    ['equal objects need none', { a: 1, b: { c: [1] } }, { b: { c: [1] }, a: 1 }, undefined],
    ['changed and new fields are set', { a: 1 }, { a: 2, b: 3 }, { a: 2, b: 3 }],
    ['fields that are gone are null', { a: 1, b: { c: 1, d: 2 } }, { b: { c: 1 } }, { b: { d: null }, a: null }],
    ['lists are replaced', { a: [1, 2] }, { a: [1] }, { a: [1] }],
    ['an object replaces a value', { a: 1 }, { a: { b: 1 } }, { a: { b: 1 } }],
  ];
  it.each(cases)('%s', (_name, before, after, patch) => {
    expect(mergePatchOf(before, after)).toEqual(patch);
  });

  it('does what it says for any two objects without nulls', () => {
    const value = fc.letrec<{ json: Json }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 3 },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.array(tie('json')),
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor')), tie('json')),
      ),
    })).json;
    const object = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'toString'), value) as fc.Arbitrary<JsonObject>;
    fc.assert(
      fc.property(object, object, (before, after) => {
        const patch = mergePatchOf(before, after);
        expect(deepEqual(applyMergePatch(cloneJson(before), patch ?? {}), after)).toBe(true);
        if (patch === undefined) expect(deepEqual(before, after)).toBe(true);
      }),
    );
  });
});

function start() {
  const server = memoryServer([{ apiVersion: 'example.com/v1', kind: 'Thing', plural: 'things', namespaced: true }]);
  const thing: KubeObject = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a', namespace: 'n' }, spec: {}, status: {} };
  return { server, cluster: connect(server.handle), thing };
}

const OPTIONS = { fieldManager: 'test' };

describe('patchStatus', () => {
  it('writes what differs, through the status subresource, and nothing when nothing does', async () => {
    const { server, cluster, thing } = start();
    await cluster.create(thing);
    const first = await patchStatus(cluster, await cluster.get(refOf(thing)), { a: 1, b: { c: 1 } }, OPTIONS);
    expect(first['status']).toEqual({ a: 1, b: { c: 1 } });
    const second = await patchStatus(cluster, first, { b: { c: 1, d: 2 } }, OPTIONS);
    expect(second['status']).toEqual({ b: { c: 1, d: 2 } });
    expect(server.requests.at(-1)).toMatchObject({
      path: '/apis/example.com/v1/namespaces/n/things/a/status',
      body: { kind: 'json', value: { status: { a: null, b: { d: 2 } } } },
    });
    const count = server.requests.length;
    expect(await patchStatus(cluster, second, { b: { c: 1, d: 2 } }, OPTIONS)).toBe(second);
    expect(server.requests).toHaveLength(count);
  });

  it('has nothing to do for an object that is gone', async () => {
    const { cluster, thing } = start();
    expect(await patchStatus(cluster, thing, { a: 1 }, OPTIONS)).toBe(thing);
  });
});

describe('finalizers', () => {
  it('are added and removed once', async () => {
    const { server, cluster, thing } = start();
    const created = await cluster.create({ ...thing, metadata: { ...thing.metadata, finalizers: ['other'] } });
    const added = await addFinalizer(cluster, created, 'mine', OPTIONS);
    expect(added.metadata.finalizers).toEqual(['other', 'mine']);
    const count = server.requests.length;
    expect(await addFinalizer(cluster, added, 'mine', OPTIONS)).toBe(added);
    expect(server.requests).toHaveLength(count);
    await removeFinalizer(cluster, added, 'mine', OPTIONS);
    expect((await cluster.get(refOf(thing))).metadata.finalizers).toEqual(['other']);
    await removeFinalizer(cluster, created, 'mine', OPTIONS);
  });

  it("do not overwrite somebody else's change", async () => {
    const { cluster, thing } = start();
    const stale = await cluster.create(thing);
    await cluster.patch(refOf(thing), 'merge', { metadata: { finalizers: ['theirs'] } });
    await expect(addFinalizer(cluster, stale, 'mine', OPTIONS)).rejects.toSatisfy(isConflict);
  });
});
