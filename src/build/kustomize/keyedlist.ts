/**
 * Lists whose elements are identified by keys, merged exactly as kustomize does (c11.3), with its losses: see the
 * steps there. Elements are found by the texts of their key fields.
 */
import type { YamlMap, YamlNode, YamlSequence } from '../../text/yaml/index.ts';
import { isMap, isNull, itemOf, newPlain, newSequence, textOf } from './node.ts';
import { wrongNode } from './write.ts';

type Tuple = readonly string[];
type MergeElements = (dest: YamlNode | undefined, patch: YamlNode | undefined) => YamlNode | undefined;

/** The only key of a list merged by the texts of its elements. */
const OWN_TEXT = '';

/** Merges `patch` into `dest`, which can be the same list. No keys: elements are identified by their own text. */
export function mergeKeyedList(
  dest: YamlSequence,
  patch: YamlSequence | undefined,
  keys: readonly string[],
  mergeElements: MergeElements,
): YamlSequence {
  const isPrimitive = keys.length === 0;
  const allKeys = isPrimitive ? [OWN_TEXT] : keys;
  let tuples = tuplesOf(dest, patch, allKeys);
  if (allKeys.length > 1) tuples = uniteOverlapping(tuples);
  const valid = validKeys(tuples, allKeys);
  const result = newSequence();
  for (const tuple of tuples) {
    const values = valid.map((key) => tuple[allKeys.indexOf(key)] ?? '');
    const merged = mergeElements(findElement(dest, valid, values), patch === undefined ? undefined : findElement(patch, valid, values));
    if (merged === undefined || isNull(merged) || isEmptyMap(merged)) {
      put(dest, undefined, valid, values);
      continue;
    }
    addKeys(merged, valid, values);
    put(result, merged, valid, values);
  }
  if (tuples.length === 0) return dest;
  appendRest(result, dest, valid);
  return result;
}

/** The key texts of every element, the patch's first, each once. */
function tuplesOf(dest: YamlSequence, patch: YamlSequence | undefined, keys: readonly string[]): Tuple[] {
  const tuples = new Map<string, Tuple>();
  for (const list of [patch, dest]) {
    for (const element of list?.items ?? []) {
      const tuple = keys.map((key) => keyText(element, key) ?? '');
      const identity = JSON.stringify(tuple);
      if (!tuples.has(identity)) tuples.set(identity, tuple);
    }
  }
  return [...tuples.values()];
}

/** The text of a key field; undefined for a missing one, '' for null and empty ones. */
function keyText(element: YamlNode, key: string): string | undefined {
  if (key === OWN_TEXT) return textOf(element);
  const value = itemOf(element, key)?.value;
  if (value === undefined) return undefined;
  return isNull(value) ? '' : textOf(value);
}

/** Two tuples that agree in one position and do not contradict each other become their union. */
function uniteOverlapping(tuples: readonly Tuple[]): Tuple[] {
  const united: Tuple[] = [...tuples];
  for (let i = 0; i < united.length; i++) {
    const tuple = united[i] ?? [];
    for (let j = 0; j < united.length; j++) {
      const union = unionOf(tuple, united[j] ?? []);
      if (union === undefined) continue;
      united[i] = union;
      united[j] = union;
    }
  }
  return united;
}

function unionOf(a: Tuple, b: Tuple): Tuple | undefined {
  let agrees = false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) agrees = true;
    else if (a[i] !== '' && b[i] !== '') return undefined;
  }
  return agrees ? a.map((text, i) => (text === '' ? (b[i] ?? '') : text)) : undefined;
}

/** The keys that at least one element has; all of them when none has any. */
function validKeys(tuples: readonly Tuple[], keys: readonly string[]): readonly string[] {
  const used = keys.filter((_, i) => tuples.some((tuple) => (tuple[i] ?? '') !== ''));
  return used.length === 0 ? keys : used;
}

/** The first element whose fields equal the values that are not empty (all values, when all are empty). */
function findElement(list: YamlSequence, keys: readonly string[], values: readonly string[]): YamlNode | undefined {
  const given = keys.map((key, i) => [key, values[i] ?? ''] as const).filter(([, value]) => value !== '');
  const wanted = given.length > 0 ? given : keys.map((key) => [key, ''] as const);
  if (wanted[0]?.[0] === OWN_TEXT) return list.items.find((item) => textOf(item) === wanted[0]?.[1]);
  return list.items.find((item) => isMap(item) && wanted.every(([key, value]) => hasText(item, key, value)));
}

function hasText(map: YamlMap, key: string, value: string): boolean {
  const found = itemOf(map, key)?.value;
  return found !== undefined && textOf(found) === value;
}

function addKeys(merged: YamlNode, keys: readonly string[], values: readonly string[]): void {
  if (!isMap(merged)) return;
  for (const [i, key] of keys.entries()) {
    const value = values[i] ?? '';
    if (value === '' || itemOf(merged, key) !== undefined) continue;
    merged.items.push({ key: newPlain(key), value: newPlain(value) });
  }
}

/**
 * Goes through the list: nulls and empty maps vanish, elements with the values are replaced by `element` (vanish, when
 * there is none), and when there was no such element it is appended.
 */
function put(list: YamlSequence, element: YamlNode | undefined, keys: readonly string[], values: readonly string[]): void {
  const wantsMaps = keys[0] !== OWN_TEXT && (values[0] ?? '') !== '';
  const kept: YamlNode[] = [];
  let found = false;
  for (const item of list.items) {
    if (isNull(item) || isEmptyMap(item)) continue;
    if (wantsMaps && item.kind !== 'map') {
      kept.push(item);
    } else if (isHit(item, keys, values)) {
      found = true;
      if (element !== undefined) kept.push(element);
    } else if (values.length > 0) kept.push(item);
  }
  if (!found && element !== undefined && !isNull(element)) kept.push(element);
  list.items = kept;
}

/** A key without a value of its own repeats the verdict of the key before it. */
function isHit(item: YamlNode, keys: readonly string[], values: readonly string[]): boolean {
  let verdict = false;
  for (const [i, key] of keys.entries()) {
    if (i < values.length) verdict = fieldHits(item, key, values[i] ?? '');
    if (!verdict) return false;
  }
  return verdict;
}

function fieldHits(item: YamlNode, key: string, value: string): boolean {
  if (key === OWN_TEXT) return textOf(item) === value;
  const found = itemOf(item, key)?.value;
  return found !== undefined && (value === '' || textOf(found) === value);
}

/** What is left of the object's list comes behind the merged elements. */
function appendRest(result: YamlSequence, dest: YamlSequence, keys: readonly string[]): void {
  for (const item of dest.items) {
    const values: string[] = [];
    for (const key of keys) {
      const text = key === OWN_TEXT ? textOf(item) : keyTextAsWritten(item, key);
      if (text === undefined) result.items.push(item);
      else values.push(text);
    }
    if (keys.length > 1) put(result, undefined, keys, values);
    put(result, item, keys, values);
  }
}

function keyTextAsWritten(item: YamlNode, key: string): string | undefined {
  if (item.kind !== 'map' && !isNull(item)) throw wrongNode(item, 'map');
  const found = itemOf(item, key)?.value;
  return found === undefined ? undefined : textOf(found);
}

function isEmptyMap(node: YamlNode): boolean {
  return node.kind === 'map' && node.items.length === 0;
}
