import { compileRegExp } from '../../text/regexp/index.ts';
import { deepEqual, isJsonObject, stringifyJson, type Json, type JsonObject } from '../objects/index.ts';
import { fieldErrors } from './errors.ts';
import { hasFormat } from './formats.ts';
import type { FieldError, Schema } from './types.ts';

/** The name of a value's JSON type, as error messages say it. */
export function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'bigint' ? 'integer' : typeof value;
}

/** Everything a node says about its own value, without what is below. */
export function checkKeywords(schema: Schema, value: Json, path: string): FieldError[] {
  const wrongType = checkType(schema, value, path);
  if (wrongType !== undefined) return [wrongType];
  if (value === null) return [];
  return [...checkEnum(schema, value, path), ...checkByType(schema, value, path)];
}

function checkType(schema: Schema, value: Json, path: string): FieldError | undefined {
  const actual = typeOf(value);
  if (value === null && schema.nullable === true) return undefined;
  if (schema.intOrString === true) {
    return actual === 'integer' || actual === 'string' ? undefined : wrongType(path, 'integer,string', actual);
  }
  const { type } = schema;
  if (type === undefined || type === actual || (type === 'number' && actual === 'integer')) return undefined;
  return wrongType(path, type, actual);
}

function wrongType(path: string, expected: string, actual: string): FieldError {
  return fieldErrors.typeInvalid(path, actual, `${path} in body must be of type ${expected}: ${JSON.stringify(actual)}`);
}

function checkEnum(schema: Schema, value: Json, path: string): FieldError[] {
  if (schema.enum === undefined || schema.enum.some((allowed) => deepEqual(allowed, value))) return [];
  // The supported values are listed as texts, whatever they are.
  return [
    fieldErrors.notSupported(
      path,
      value,
      schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : stringifyJson(allowed))),
    ),
  ];
}

function checkByType(schema: Schema, value: Json, path: string): FieldError[] {
  if (typeof value === 'string') return checkString(schema, value, path);
  if (typeof value === 'number' || typeof value === 'bigint') return checkNumber(schema, value, path);
  if (Array.isArray(value)) return checkLength(schema, value, path);
  return isJsonObject(value) ? checkProperties(schema, value, path) : [];
}

function checkString(schema: Schema, value: string, path: string): FieldError[] {
  const { minLength, maxLength, pattern, format } = schema;
  const errors: FieldError[] = [];
  const invalid = (detail: string): unknown => errors.push(fieldErrors.invalid(path, value, `${path} in body ${detail}`));
  const length = minLength === undefined && maxLength === undefined ? 0 : codePoints(value);
  if (maxLength !== undefined && length > maxLength) errors.push(fieldErrors.tooLong(path, maxLength));
  if (minLength !== undefined && length < minLength) invalid(`should be at least ${minLength} chars long`);
  if (pattern !== undefined && !compileRegExp(pattern).test(value)) invalid(`should match '${pattern}'`);
  if (format !== undefined && schema.intOrString !== true && !hasFormat(format, value)) {
    errors.push(fieldErrors.typeInvalid(path, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`));
  }
  return errors;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

const INTEGER_RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};

function checkNumber(schema: Schema, value: number | bigint, path: string): FieldError[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format } = schema;
  const errors: FieldError[] = [];
  const invalid = (detail: string): unknown => errors.push(fieldErrors.invalid(path, value, `${path} in body ${detail}`));
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    invalid(`should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`);
  }
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    invalid(`should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`);
  }
  if (multipleOf !== undefined && !isMultiple(Number(value), multipleOf)) invalid(`should be a multiple of ${multipleOf}`);
  const range = schema.type === 'integer' && format !== undefined ? INTEGER_RANGES[format] : undefined;
  if (range !== undefined && (value < range[0] || value > range[1])) {
    errors.push(fieldErrors.typeInvalid(path, value, `${path} in body must be of type ${format ?? ''}: ${JSON.stringify(String(value))}`));
  }
  return errors;
}

function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9;
}

function checkLength(schema: Schema, items: readonly Json[], path: string): FieldError[] {
  const { minItems, maxItems } = schema;
  const errors: FieldError[] = [];
  if (maxItems !== undefined && items.length > maxItems) errors.push(fieldErrors.tooMany(path, items.length, maxItems));
  if (minItems !== undefined && items.length < minItems) {
    errors.push(fieldErrors.invalid(path, items.length, `${path} in body should have at least ${minItems} items`));
  }
  return errors;
}

function checkProperties(schema: Schema, object: JsonObject, path: string): FieldError[] {
  const { minProperties, maxProperties, required } = schema;
  const count = Object.keys(object).length;
  const errors: FieldError[] = [];
  if (maxProperties !== undefined && count > maxProperties) errors.push(fieldErrors.tooMany(path, count, maxProperties));
  if (minProperties !== undefined && count < minProperties) {
    errors.push(fieldErrors.invalid(path, count, `${path} in body should have at least ${minProperties} properties`));
  }
  for (const name of required ?? []) {
    if (!Object.hasOwn(object, name)) errors.push(fieldErrors.required(path === '' ? name : `${path}.${name}`));
  }
  return errors;
}
