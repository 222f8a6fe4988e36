import { apiErrors, isJsonObject, ownValue, stringifyJson, type Json, type JsonObject } from '../objects/index.ts';
import type { Schema } from './types.ts';

/** An item merged with its patch; without a current one the patch as it is stored. */
type MergeItem = (schema: Schema, current: Json | undefined, patch: JsonObject) => JsonObject;

/**
 * A list of maps merged by key: a patch item merges into the first item with its key or is appended; `$patch:
 * delete` removes every item with the key; one `$patch: replace` makes the other patch items the list.
 */
export function mergeKeyed(
  schema: Schema,
  key: string,
  current: readonly Json[],
  patch: readonly Json[],
  order: readonly Json[] | undefined,
  mergeItem: MergeItem,
): Json[] {
  const items = schema.items ?? {};
  const directives = patch.map((item) => directiveOf(item));
  const added = patch.filter((_, i) => directives[i] === undefined);
  if (directives.includes('replace')) return added.map((item) => mergeItem(items, undefined, mapItem(item)));

  const deleted = new Set(patch.filter((_, i) => directives[i] === 'delete').map((item) => keyOf(item, key)));
  const result: Json[] = current.filter((item) => !deleted.has(identityOf(item, key)));
  const places = new Map<string, number>();
  for (const [i, item] of result.entries()) {
    const text = identityOf(item, key);
    if (!places.has(text)) places.set(text, i);
  }
  for (const item of added) {
    const text = keyOf(item, key);
    const place = places.get(text);
    const merged = mergeItem(items, place === undefined ? undefined : result[place], mapItem(item));
    if (place === undefined) places.set(text, result.push(merged) - 1);
    else result[place] = merged;
  }
  const identities = added.map((item) => keyOf(item, key));
  const wanted = order === undefined ? identities : order.map((item) => keyOf(item, key));
  checkOrder(identities, wanted);
  return reorder(result, current, wanted, (item) => identityOf(item, key));
}

function directiveOf(item: Json): 'delete' | 'replace' | undefined {
  const directive = isJsonObject(item) ? ownValue(item, '$patch') : undefined;
  if (directive === undefined || directive === 'delete' || directive === 'replace') return directive;
  throw apiErrors.plain('unknown patch type found in a list item: only replace and delete are known');
}

function mapItem(item: Json): JsonObject {
  if (!isJsonObject(item)) throw apiErrors.plain('a list that is merged by key has an item that is not a map');
  return item;
}

/** @throws ApiError 500 without reason */
function keyOf(item: Json, key: string): string {
  const value = ownValue(mapItem(item), key);
  if (value === undefined) throw apiErrors.plain(`map: an item of the list does not contain declared merge key: ${key}`);
  return stringifyJson(value);
}

/** Like {@link keyOf}, for items that the server has already: one without the key only equals itself. */
function identityOf(item: Json, key: string): string {
  const value = isJsonObject(item) ? ownValue(item, key) : undefined;
  return stringifyJson(value ?? { item });
}

/** Patch items stand in the order that the patch asks for. @throws ApiError 500 without reason */
function checkOrder(items: readonly string[], wanted: readonly string[]): void {
  let next = 0;
  for (const name of wanted) if (name === items[next]) next++;
  if (next < items.length) throw apiErrors.plain("the order of a patch list doesn't match its $setElementOrder list");
}

/** A list of primitives merged as a set. */
export function mergePrimitives(
  current: readonly Json[],
  patch: readonly Json[],
  deleted: readonly Json[] | undefined,
  order: readonly Json[] | undefined,
): Json[] {
  const text = (item: Json): string => stringifyJson(item);
  const gone = new Set((deleted ?? []).map(text));
  const kept = current.filter((item) => !gone.has(text(item)));
  const result = [...new Map([...kept, ...patch].map((item) => [text(item), item])).values()];
  const wanted = (order ?? patch).map(text);
  checkOrder(patch.map(text), wanted);
  return reorder(result, current, wanted, text);
}

/**
 * Puts the listed items into the listed order. Items that only the server has keep their order; each stands before
 * the first listed item that it preceded on the server, so items new to the server come first.
 */
function reorder(items: readonly Json[], server: readonly Json[], order: readonly string[], identify: (item: Json) => string): Json[] {
  const places = new Map(order.map((name, i) => [name, i]));
  const serverPlaces = new Map(server.map((item, i) => [identify(item), i] as const).toReversed());
  const listed = items
    .filter((item) => places.has(identify(item)))
    .toSorted((a, b) => (places.get(identify(a)) ?? 0) - (places.get(identify(b)) ?? 0));
  const others = items.filter((item) => !places.has(identify(item)));
  const merged: Json[] = [];
  let next = 0;
  const placeOf = (item: Json | undefined): number | undefined => (item === undefined ? undefined : serverPlaces.get(identify(item)));
  const precedes = (other: Json | undefined, item: Json): boolean => (placeOf(other) ?? Infinity) < (placeOf(item) ?? -1);
  for (const item of listed) {
    while (precedes(others[next], item)) merged.push(others[next++] ?? null);
    merged.push(item);
  }
  return [...merged, ...others.slice(next)];
}
