import { isJsonObject, ownValue, type Json, type JsonObject } from '../objects/index.ts';
import type { Schema } from './types.ts';

/** Sets a field that is absent. */
export function fill(object: JsonObject, key: string, value: Json): void {
  if (ownValue(object, key) === undefined) object[key] = value;
}

/** The object under a key, or undefined. */
export function objectAt(object: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = ownValue(object, key);
  return isJsonObject(value) ? value : undefined;
}

/** The objects in the list under a key. */
export function objectsAt(object: JsonObject | undefined, key: string): readonly JsonObject[] {
  const value = ownValue(object, key);
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** Like {@link objectAt}, made when it is absent. */
export function ensured(object: JsonObject, key: string): JsonObject {
  const known = objectAt(object, key);
  if (known !== undefined) return known;
  const fresh: JsonObject = {};
  object[key] = fresh;
  return fresh;
}

/** A text; empty for a value that is none. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** A map of plain texts: labels, data. Nothing in it needs a look of its own. */
export function isMapOfTexts(schema: Schema): boolean {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined || typeof additionalProperties !== 'object') return false;
  return additionalProperties.type === 'string' && additionalProperties.scalar === undefined;
}
