import type { Json } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { fieldElement } from './element.ts';
import { FieldSet, FieldSetBuilder } from './fieldset.ts';
import { asList, asMap, fieldOf, indexItems, itemSchema, shapeOf, UNTYPED } from './shape.ts';

/**
 * The fields that an object sets, as server-side apply counts them: leaves, items of set and map lists,
 * values of granular maps, and empty or null maps. A struct that has fields is not a member itself.
 */
export function fieldsOf(schema: Schema, object: Json): FieldSet {
  const builder = new FieldSetBuilder();
  collect(schema, object, builder);
  return builder.build();
}

function collect(schema: Schema, value: Json, set: FieldSetBuilder): void {
  switch (shapeOf(schema, value)) {
    case 'map':
      return collectMap(schema, value, set);
    case 'set-list':
    case 'map-list':
      return collectList(schema, value, set);
    case 'leaf':
    case undefined:
      set.mark();
  }
}

function collectMap(schema: Schema, value: Json, set: FieldSetBuilder): void {
  for (const [key, item] of Object.entries(asMap(value) ?? {})) {
    const field = fieldOf(schema, key) ?? { schema: UNTYPED, named: false };
    const child = set.child(fieldElement(key));
    collect(field.schema, item, child);
    const isEmptyMap = item === null || Object.keys(asMap(item) ?? { some: true }).length === 0;
    if (isEmptyMap || !field.named) child.mark();
  }
}

function collectList(schema: Schema, value: Json, set: FieldSetBuilder): void {
  for (const [element, items] of indexItems(schema, asList(value))) {
    const child = set.child(element);
    // Duplicates are owned as a whole.
    if (items.length === 1) collect(itemSchema(schema), items[0] ?? null, child);
    child.mark();
  }
}

/**
 * Adds the structs on the way to members: an owner of `spec.a` counts as owner of `spec`, but an owner of one
 * label not as owner of the others' map entries.
 */
export function withNamedFields(schema: Schema, set: FieldSet): FieldSet {
  return named(schema, set, set.member);
}

function named(schema: Schema, set: FieldSet, member: boolean): FieldSet {
  if (set.children.size === 0) return member === set.member ? set : new FieldSet(member, set.children);
  const children = new Map<string, FieldSet>();
  for (const [element, child] of set.children) {
    const field = element.startsWith('f:') ? fieldOf(schema, element.slice(2)) : undefined;
    const below = element.startsWith('f:') ? field?.schema : itemSchema(schema);
    children.set(element, named(below ?? UNTYPED, child, child.member || field?.named === true));
  }
  return new FieldSet(member, children);
}

/**
 * Ownership below lists and maps that have become atomic since it was taken is ownership of the whole. (What was
 * atomic and is granular now counts as if it had always been.)
 */
export function withAtomicWholes(schema: Schema, set: FieldSet): FieldSet {
  if (set.children.size === 0) return set;
  const isContainer = schema.type === 'object' || schema.type === 'array';
  if (isContainer && shapeOf(schema, undefined) === 'leaf') return FieldSet.leaf;
  const children = [...set.children].map(([element, child]) => {
    const below = element.startsWith('f:') ? fieldOf(schema, element.slice(2))?.schema : itemSchema(schema);
    return [element, withAtomicWholes(below ?? UNTYPED, child)] as const;
  });
  return children.every(([element, child]) => child === set.children.get(element)) ? set : new FieldSet(set.member, new Map(children));
}

/** A copy without the items and fields of a set; what the set only passes through stays, atomic values go as a whole. */
export function removeFields(schema: Schema, value: Json, set: FieldSet): Json {
  switch (shapeOf(schema, value)) {
    case 'map':
      return removeFromMap(schema, value, set);
    case 'set-list':
    case 'map-list':
      return removeFromList(schema, value, set);
    default:
      return typeof value === 'object' ? null : value;
  }
}

function removeFromMap(schema: Schema, value: Json, set: FieldSet): Json {
  const kept = Object.entries(asMap(value) ?? {}).flatMap(([key, item]): [string, Json][] => {
    const child = set.children.get(fieldElement(key));
    if (child === undefined) return [[key, item]];
    if (child.member) return [];
    return [[key, removeFields(fieldOf(schema, key)?.schema ?? UNTYPED, item, child)]];
  });
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

function removeFromList(schema: Schema, value: Json, set: FieldSet): Json {
  const kept = [...indexItems(schema, asList(value))].flatMap(([element, items]) => {
    const child = set.children.get(element);
    if (child === undefined) return items;
    if (child.member) return [];
    return items.map((item) => removeFields(itemSchema(schema), item, child));
  });
  return kept.length === 0 ? null : kept;
}
