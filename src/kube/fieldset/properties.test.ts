import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ApiError, deepEqual, type Json, type JsonObject, type KubeObject } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { applyManaged, compare, fieldsOf, FieldSet, sameIgnoringManagedFieldsTime, updateManaged } from './index.ts';

const text: Schema = { type: 'string' };
const item: Schema = { type: 'object', properties: { name: text, a: text, l: { type: 'array', items: text, listType: 'set' } } };
const schema: Schema = {
  type: 'object',
  properties: {
    apiVersion: text,
    kind: text,
    metadata: { type: 'object', properties: { name: text, labels: { type: 'object', additionalProperties: text } } },
    scalar: text,
    struct: { type: 'object', properties: { a: text, b: { type: 'object', properties: { c: text, d: text } } } },
    map: { type: 'object', additionalProperties: { type: 'object', properties: { a: text, b: text } } },
    atomic: { type: 'array', items: item },
    set: { type: 'array', items: text, listType: 'set' },
    items: { type: 'array', items: item, listType: 'map', listMapKeys: ['name'] },
    free: { type: 'object', preserveUnknownFields: true },
  },
};

const word = fc.constantFrom('a', 'b', 'c', 'd');
const words = fc.uniqueArray(word, { maxLength: 4 });
const some = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<JsonObject> =>
  fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;
const named = fc.uniqueArray(fc.record({ name: word, a: word, l: words }, { requiredKeys: ['name'] }), {
  maxLength: 3,
  selector: (each) => each.name,
});
const body = some({
  scalar: word,
  struct: some({ a: word, b: some({ c: word, d: word }) }),
  map: fc.dictionary(word, some({ a: word, b: word }), { maxKeys: 3 }),
  atomic: named,
  set: words,
  items: named,
  free: some({ a: word, b: fc.array(word, { maxLength: 2 }), c: some({ a: word }) }),
});

const step = fc.record({ how: fc.constantFrom('apply', 'force', 'update'), who: fc.constantFrom('alice', 'bob', 'carol'), body });

interface State {
  readonly live: KubeObject | undefined;
  readonly now: number;
}

function full(content: JsonObject): KubeObject {
  return { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'x' }, ...content };
}

function take({ live, now }: State, { how, who, body: content }: { how: string; who: string; body: JsonObject }): State {
  const base = { schema, apiVersion: 'example.org/v1', manager: who, now, ...(live === undefined ? {} : { live }) };
  if (how === 'update') return { live: updateManaged({ ...base, next: full(content) }), now: now + 1000 };
  try {
    return { live: applyManaged({ ...base, config: full(content), force: how === 'force' }).object, now: now + 1000 };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status.code !== 409) throw error;
    return { live, now: now + 1000 };
  }
}

function content(object: KubeObject | undefined): Json {
  const { metadata: _, ...rest } = object ?? { metadata: {} };
  return rest as unknown as Json;
}

const after = (steps: fc.Arbitrary<{ how: string; who: string; body: JsonObject }>): fc.Arbitrary<{ end: State }> =>
  fc.array(steps, { minLength: 1, maxLength: 8 }).map((all) => ({ end: all.reduce(take, { live: undefined, now: 0 }) }));
const histories = after(step);
const applies = after(step.map((each) => ({ ...each, how: each.how === 'update' ? 'force' : each.how })));

describe('any history of applies and updates', () => {
  it('apiserver/SSA-07: the last apply, done again, changes nothing', () => {
    fc.assert(
      fc.property(histories, step, ({ end }, last) => {
        // Something must be owned, or the second apply would find an object that nobody tracks.
        const applied = { ...last, how: 'force', body: { ...last.body, scalar: 'a' } };
        const once = take(end, applied);
        const twice = take(once, applied);
        expect(twice.live !== undefined && once.live !== undefined && sameIgnoringManagedFieldsTime(once.live, twice.live)).toBe(true);
        expect(twice.live).toEqual(once.live);
      }),
    );
  });

  it('apiserver/SSA-03: what is applied with force is there and belongs to its manager', () => {
    fc.assert(
      fc.property(histories, step, ({ end }, last) => {
        const { live } = take(end, { ...last, how: 'force' });
        const applied = fieldsOf(schema, content(full(last.body)));
        const stored = compare(schema, content(full(last.body)), content(live));
        expect(stored.removed.isEmpty()).toBe(true);
        expect(stored.modified.isEmpty()).toBe(true);
        const own = live?.metadata.managedFields?.find((entry) => entry.manager === last.who && entry.operation === 'Apply');
        const expected = applied.difference(FieldSet.of(['f:apiVersion'], ['f:kind']));
        expect(FieldSet.decode(own?.fieldsV1 ?? {})?.equals(expected)).toBe(true);
      }),
    );
  });

  it('apiserver/SSA-05: a field whose value differs between two appliers has one owner', () => {
    fc.assert(
      fc.property(histories, ({ end }) => {
        const next = full({ scalar: 'new', struct: { a: 'new' } });
        const { live } = {
          live: updateManaged({
            schema,
            apiVersion: 'example.org/v1',
            manager: 'ed',
            now: end.now,
            next,
            ...(end.live === undefined ? {} : { live: end.live }),
          }),
        };
        const owners = (live.metadata.managedFields ?? []).filter((entry) => FieldSet.decode(entry.fieldsV1)?.has(['f:scalar']) === true);
        if (end.live?.metadata.managedFields !== undefined || end.live === undefined)
          expect(owners.map((entry) => entry.manager)).toEqual(['ed']);
      }),
    );
  });

  it('apiserver/SSA-04: an applier that applies nothing any more leaves what the other appliers own', () => {
    fc.assert(
      fc.property(applies, ({ end }) => {
        const last = take(end, { how: 'force', who: 'alice', body: {} }).live;
        const others = (end.live?.metadata.managedFields ?? []).filter(
          (entry) => !(entry.manager === 'alice' && entry.operation === 'Apply'),
        );
        const kept = others
          .map((entry) => FieldSet.decode(entry.fieldsV1) ?? FieldSet.empty)
          .reduce((all, each) => all.union(each), FieldSet.empty);
        const lost = compare(schema, content(end.live), content(last)).removed;
        expect(lost.intersection(kept).isEmpty()).toBe(true);
      }),
    );
  });

  it('apiserver/SSA-05: comparing an object with itself finds nothing, and with nothing everything', () => {
    fc.assert(
      fc.property(body, body, (a, b) => {
        const same = compare(schema, a, structuredClone(a));
        expect(same.added.isEmpty() && same.modified.isEmpty() && same.removed.isEmpty()).toBe(true);
        const other = compare(schema, a, b);
        const back = compare(schema, b, a);
        expect(other.added.equals(back.removed) && other.removed.equals(back.added)).toBe(true);
        expect(other.added.isEmpty() && other.modified.isEmpty() && other.removed.isEmpty()).toBe(sameButOrder(a, b));
      }),
    );
  });
});

/** Equality as structured merge sees it: order of sets and map lists does not count. */
function sameButOrder(a: JsonObject, b: JsonObject): boolean {
  return deepEqual(ordered(schema, a), ordered(schema, b));
}

function ordered(node: Schema | undefined, value: Json): Json {
  if (Array.isArray(value)) {
    const items = value.map((each) => ordered(node?.items, each));
    const byText = (x: Json, y: Json): number => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1);
    return node?.listType === undefined ? items : items.toSorted(byText);
  }
  if (typeof value !== 'object' || value === null) return value;
  const open = node?.additionalProperties;
  const below = (key: string): Schema | undefined => node?.properties?.[key] ?? (typeof open === 'object' ? open : undefined);
  const sorted = Object.keys(value).toSorted((x, y) => (x < y ? -1 : 1));
  return Object.fromEntries(sorted.map((key) => [key, ordered(below(key), value[key] ?? null)]));
}
