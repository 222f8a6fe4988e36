import { apiErrors, checkDepth, cloneJson, isJsonObject, ownValue, setOwn, type Json, type JsonObject } from '../objects/index.ts';
import { mergeKeyed, mergePrimitives } from './strategic-lists.ts';
import type { Schema } from './types.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const ORDER = '$setElementOrder/';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';

/**
 * Applies a strategic merge patch by the merge keys of a built-in kind (PATCH-04). Nothing of the input is
 * changed; directives are never stored.
 *
 * @throws ApiError 400 when the patch is not an object, 500 for an unknown directive or a missing merge key, 422
 *   for a key outside `$retainKeys`
 */
export function strategicMerge(schema: Schema, current: Json, patch: Json): Json {
  if (!isJsonObject(patch)) throw apiErrors.badRequest('a strategic merge patch must be an object');
  checkDepth(patch);
  return mergeMap(schema, isJsonObject(current) ? current : {}, patch);
}

/** A map merged with its patch. */
function mergeMap(schema: Schema, current: JsonObject, patch: JsonObject): JsonObject {
  const directive = ownValue(patch, DIRECTIVE);
  if (directive === 'replace') return mapWithoutDirectives(patch);
  if (directive === 'delete') return {};
  if (directive !== undefined) throw apiErrors.plain(`unknown patch type found in the map: only replace and delete are known`);

  const result = retained(current, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN_KEYS) continue;
    if (`${key}/` === ORDER || `${key}/` === DELETE_PRIMITIVES) throw apiErrors.plain(`the directive ${key} names no field`);
    if (key.startsWith(ORDER) || key.startsWith(DELETE_PRIMITIVES)) patchListOnly(schema, result, patch, key);
    else if (value === null) delete result[key];
    else setOwn(result, key, mergeField(fieldSchema(schema, key), ownValue(result, key), value, patch, key));
  }
  return result;
}

/** The current map without the keys that `$retainKeys` leaves out. */
function retained(current: JsonObject, patch: JsonObject): JsonObject {
  const retain = ownValue(patch, RETAIN_KEYS);
  if (retain === undefined) return { ...current };
  if (!Array.isArray(retain)) throw apiErrors.plain('the value of $retainKeys is not a list');
  const kept = new Set(retain);
  const stray = Object.keys(patch).find((key) => !key.startsWith('$') && patch[key] !== null && !kept.has(key));
  if (stray !== undefined) {
    throw apiErrors.of(422, 'Invalid', `the patch sets the field ${JSON.stringify(stray)}, which its $retainKeys list leaves out`);
  }
  return Object.fromEntries(Object.entries(current).filter(([key]) => kept.has(key)));
}

const OPEN: Schema = {};

function fieldSchema(schema: Schema, key: string): Schema {
  const property = ownValue(schema.properties, key);
  if (property !== undefined) return property;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : OPEN;
}

function mergeField(schema: Schema, current: Json | undefined, value: Json, patch: JsonObject, key: string): Json {
  if (schema.scalar === 'json') return cloneJson(value);
  // What the object lacks is taken as it is: its directives have nothing to act on.
  if (Array.isArray(value))
    return current === undefined
      ? newList(schema, value, patch, key)
      : mergeList(schema, Array.isArray(current) ? current : [], value, patch, key);
  if (!isJsonObject(value)) return value;
  return isJsonObject(current) && !hasStrategy(schema, 'replace') ? mergeMap(schema, current, value) : mapWithoutDirectives(value);
}

/** A list that the object lacks. It is merged only when the patch also orders it. */
function newList(schema: Schema, items: readonly Json[], patch: JsonObject, key: string): Json {
  return Object.hasOwn(patch, `${ORDER}${key}`) ? mergeList(schema, [], items, patch, key) : withoutDirectives([...items]);
}

function mergeItem(schema: Schema, current: Json | undefined, patch: JsonObject): JsonObject {
  return isJsonObject(current) ? mergeMap(schema, current, patch) : mapWithoutDirectives(patch);
}

function hasStrategy(schema: Schema, strategy: string): boolean {
  return schema.patchStrategy?.split(',').includes(strategy) === true;
}

function mergeList(schema: Schema, current: readonly Json[], items: readonly Json[], patch: JsonObject, key: string): Json {
  if (!hasStrategy(schema, 'merge')) return items.map(withoutDirectives);
  const order = listDirective(patch, `${ORDER}${key}`);
  if (schema.patchMergeKey !== undefined) return mergeKeyed(schema, schema.patchMergeKey, current, items, order, mergeItem);
  return mergePrimitives(current, items, listDirective(patch, `${DELETE_PRIMITIVES}${key}`), order);
}

function listDirective(patch: JsonObject, name: string): readonly Json[] | undefined {
  const value = ownValue(patch, name);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw apiErrors.plain(`the value of ${name} is not a list`);
  return value;
}

/** A directive whose list is not patched itself: only deletes or reorders. */
function patchListOnly(schema: Schema, result: JsonObject, patch: JsonObject, directive: string): void {
  const key = directive.slice(directive.indexOf('/') + 1);
  const current = ownValue(result, key);
  if (Object.hasOwn(patch, key) || !Array.isArray(current)) return;
  setOwn(result, key, mergeList(fieldSchema(schema, key), current, [], patch, key));
}

/** A value of a patch as it is stored. */
function withoutDirectives(value: Json): Json {
  if (Array.isArray(value)) return value.filter((item) => !isDirectiveItem(item)).map((item) => withoutDirectives(item));
  return isJsonObject(value) ? mapWithoutDirectives(value) : value;
}

function mapWithoutDirectives(map: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(map)) {
    const isDirective = key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(ORDER) || key.startsWith(DELETE_PRIMITIVES);
    if (!isDirective && item !== null) setOwn(result, key, withoutDirectives(item));
  }
  return result;
}

function isDirectiveItem(item: Json): boolean {
  const directive = isJsonObject(item) ? ownValue(item, DIRECTIVE) : undefined;
  return directive === 'delete' || (directive === 'replace' && Object.keys(item as JsonObject).length === 1);
}
