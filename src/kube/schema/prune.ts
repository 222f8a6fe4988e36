import { isJsonObject, ownValue, setOwn, type Json, type JsonObject } from '../objects/index.ts';
import { isMapOfTexts } from './access.ts';
import { fieldPath, itemPath } from './path.ts';
import type { Schema } from './types.ts';

/** What {@link prune} returns: the value, and the path of everything that was dropped. */
export interface Pruned {
  readonly value: Json;
  readonly pruned: readonly string[];
}

/**
 * Drops the fields that a schema does not know, at every level (CRD-03). Fields below
 * `x-kubernetes-preserve-unknown-fields` stay, except inside properties that are specified there. Returns the
 * same value when nothing is dropped.
 */
export function prune(schema: Schema, value: Json): Pruned {
  const pruned: string[] = [];
  return { value: pruneValue(schema, value, '', pruned), pruned };
}

/** The paths that {@link prune} would drop: `spec.x[0].y`. */
export function unknownFields(schema: Schema, value: Json): readonly string[] {
  return prune(schema, value).pruned;
}

function pruneValue(schema: Schema, value: Json, path: string, pruned: string[]): Json {
  if (schema.scalar === 'json' || isMapOfTexts(schema)) return value;
  if (Array.isArray(value)) return pruneList(schema, value, path, pruned);
  return isJsonObject(value) ? pruneObject(schema, value, path, pruned) : value;
}

function pruneList(schema: Schema, items: Json[], path: string, pruned: string[]): Json[] {
  const { items: itemSchema } = schema;
  if (itemSchema === undefined) return items;
  const kept = items.map((item, i) => pruneValue(itemSchema, item, itemPath(path, i), pruned));
  return kept.every((item, i) => item === items[i]) ? items : kept;
}

function pruneObject(schema: Schema, object: JsonObject, path: string, pruned: string[]): JsonObject {
  const result: JsonObject = {};
  let isSame = true;
  for (const [key, item] of Object.entries(object)) {
    const at = fieldPath(path, key);
    const field = ownValue(schema.properties, key) ?? additional(schema);
    if (field === undefined) {
      pruned.push(at);
      isSame = false;
      continue;
    }
    const kept = field === 'any' ? item : pruneValue(field, item, at, pruned);
    if (kept !== item) isSame = false;
    setOwn(result, key, kept);
  }
  return isSame ? object : result;
}

/** What describes the keys that `properties` does not list; undefined when there may be none. */
function additional(schema: Schema): Schema | 'any' | undefined {
  const { additionalProperties } = schema;
  if (typeof additionalProperties === 'object') return additionalProperties;
  const isUntyped = schema.type === undefined && schema.properties === undefined && schema.intOrString !== true;
  return additionalProperties === true || schema.preserveUnknownFields === true || isUntyped ? 'any' : undefined;
}
