import { cloneJson, isJsonObject, ownValue, setOwn, type Json, type JsonObject } from '../objects/index.ts';
import type { Schema } from './types.ts';

/**
 * Sets the schema's defaults where a field is absent inside a parent that is present, and treats null in a field
 * that is not nullable as absent (CRD-04). Returns the same value when nothing changes.
 */
export function applyDefaults(schema: Schema, value: Json): Json {
  if (schema.scalar === 'json') return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return value;
    const filled = value.map((item) =>
      item === null && items.nullable !== true && items.default !== undefined ? cloneJson(items.default) : applyDefaults(items, item),
    );
    return filled.every((item, i) => item === value[i]) ? value : filled;
  }
  return isJsonObject(value) ? defaultFields(schema, value) : value;
}

function defaultFields(schema: Schema, object: JsonObject): JsonObject {
  const result: JsonObject = {};
  let isSame = true;
  const set = (key: string, item: Json): void => {
    if (item !== ownValue(object, key)) isSame = false;
    setOwn(result, key, item);
  };
  for (const [key, item] of Object.entries(object)) {
    const field =
      ownValue(schema.properties, key) ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    if (field === undefined) set(key, item);
    else if (item !== null || field.nullable === true) set(key, applyDefaults(field, item));
    else if (field.default !== undefined) set(key, applyDefaults(field, cloneJson(field.default)));
    else isSame = false;
  }
  for (const [key, field] of Object.entries(schema.properties ?? {})) {
    if (field.default !== undefined && !Object.hasOwn(object, key)) set(key, applyDefaults(field, cloneJson(field.default)));
  }
  return isSame ? object : result;
}
