import { chargeText } from './budget.ts';
import type { CelFunction } from './function.ts';
import type { CelStaticType } from './types.ts';
import {
  CelType,
  CelUint,
  checkedInt,
  checkedUint,
  failure,
  noOverload,
  numeric,
  typeName,
  type CelTypeName,
  type CelValue,
} from './values.ts';

const INTEGER = /^[+-]?\d{1,20}$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const SPECIAL_DOUBLES: Readonly<Record<string, number>> = {
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  infinity: Infinity,
  '+infinity': Infinity,
  '-infinity': -Infinity,
  nan: Number.NaN,
};
const TRUE_WORDS = new Set(['1', 't', 'true', 'TRUE', 'True']);
const FALSE_WORDS = new Set(['0', 'f', 'false', 'FALSE', 'False']);

/** The type names that are also values: `type(x) == int`. */
export const TYPE_NAMES: ReadonlySet<string> = new Set<CelTypeName>([
  'null_type',
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'list',
  'map',
  'type',
  'optional_type',
]);

function conversion(result: CelStaticType, convert: (value: CelValue) => CelValue | undefined): CelFunction {
  return {
    result,
    arity: [1],
    apply: ([value = null], budget) => {
      if (typeof value === 'string' || value instanceof Uint8Array) chargeText(budget, value.length);
      const converted = convert(value);
      if (converted === undefined) throw noOverload(result, value);
      return converted;
    },
  };
}

function toInteger(value: CelValue): bigint | undefined {
  const number = numeric(value);
  if (typeof number === 'bigint') return number;
  if (typeof number === 'number') {
    if (!Number.isFinite(number)) throw failure('integer overflow');
    return BigInt(Math.trunc(number));
  }
  if (typeof value !== 'string') return undefined;
  if (!INTEGER.test(value)) throw failure('the string is not an integer');
  return BigInt(value.replace(/^\+/, ''));
}

function toDouble(value: CelValue): number | undefined {
  const number = numeric(value);
  if (number !== undefined) return Number(number);
  if (typeof value !== 'string') return undefined;
  const special = Object.hasOwn(SPECIAL_DOUBLES, value.toLowerCase()) ? SPECIAL_DOUBLES[value.toLowerCase()] : undefined;
  if (special !== undefined) return special;
  if (!DECIMAL.test(value)) throw failure('the string is not a double');
  return Number(value);
}

function toBool(value: CelValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  if (TRUE_WORDS.has(value)) return true;
  if (FALSE_WORDS.has(value)) return false;
  throw failure('the string is not a bool');
}

function toText(value: CelValue): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof CelUint) return value.value.toString();
  if (value instanceof Uint8Array) return decodeUtf8(value);
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw failure(cause instanceof TypeError ? 'the bytes are not UTF-8' : 'the bytes cannot be decoded');
  }
}

function toBytes(value: CelValue): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' ? new TextEncoder().encode(value) : undefined;
}

function mapDefined<A, B>(value: A | undefined, fn: (value: A) => B): B | undefined {
  return value === undefined ? undefined : fn(value);
}

/** Type conversions and `type`, `dyn`. */
export const CONVERSIONS: Readonly<Record<string, CelFunction>> = {
  int: conversion('int', (value) => mapDefined(toInteger(value), checkedInt)),
  uint: conversion('uint', (value) => mapDefined(toInteger(value), checkedUint)),
  double: conversion('double', toDouble),
  bool: conversion('bool', toBool),
  string: conversion('string', toText),
  bytes: conversion('bytes', toBytes),
  dyn: conversion('dyn', (value) => value),
  type: conversion('type', (value) => new CelType(typeName(value))),
};
