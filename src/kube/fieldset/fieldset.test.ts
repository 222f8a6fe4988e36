import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Json, JsonObject } from '../objects/index.ts';
import { fieldElement, keyElement, parseElement, sortElements, valueElement } from './element.ts';
import { FieldSet, pathText } from './fieldset.ts';

const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean());
const element = fc.oneof(
  fc.string().map(fieldElement),
  fc.dictionary(fc.string({ minLength: 1 }), scalar, { minKeys: 1, maxKeys: 3 }).map((keys) => keyElement(keys)),
  scalar.map((value) => valueElement(value)),
  fc.nat(1000).map((index) => `i:${index}`),
);
const set = fc.array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 8 }).map((paths) => FieldSet.of(...paths));

function members(fields: FieldSet): Set<string> {
  return new Set([...fields.paths()].map((path) => JSON.stringify(path)));
}

describe('FieldSet', () => {
  it('decode(encode(x)) = x', () => {
    fc.assert(fc.property(set, (fields) => FieldSet.decode(fields.encode())?.equals(fields) === true));
  });

  it('union, intersection and difference are those of the members', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [left, right] = [members(a), members(b)];
        expect(members(a.union(b))).toEqual(left.union(right));
        expect(members(a.intersection(b))).toEqual(left.intersection(right));
        expect(members(a.difference(b))).toEqual(left.difference(right));
      }),
    );
  });

  it('writes `.` first, then fields, keys and values, each sorted', () => {
    const fields = FieldSet.of(
      ['f:a'],
      ['f:a', 'v:2'],
      ['f:a', 'v:"b"'],
      ['f:a', 'v:10'],
      ['f:a', keyElement({ name: 'x', n: 2 })],
      ['f:a', keyElement({ name: 'a', n: 10 })],
      ['f:a', 'f:z'],
      ['f:a', 'f:b', 'f:c'],
    );
    const below = fields.encode()['f:a'] as JsonObject;
    expect(Object.keys(below)).toEqual(['.', 'f:b', 'f:z', 'k:{"n":2,"name":"x"}', 'k:{"n":10,"name":"a"}', 'v:2', 'v:10', 'v:"b"']);
    expect(below['f:b']).toEqual({ 'f:c': {} });
  });

  it('reads keys in any order and any notation as the same key', () => {
    expect(parseElement('k:{ "b": 1, "a": "x" }')).toBe('k:{"a":"x","b":1}');
    expect(parseElement('v:1.0')).toBe('v:1');
  });

  const broken: [string, Json][] = [
    ['a list', []],
    ['text', 'f:a'],
    ['an unknown kind of step', { 'x:a': {} }],
    ['a key that is no JSON', { 'k:{': {} }],
    ['a key that is no map', { 'k:[1]': {} }],
    ['a leaf that is no map', { 'f:a': true }],
    ['a value that is no JSON', { 'v:abc': {} }],
    ['a value that is nested without end', { [`v:${'['.repeat(5000)}${']'.repeat(5000)}`]: {} }],
  ];
  it.each(broken)('does not decode %s', (_name, value) => {
    expect(FieldSet.decode(value)).toBeUndefined();
  });

  it('does not decode what is nested too deep', () => {
    let deep: JsonObject = {};
    for (let i = 0; i < 10_000; i++) deep = { 'f:a': deep };
    expect(FieldSet.decode(deep)).toBeUndefined();
  });

  it('recursive difference takes everything below a member', () => {
    const fields = FieldSet.of(['f:status', 'f:a', 'f:b'], ['f:spec', 'f:a'], ['f:status']);
    expect(fields.recursiveDifference(FieldSet.of(['f:status'])).encode()).toEqual({ 'f:spec': { 'f:a': {} } });
  });

  const texts: [path: string[], text: string][] = [
    [['f:spec', 'f:containers', 'k:{"name":"x"}', 'f:image'], '.spec.containers[name="x"].image'],
    [['f:ports', 'k:{"containerPort":80,"protocol":"TCP"}'], '.ports[containerPort=80,protocol="TCP"]'],
    [['f:metadata', 'f:finalizers', 'v:"f"'], '.metadata.finalizers[="f"]'],
    [['f:metadata', 'f:annotations', 'f:example.com/a'], '.metadata.annotations.example.com/a'],
    [['f:l', 'i:3'], '.l[3]'],
  ];
  it.each(texts)('writes %j as %s', (path, text) => {
    expect(pathText(path)).toBe(text);
  });

  it('orders elements alike, however they come', () => {
    fc.assert(
      fc.property(fc.uniqueArray(element, { maxLength: 12 }), (elements) => {
        const sorted = sortElements(elements);
        expect(sortElements(elements.toReversed())).toEqual(sorted);
        expect(sorted.toSorted()).toEqual(elements.toSorted());
      }),
    );
  });
});
