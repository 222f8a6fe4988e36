import { isJsonObject, ownValue, stringifyJson, type Json, type JsonObject } from '../objects/index.ts';
import { fieldErrors } from './errors.ts';
import { itemPath } from './path.ts';
import type { FieldError, Schema } from './types.ts';

/** The key of an item of a `map` list as a JSON object; missing keys count as the item's defaults. */
export function itemKey(schema: Schema, item: Json): JsonObject | undefined {
  if (!isJsonObject(item)) return undefined;
  const key: JsonObject = {};
  for (const name of schema.listMapKeys ?? []) {
    const value = ownValue(item, name) ?? ownValue(schema.items?.properties, name)?.default ?? ownValue(schema.listMapKeyDefaults, name);
    if (value !== undefined) key[name] = value;
  }
  return key;
}

/** Items of a set or map list that are there twice. */
export function checkUnique(schema: Schema, items: readonly Json[], path: string): FieldError[] {
  if (schema.listType !== 'set' && schema.listType !== 'map') return [];
  const seen = new Set<string>();
  return items.flatMap((item, i) => {
    const identity = schema.listType === 'map' ? itemKey(schema, item) : item;
    const text = stringifyJson(identity ?? null);
    if (seen.has(text)) return [fieldErrors.duplicate(itemPath(path, i), identity)];
    seen.add(text);
    return [];
  });
}
