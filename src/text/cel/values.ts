import { SottoError } from '../../base/errors/index.ts';

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

/** An unsigned integer; a plain bigint is a CEL int. */
export class CelUint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** The result of `type(x)` and of a bare type name. */
export class CelType {
  readonly name: CelTypeName;

  constructor(name: CelTypeName) {
    this.name = name;
  }
}

/** An optional value; undefined when absent. */
export class CelOptional {
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

/**
 * An optional variable, for `oldSelf` of rules with `optionalOldSelf`: present unless undefined. To be passed to
 * `CelExpression.evaluate`.
 */
export function celOptional(value: unknown): unknown {
  return new CelOptional(value === undefined ? undefined : toCel(value));
}

/** Lists and maps hold input values as they came; {@link toCel} converts elements when they are reached. */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | CelUint
  | CelType
  | CelOptional
  | Uint8Array
  | readonly unknown[]
  | ReadonlyMap<unknown, unknown>
  | Readonly<Record<string, unknown>>;

export type CelTypeName = 'null_type' | 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'list' | 'map' | 'type' | 'optional_type';

/** An error of evaluation. The text names types and keys, never values. */
export function failure(message: string): SottoError {
  return new SottoError('CEL_EVALUATION', message);
}

export function noOverload(what: string, ...values: readonly CelValue[]): SottoError {
  return failure(`no such overload: ${what}(${values.map(typeName).join(', ')})`);
}

/** An input value as CEL sees it. */
export function toCel(value: unknown): CelValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'bigint') return value > MAX_INT && value <= MAX_UINT ? new CelUint(value) : checkedInt(value);
  if (value === undefined) throw failure('a value is undefined');
  if (typeof value === 'symbol' || typeof value === 'function') throw failure('a value is not data');
  return value as CelValue;
}

/** A result as JavaScript sees it. */
export function fromCel(value: CelValue): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof CelUint) return fromCel(value.value);
  if (value instanceof CelType) return value.name;
  if (value instanceof CelOptional) return value.value === undefined ? undefined : fromCel(value.value);
  if (isList(value)) return value.map((item) => fromCel(toCel(item)));
  if (isMap(value)) return fromMap(value);
  return value;
}

function fromMap(value: ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>): unknown {
  const entries = mapKeys(value).map((key): [string, unknown] => [String(fromCel(key)), fromCel(lookup(value, key) ?? null)]);
  return Object.fromEntries(entries);
}

export function checkedInt(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw failure('integer overflow');
  return value;
}

export function checkedUint(value: bigint): CelUint {
  if (value < 0n || value > MAX_UINT) throw failure('unsigned integer overflow');
  return new CelUint(value);
}

export function isList(value: CelValue): value is readonly unknown[] {
  return Array.isArray(value);
}

export function isMap(value: CelValue): value is ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>> {
  return typeName(value) === 'map';
}

export function typeName(value: CelValue): CelTypeName {
  if (value === null) return 'null_type';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
      return objectTypeName(value);
  }
}

function objectTypeName(value: object): CelTypeName {
  if (Array.isArray(value)) return 'list';
  if (value instanceof CelUint) return 'uint';
  if (value instanceof CelType) return 'type';
  if (value instanceof CelOptional) return 'optional_type';
  return value instanceof Uint8Array ? 'bytes' : 'map';
}

/** The keys of a map. Strings for plain objects. */
export function mapKeys(map: ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>): CelValue[] {
  return map instanceof Map ? [...map.keys()].map(toCel) : Object.keys(map);
}

export function sizeOf(value: CelValue): number | undefined {
  if (typeof value === 'string') return codePointLength(value);
  if (isList(value) || value instanceof Uint8Array) return value.length;
  return isMap(value) ? mapKeys(value).length : undefined;
}

/** The value under a key, undefined when there is none. Plain objects answer for own keys only. */
export function lookup(map: ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>, key: CelValue): CelValue | undefined {
  if (!(map instanceof Map)) {
    const record = map as Readonly<Record<string, unknown>>;
    if (typeof key !== 'string' || !Object.hasOwn(record, key) || record[key] === undefined) return undefined;
    return toCel(record[key]);
  }
  for (const [candidate, value] of map) if (isEqual(toCel(candidate), key)) return toCel(value);
  return undefined;
}

function codePointLength(text: string): number {
  let length = text.length;
  for (let i = 1; i < text.length; i++) if (isTrail(text.charCodeAt(i)) && isLead(text.charCodeAt(i - 1))) length--;
  return length;
}

function isLead(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isTrail(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** A number of any kind for comparison, or undefined. */
export function numeric(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof CelUint ? value.value : undefined;
}

/** CEL equality: numbers compare across types, values of different types are unequal. */
export function isEqual(a: CelValue, b: CelValue): boolean {
  const left = numeric(a);
  const right = numeric(b);
  if (left !== undefined || right !== undefined)
    return left !== undefined && right !== undefined && !(left < right) && !(left > right) && !isNaN(left, right);
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, index) => isEqual(toCel(item), toCel(b[index])));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof CelType && b instanceof CelType) return a.name === b.name;
  if (a instanceof CelOptional && b instanceof CelOptional) return isEqualOptional(a, b);
  if (isMap(a) && isMap(b)) return isEqualMap(a, b);
  return a === b;
}

function isNaN(...values: readonly (bigint | number)[]): boolean {
  return values.some((value) => typeof value === 'number' && Number.isNaN(value));
}

function isEqualOptional(a: CelOptional, b: CelOptional): boolean {
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return isEqual(a.value, b.value);
}

type CelMap = ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>;

function isEqualMap(a: CelMap, b: CelMap): boolean {
  const keys = mapKeys(a);
  if (keys.length !== mapKeys(b).length) return false;
  return keys.every((key) => {
    const left = lookup(a, key);
    const right = lookup(b, key);
    return left !== undefined && right !== undefined && isEqual(left, right);
  });
}

/** Order of two values: negative, zero, positive; undefined when they have none (other types, NaN). */
export function compare(a: CelValue, b: CelValue): number | undefined {
  const left = numeric(a);
  const right = numeric(b);
  if (left !== undefined && right !== undefined) return isNaN(left, right) ? Number.NaN : left < right ? -1 : left > right ? 1 : 0;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) : undefined;
}

/** Order by code points: UTF-16 units would put U+10000 before U+FFFF. */
function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
