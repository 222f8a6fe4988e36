import { isJsonObject, ownValue, type Json } from '../objects/index.ts';
import { fieldErrors } from './errors.ts';
import { isBase64 } from './check-data.ts';
import { typeOf } from './keywords.ts';
import { fieldPath, itemPath } from './path.ts';
import { canonicalQuantity } from './quantity.ts';
import type { FieldError, Schema } from './types.ts';

/**
 * Values of a built-in kind that Go's decoder would not take: wrong types, integers out of range, data that
 * is not base64, quantities that do not parse. Null counts as absent everywhere, and what a kind requires is for
 * its own checks. No text contains a value.
 */
export function checkBuiltinTypes(schema: Schema, value: Json, path = ''): FieldError[] {
  if (value === null || schema.scalar === 'json') return [];
  const problem = problemOf(schema, value);
  if (problem !== undefined) return [fieldErrors.typeInvalid(path, typeOf(value), `must be of type ${problem}`)];
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? [] : value.flatMap((item, i) => checkBuiltinTypes(items, item, itemPath(path, i)));
  }
  if (!isJsonObject(value)) return [];
  const { additionalProperties } = schema;
  return Object.entries(value).flatMap(([key, item]) => {
    const property = ownValue(schema.properties, key);
    if (property !== undefined) return checkBuiltinTypes(property, item, fieldPath(path, key));
    return typeof additionalProperties === 'object' ? checkBuiltinTypes(additionalProperties, item, itemPath(path, key)) : [];
  });
}

const INT32 = 2 ** 31;

/** The type that a value should have and has not. */
function problemOf(schema: Schema, value: Json): string | undefined {
  const actual = typeOf(value);
  if (schema.scalar === 'quantity') return isQuantity(value) ? undefined : 'quantity';
  if (schema.intOrString === true) return actual === 'integer' || actual === 'string' ? undefined : 'integer or string';
  const { type, format } = schema;
  if (type === undefined) return undefined;
  if (type !== actual && !(type === 'number' && actual === 'integer')) return type;
  if (format === 'byte' && !isBase64(value)) return 'base64';
  if (format === 'int32' && typeof value === 'number' && (value >= INT32 || value < -INT32)) return 'int32';
  return undefined;
}

function isQuantity(value: Json): boolean {
  return (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') && canonicalQuantity(value) !== undefined;
}
