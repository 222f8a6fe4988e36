import { deepEqual, type Json } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { fieldElement, type PathElement } from './element.ts';
import { FieldSetBuilder, type FieldSet } from './fieldset.ts';
import { asList, asMap, fieldOf, indexItems, itemSchema, shapeOf, UNTYPED } from './shape.ts';

/** What differs between two objects, as field sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

interface Builders {
  readonly added: FieldSetBuilder;
  readonly modified: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
}

/**
 * Compares two objects field by field: atomic values as a whole, set and map lists by item. Every node that
 * exists on one side only is added or removed itself, beside what is below it.
 */
export function compare(schema: Schema, before: Json, after: Json): Comparison {
  const builders = { added: new FieldSetBuilder(), modified: new FieldSetBuilder(), removed: new FieldSetBuilder() };
  compareNodes(schema, before, after, builders);
  return { added: builders.added.build(), modified: builders.modified.build(), removed: builders.removed.build() };
}

/** The comparison without the fields that a subresource or strategy resets. */
export function ignoring(comparison: Comparison, reset: FieldSet): Comparison {
  return {
    added: comparison.added.recursiveDifference(reset),
    modified: comparison.modified.recursiveDifference(reset),
    removed: comparison.removed.recursiveDifference(reset),
  };
}

type Side = Json | undefined;

function below(builders: Builders, element: PathElement): Builders {
  return {
    added: builders.added.child(element),
    modified: builders.modified.child(element),
    removed: builders.removed.child(element),
  };
}

function compareNodes(schema: Schema, before: Side, after: Side, out: Builders): void {
  const [left, right] = [shapeOf(schema, before), shapeOf(schema, after)];
  const shape = after === undefined || after === null ? (left ?? right) : right;
  // A value that changed from a map to something else loses its fields and is modified itself.
  if (left === 'map' && shape !== 'map') compareMaps(schema, before, undefined, out);
  switch (shape) {
    case 'map':
      if (!isEmpty(before) || !isEmpty(after)) compareMaps(schema, before, after, out);
      else compareLeaves(before, after, out);
      break;
    case 'map-list':
    case 'set-list':
      if (!isEmpty(before) || !isEmpty(after)) compareLists(schema, before, after, out);
      else compareLeaves(before, after, out);
      break;
    case 'leaf':
    case undefined:
      compareLeaves(before, after, out);
  }
  if (before === undefined) out.added.mark();
  else if (after === undefined) out.removed.mark();
  else if (left === 'leaf' && shape !== 'leaf' && before !== null) out.modified.mark();
}

/** True for whatever has no fields or items; telling null from an empty map is left to the leaf comparison. */
function isEmpty(value: Side): boolean {
  return Object.keys(asMap(value) ?? asList(value) ?? {}).length === 0;
}

function compareLeaves(before: Side, after: Side, out: Builders): void {
  if (before === undefined) out.added.mark();
  else if (after === undefined) out.removed.mark();
  else if (!deepEqual(before, after)) out.modified.mark();
}

function compareMaps(schema: Schema, before: Side, after: Side, out: Builders): void {
  const [left, right] = [asMap(before) ?? {}, asMap(after) ?? {}];
  const both = (key: string, a: Side, b: Side): void => {
    if (a === b) return;
    compareNodes(fieldOf(schema, key)?.schema ?? UNTYPED, a, b, below(out, fieldElement(key)));
  };
  for (const [key, value] of Object.entries(left)) both(key, value, Object.hasOwn(right, key) ? right[key] : undefined);
  for (const [key, value] of Object.entries(right)) if (!Object.hasOwn(left, key)) both(key, undefined, value);
}

function compareLists(schema: Schema, before: Side, after: Side, out: Builders): void {
  const [left, right] = [indexItems(schema, asList(before)), indexItems(schema, asList(after))];
  const items = itemSchema(schema);
  const both = (element: PathElement, a: readonly Json[], b: readonly Json[]): void => {
    const at = below(out, element);
    if (a.length <= 1 && b.length <= 1) compareNodes(items, a[0], b[0], at);
    else compareDuplicates(items, a, b, at);
  };
  for (const [element, values] of left) both(element, values, right.get(element) ?? []);
  for (const [element, values] of right) if (!left.has(element)) both(element, [], values);
}

/** Items that share an identity are compared as a whole; one item that remains or was before is compared by field. */
function compareDuplicates(items: Schema, before: readonly Json[], after: readonly Json[], out: Builders): void {
  if (before.length > 1 && after.length > 1) {
    if (!deepEqual(before, after)) out.modified.mark();
  } else if (before.length > 1) {
    if (after[0] !== undefined) compareNodes(items, undefined, after[0], out);
    out.removed.mark();
  } else {
    if (before[0] !== undefined) compareNodes(items, before[0], undefined, out);
    out.added.mark();
  }
}
