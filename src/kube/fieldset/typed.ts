import { isJsonObject, type Json } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { elementText } from './element.ts';
import { fieldOf, itemElement, itemSchema, UNTYPED } from './shape.ts';

/**
 * Why an applied configuration does not fit its schema: fields that are not declared, wrong types, duplicate
 * items of set and map lists. Texts carry paths and types, never values.
 */
export function typedProblems(schema: Schema, value: Json): string[] {
  const problems: string[] = [];
  visit(schema, value, '', problems);
  return problems;
}

/** Many problems as one text, the way upstream joins them. */
export function joinProblems(problems: readonly string[]): string {
  return problems.length === 1 ? (problems[0] ?? '') : ['errors:', ...problems.map((problem) => `  ${problem}`)].join('\n');
}

function typeName(value: Json): string {
  if (Array.isArray(value)) return 'list';
  return isJsonObject(value) ? 'map' : typeof value;
}

const EXPECTED = {
  string: ['string', 'string'],
  boolean: ['boolean', 'boolean'],
  integer: ['numeric (int or float)', 'number'],
  number: ['numeric (int or float)', 'number'],
  object: ['map', 'map'],
  array: ['list', 'list'],
} as const;

function visit(schema: Schema, value: Json, path: string, problems: string[]): void {
  if (value === null || schema.scalar === 'json') return;
  if (schema.scalar !== undefined || schema.intOrString === true) {
    if (typeof value === 'object') problems.push(located(path, `expected scalar, got ${typeName(value)}`));
    return;
  }
  if (schema.type !== undefined) {
    const [expected, type] = EXPECTED[schema.type];
    const actual = typeof value === 'bigint' ? 'number' : typeName(value);
    if (type !== actual) return void problems.push(located(path, `expected ${expected}, got ${actual}`));
  }
  if (isJsonObject(value)) visitMap(schema, value, path, problems);
  else if (Array.isArray(value)) visitList(schema, value, path, problems);
}

function located(path: string, problem: string): string {
  return path === '' ? problem : `${path}: ${problem}`;
}

function visitMap(schema: Schema, value: Readonly<Record<string, Json>>, path: string, problems: string[]): void {
  for (const [key, item] of Object.entries(value)) {
    const at = `${path}.${key}`;
    const field = fieldOf(schema, key);
    if (field === undefined) problems.push(`${at}: field not declared in schema`);
    else visit(field.schema, item, at, problems);
  }
}

function visitList(schema: Schema, items: readonly Json[], path: string, problems: string[]): void {
  const isAssociative = schema.listType === 'set' || schema.listType === 'map';
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    const element = isAssociative ? itemElement(schema, item) : `i:${i}`;
    if (typeof element !== 'string') {
      problems.push(located(path, `element ${i}: ${element.problem}`));
      continue;
    }
    const text = elementText(element);
    if (seen.has(element)) problems.push(located(path, `duplicate entries for key ${text}`));
    seen.add(element);
    visit(schema.items === undefined ? UNTYPED : itemSchema(schema), item, `${path}${text}`, problems);
  }
}
