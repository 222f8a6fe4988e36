import { isJsonObject, ownValue, stringifyJson, type Json, type JsonObject } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { keyElement, valueElement, type PathElement } from './element.ts';

/** A value of a kind that no schema describes: maps are granular, lists atomic (SSA-14). */
export const UNTYPED: Schema = { preserveUnknownFields: true };

/** How a value takes part in merging: as one leaf, as a map with named or free keys, or as a list whose items have identities. */
export type Shape = 'leaf' | 'map' | 'set-list' | 'map-list';

/** The shape of a value. A null or absent value has the shape of its schema, or none where the schema is silent. */
export function shapeOf(schema: Schema, value: Json | undefined): Shape | undefined {
  if (schema.scalar !== undefined || schema.intOrString === true) return 'leaf';
  if (value === undefined || value === null) return shapeOfSchema(schema);
  if (Array.isArray(value)) return schema.type === 'array' ? listShape(schema) : 'leaf';
  if (isJsonObject(value)) return schema.mapType === 'atomic' || isOtherThanMap(schema) ? 'leaf' : 'map';
  return 'leaf';
}

function isOtherThanMap(schema: Schema): boolean {
  return schema.type !== undefined && schema.type !== 'object';
}

function shapeOfSchema(schema: Schema): Shape | undefined {
  switch (schema.type) {
    case 'object':
      return schema.mapType === 'atomic' ? 'leaf' : 'map';
    case 'array':
      return listShape(schema);
    case undefined:
      return schema.properties === undefined ? undefined : 'map';
    default:
      return 'leaf';
  }
}

function listShape(schema: Schema): Shape {
  if (schema.listType === 'set') return 'set-list';
  return schema.listType === 'map' ? 'map-list' : 'leaf';
}

/** The schema of one key of a map. `named`: the schema lists the key, it is a field of a struct. */
export function fieldOf(schema: Schema, name: string): { readonly schema: Schema; readonly named: boolean } | undefined {
  const property = ownValue(schema.properties, name);
  if (property !== undefined) return { schema: property, named: true };
  const { additionalProperties } = schema;
  if (typeof additionalProperties === 'object') return { schema: additionalProperties, named: false };
  const open = additionalProperties === true || schema.preserveUnknownFields === true || schema.type === undefined;
  return open ? { schema: UNTYPED, named: false } : undefined;
}

export function itemSchema(schema: Schema): Schema {
  return schema.items ?? UNTYPED;
}

export function asMap(value: Json | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}

export function asList(value: Json | undefined): readonly Json[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** A list item without identity. */
export interface ItemProblem {
  readonly problem: string;
}

/**
 * The path element of an item of a set or map list. Key fields that are missing count as their defaults; an
 * item without any key has no identity.
 */
export function itemElement(list: Schema, item: Json): PathElement | ItemProblem {
  if (list.listType === 'set') {
    return item === null || typeof item === 'object'
      ? { problem: 'associative list without keys has an element that is not a scalar' }
      : valueElement(item);
  }
  const map = asMap(item);
  if (map === undefined) return { problem: 'associative list with keys may not have non-map elements' };
  const keys: JsonObject = {};
  const missing: string[] = [];
  for (const key of list.listMapKeys ?? []) {
    const value = ownValue(map, key) ?? keyDefault(list, key);
    if (value === undefined) missing.push(key);
    else keys[key] = value;
  }
  if (Object.keys(keys).length > 0) return keyElement(keys);
  const names = missing.map((key) => stringifyJson(key)).join(', ');
  return {
    problem: `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  };
}

function keyDefault(list: Schema, key: string): Json | undefined {
  return ownValue(list.listMapKeyDefaults, key) ?? ownValue(list.items?.properties, key)?.default;
}

/** The items of a set or map list by identity, in order; more than one value where the list has duplicates. */
export function indexItems(list: Schema, items: readonly Json[] | undefined): Map<PathElement, Json[]> {
  const index = new Map<PathElement, Json[]>();
  for (const [i, item] of (items ?? []).entries()) {
    const identity = itemElement(list, item);
    // An item without identity can only stem from an object that was stored before its schema changed.
    const element = typeof identity === 'string' ? identity : `i:${i}`;
    const known = index.get(element);
    if (known === undefined) index.set(element, [item]);
    else known.push(item);
  }
  return index;
}
