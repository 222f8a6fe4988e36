import { isJsonObject, ownValue, setOwn, type Json, type JsonObject } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { fieldElement } from './element.ts';
import { FieldSet } from './fieldset.ts';
import { asList, asMap, fieldOf, indexItems, itemSchema, UNTYPED } from './shape.ts';

/**
 * Pruning leaves null where a map or list lost its last entry. Such a field goes, unless null means something
 * there or somebody owns the field itself: then it stays, empty, so that the same configuration applied again
 * finds what it left.
 */
export function settleRemoved(schema: Schema, merged: Json, pruned: Json, owned: FieldSet): Json {
  if (merged === pruned) return pruned;
  if (Array.isArray(pruned)) return settleItems(schema, asList(merged), pruned, owned);
  if (!isJsonObject(pruned)) return pruned;
  const before = asMap(merged);
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(pruned)) {
    const field = fieldOf(schema, key)?.schema ?? UNTYPED;
    const child = owned.children.get(fieldElement(key)) ?? FieldSet.empty;
    const old = ownValue(before, key) ?? null;
    if (value !== null || old === null || field.nullable === true) setOwn(result, key, settleRemoved(field, old, value, child));
    else if (child.member) setOwn(result, key, Array.isArray(old) ? [] : {});
  }
  return result;
}

function settleItems(schema: Schema, before: readonly Json[] | undefined, items: readonly Json[], owned: FieldSet): Json[] {
  const old = indexItems(schema, before);
  return [...indexItems(schema, items)].flatMap(([element, values]) => {
    const child = owned.children.get(element) ?? FieldSet.empty;
    return values.map((value, i) => settleRemoved(itemSchema(schema), old.get(element)?.[i] ?? null, value, child));
  });
}
