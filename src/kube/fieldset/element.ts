import { isDeeperThan, isJsonObject, parseJson, stringifyJson, type Json, type JsonObject } from '../objects/index.ts';

/**
 * One step of a field path, as the key that FieldsV1 writes for it: `f:name`, `k:{"name":"x"}`, `v:"x"` or `i:0`.
 * Keys are canonical, so equal steps are equal strings.
 */
export type PathElement = string;

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

/** A list-map item; its keys are written in order of their names. */
export function keyElement(keys: Readonly<Record<string, Json>>): PathElement {
  const sorted: JsonObject = {};
  for (const name of Object.keys(keys).toSorted()) sorted[name] = keys[name] ?? null;
  return `k:${stringifyJson(sorted)}`;
}

export function valueElement(value: Json): PathElement {
  return `v:${stringifyJson(sortKeys(value))}`;
}

function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => compareText(a, b))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
}

/**
 * Reads an element that came from a client and writes it canonically; undefined when it is none.
 */
export function parseElement(text: string): PathElement | undefined {
  const body = text.slice(2);
  switch (text.slice(0, 2)) {
    case 'f:':
      return text;
    case 'i:':
      return /^\d{1,9}$/.test(body) ? `i:${Number(body)}` : undefined;
    case 'v:': {
      const value = jsonOf(body);
      return value === undefined ? undefined : valueElement(value);
    }
    case 'k:': {
      const value = jsonOf(body);
      return isJsonObject(value) ? keyElement(value) : undefined;
    }
    default:
      return undefined;
  }
}

/** Keys and values are scalars or small; anything deeper comes from an attacker. */
const MAX_DEPTH = 20;

function jsonOf(text: string): Json | undefined {
  try {
    const value = parseJson(text);
    return isDeeperThan(value, MAX_DEPTH) ? undefined : value;
  } catch {
    // Not JSON: the caller treats the whole set as undecodable.
    return undefined;
  }
}

/** How error messages write a step: `.name`, `[name="x"]`, `[="x"]`, `[0]`. */
export function elementText(element: PathElement): string {
  const body = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${body}`;
    case 'k': {
      const keys = Object.entries(parseJson(body) as JsonObject);
      return `[${keys.map(([name, value]) => `${name}=${stringifyJson(value)}`).join(',')}]`;
    }
    case 'v':
      return `[=${body}]`;
    default:
      return `[${body}]`;
  }
}

const KINDS = 'fkvi';

/** A step taken apart, so that sorting parses it once. */
interface ParsedElement {
  readonly element: PathElement;
  readonly kind: number;
  readonly content: Json;
}

function takeApart(element: PathElement): ParsedElement {
  const kind = KINDS.indexOf(element[0] ?? '');
  const body = element.slice(2);
  return { element, kind, content: element.startsWith('f:') ? body : parseJson(body) };
}

function compareParsed(a: ParsedElement, b: ParsedElement): number {
  return a.kind - b.kind || compareValues(a.content, b.content) || compareText(a.element, b.element);
}

/** The order of steps within a node: fields, keys, values, indices; each by content. */
export function sortElements(elements: Iterable<PathElement>): PathElement[] {
  const all = [...elements];
  if (all.every((element) => element.startsWith('f:'))) return all.toSorted(compareText);
  return all
    .map(takeApart)
    .toSorted(compareParsed)
    .map(({ element }) => element);
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

const TYPES = ['number', 'string', 'boolean', 'list', 'map', 'null'];

function typeIndex(value: Json): number {
  if (value === null) return TYPES.indexOf('null');
  if (Array.isArray(value)) return TYPES.indexOf('list');
  if (typeof value === 'object') return TYPES.indexOf('map');
  return Math.max(0, TYPES.indexOf(typeof value));
}

function compareValues(a: Json, b: Json): number {
  const type = typeIndex(a) - typeIndex(b);
  if (type !== 0) return type;
  if (isJsonObject(a) && isJsonObject(b)) return compareMaps(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return compareText(stringifyJson(a), stringifyJson(b));
  return a === null || b === null ? 0 : a < b ? -1 : Number(a > b);
}

function compareMaps(a: JsonObject, b: JsonObject): number {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  for (const [i, [name, value]] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const order = compareText(name, other[0]) || compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
