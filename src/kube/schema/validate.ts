import type { CelBudget } from '../../text/cel/index.ts';
import { deepEqual, isJsonObject, ownValue, stringifyJson, type Json, type JsonObject } from '../objects/index.ts';
import { fieldErrors } from './errors.ts';
import { objectAt } from './access.ts';
import { checkBuiltinTypes } from './builtin-types.ts';
import { checkLabels } from './check-metadata.ts';
import { checkKeywords } from './keywords.ts';
import { checkUnique, itemKey } from './listtype.ts';
import { fieldPath, itemPath } from './path.ts';
import { evaluateRules, OBJECT_COST_LIMIT } from './rules.ts';
import type { FieldError, Schema } from './types.ts';

const MAX_ERRORS = 200;

/**
 * Validates an object against its schema: types, keywords, unique list items, CEL rules (CRD-05, CRD-06). With an
 * `old` object, what is wrong but unchanged passes (CRD-07) and rules on `oldSelf` run. Of built-in kinds this
 * checks types alone: {@link checkBuiltinTypes}.
 */
export function validate(schema: Schema, value: Json, old?: Json): FieldError[] {
  const budget: CelBudget = { remaining: OBJECT_COST_LIMIT };
  return visit(schema, value, old, '', budget).slice(0, MAX_ERRORS);
}

function visit(schema: Schema, value: Json, old: Json | undefined, path: string, budget: CelBudget): FieldError[] {
  if (schema.title !== undefined) return checkBuiltinTypes(schema, value, path);
  if (schema.scalar === 'json') return [];
  const own = checkKeywords(schema, value, path);
  const hasType = own.every((error) => error.reason !== 'FieldValueTypeInvalid');
  if (hasType && value !== null) {
    own.push(...checkJunctors(schema, value, path, budget));
    if (Array.isArray(value)) own.push(...checkUnique(schema, value, path));
    if (schema.embeddedResource === true) own.push(...checkEmbedded(value, path));
    own.push(...evaluateRules(schema, value, old, path, budget));
  }
  const standing = own.length > 0 && old !== undefined && deepEqual(value, old) ? [] : own;
  return hasType ? [...standing, ...below(schema, value, old, path, budget)] : standing;
}

/** An object inside another says what it is, and its labels are labels. */
function checkEmbedded(value: Json, path: string): FieldError[] {
  const object = isJsonObject(value) ? value : {};
  const missing = ['apiVersion', 'kind'].filter((field) => (ownValue(object, field) ?? '') === '');
  const labels = objectAt(objectAt(object, 'metadata'), 'labels');
  return [
    ...missing.map((field) => fieldErrors.required(fieldPath(path, field), 'must not be empty')),
    ...checkLabels(labels, fieldPath(path, 'metadata.labels')),
  ];
}

function below(schema: Schema, value: Json, old: Json | undefined, path: string, budget: CelBudget): FieldError[] {
  if (Array.isArray(value)) return visitItems(schema, value, old, path, budget);
  return isJsonObject(value) ? visitFields(schema, value, old, path, budget) : [];
}

function visitFields(schema: Schema, object: JsonObject, old: Json | undefined, path: string, budget: CelBudget): FieldError[] {
  const before = isJsonObject(old) ? old : undefined;
  return Object.entries(object).flatMap(([key, item]) => {
    const field =
      ownValue(schema.properties, key) ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    return field === undefined ? [] : visit(field, item, ownValue(before, key), fieldPath(path, key), budget);
  });
}

function visitItems(schema: Schema, items: readonly Json[], old: Json | undefined, path: string, budget: CelBudget): FieldError[] {
  const { items: itemSchema } = schema;
  if (itemSchema === undefined) return [];
  const oldOf = correlate(schema, items, old);
  return items.flatMap((item, i) => visit(itemSchema, item, oldOf(item, i), itemPath(path, i), budget));
}

/** Finds an item's old value: by key in map lists, by place in lists that did not change. */
function correlate(schema: Schema, items: readonly Json[], old: Json | undefined): (item: Json, index: number) => Json | undefined {
  if (!Array.isArray(old)) return () => undefined;
  if (schema.listType === 'map') {
    const index = new Map(old.map((item) => [stringifyJson(itemKey(schema, item) ?? null), item]));
    return (item) => index.get(stringifyJson(itemKey(schema, item) ?? null));
  }
  return deepEqual(items, old) ? (_, i) => old[i] : () => undefined;
}

function holds(schema: Schema, value: Json, path: string, budget: CelBudget): boolean {
  return visit(schema, value, undefined, path, budget).length === 0;
}

function checkJunctors(schema: Schema, value: Json, path: string, budget: CelBudget): FieldError[] {
  const { allOf, anyOf, oneOf, not } = schema;
  const errors: FieldError[] = [];
  const name = JSON.stringify(path);
  const invalid = (detail: string): unknown => errors.push(fieldErrors.invalid(path, '', `${name} ${detail}`));
  for (const part of allOf ?? []) errors.push(...visit(part, value, undefined, path, budget));
  if (anyOf !== undefined && !anyOf.some((part) => holds(part, value, path, budget))) invalid('must validate at least one schema (anyOf)');
  if (oneOf !== undefined) {
    const count = oneOf.filter((part) => holds(part, value, path, budget)).length;
    const found = count === 0 ? 'Found none valid' : `Found ${count} valid alternatives`;
    if (count !== 1) invalid(`must validate one and only one schema (oneOf). ${found}`);
  }
  if (not !== undefined && holds(not, value, path, budget)) invalid('must not validate the schema (not)');
  return errors;
}
