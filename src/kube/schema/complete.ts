import {
  cloneJson,
  deepEqual,
  gvkOf,
  isJsonObject,
  ownValue,
  setOwn,
  type Json,
  type JsonObject,
  type KubeObject,
} from '../objects/index.ts';
import { fill, isMapOfTexts } from './access.ts';
import { DEFAULT_STEPS } from './default-steps.ts';
import { DEFAULT_VALUES, DROPPED_WHEN_ZERO, MAY_BE_EMPTY, STATUS_ALWAYS } from './default-values.ts';
import { schemaOf } from './definitions.ts';
import { shortTitle } from './table.ts';
import { canonicalQuantity } from './quantity.ts';
import type { Schema } from './types.ts';

/**
 * A built-in object as the API stores it: absent fields get their kind's defaults, quantities their canonical form,
 * and nulls and empty values without meaning are dropped. Objects of other kinds, and those that are complete
 * already, come back as they are.
 */
export function defaultObject(object: KubeObject): KubeObject {
  const schema = schemaOf(gvkOf(object));
  if (schema === undefined) return object;
  const completed = complete(schema, object as unknown as Json);
  return deepEqual(completed, object) ? object : (completed as unknown as KubeObject);
}

function complete(schema: Schema, value: Json): Json {
  if (schema.scalar === 'quantity') return canonical(value);
  if (schema.scalar !== undefined) return cloneJson(value);
  if (Array.isArray(value)) return value.map((item) => complete(schema.items ?? {}, item));
  if (!isJsonObject(value)) return value;
  // The step of a parent may write into it, so it is a copy all the same.
  if (isMapOfTexts(schema) && !Object.values(value).includes(null)) return { ...value };
  return completeObject(schema, value);
}

function canonical(value: Json): Json {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return value;
  return canonicalQuantity(value) ?? value;
}

function completeObject(schema: Schema, object: JsonObject): JsonObject {
  const title = schema.title === undefined ? '' : shortTitle(schema.title);
  const copy: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    if (!isMeaningless(schema, title, key, value)) setOwn(copy, key, value);
  }
  for (const [key, value] of Object.entries(DEFAULT_VALUES[title] ?? {})) fill(copy, key, cloneJson(value));
  // A step may write into nested objects, so it gets copies of them.
  const step = DEFAULT_STEPS[title];
  const stepped = step === undefined ? copy : cloneJson(copy);
  step?.(stepped);
  if (STATUS_ALWAYS.has(title)) fill(stepped, 'status', {});
  for (const [key, value] of Object.entries(stepped)) {
    const field =
      ownValue(schema.properties, key) ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    // Go reads null in a map of texts as an empty one.
    if (field !== undefined) setOwn(stepped, key, value === null && field.type === 'string' ? '' : complete(field, value));
  }
  return stepped;
}

/** Null, and in structs an optional field without content: text, list, map, some zeros. Values of maps always mean something. */
function isMeaningless(schema: Schema, title: string, key: string, value: Json): boolean {
  if (value === null) return schema.properties !== undefined && ownValue(schema.properties, key)?.scalar !== 'json';
  const field = ownValue(schema.properties, key);
  if (field === undefined || schema.required?.includes(key) === true) return false;
  if (value === 0 || value === false) return DROPPED_WHEN_ZERO.has(`${title}.${key}`);
  if (value === '') return field.type === 'string' && !MAY_BE_EMPTY.has(`${title}.${key}`);
  if (Array.isArray(value)) return value.length === 0 && field.type === 'array';
  return isJsonObject(value) && Object.keys(value).length === 0 && field.additionalProperties !== undefined;
}
