import { isJsonObject, ownValue, setOwn, type Json, type JsonObject } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { fieldElement, type PathElement } from './element.ts';
import { FieldSet } from './fieldset.ts';
import { asList, asMap, fieldOf, indexItems, itemSchema, UNTYPED } from './shape.ts';

/** One node of the object while pruning: its value before, what is applied there, and what is owned below. */
interface Context {
  readonly merged: Json | undefined;
  readonly config: Json | undefined;
  readonly owned: FieldSet;
}

/**
 * Pruning leaves null where a map or list lost its last entry. Such a field goes, unless null means something
 * there. It stays, empty, when it is applied as empty or somebody owns the field itself, so that the same
 * configuration applied again finds what it left.
 */
export function settleRemoved(schema: Schema, context: Context, pruned: Json): Json {
  if (context.merged === pruned) return pruned;
  if (Array.isArray(pruned)) return settleItems(schema, context, pruned);
  if (!isJsonObject(pruned)) return pruned;
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(pruned)) {
    const field = fieldOf(schema, key)?.schema ?? UNTYPED;
    const child: Context = {
      merged: ownValue(asMap(context.merged), key),
      config: ownValue(asMap(context.config), key),
      owned: below(context, fieldElement(key)),
    };
    const wasRemoved = value === null && child.merged !== undefined && child.merged !== null;
    const isWanted = child.owned.member || (child.config ?? null) !== null;
    if (wasRemoved && isWanted) setOwn(result, key, Array.isArray(child.merged) ? [] : {});
    else if (!wasRemoved || field.nullable === true) setOwn(result, key, settleRemoved(field, child, value));
  }
  for (const [key, value] of Object.entries(asMap(context.config) ?? {})) {
    // Nobody owns an empty list, so pruning took it with what it held before.
    if (!Object.hasOwn(result, key) && typeof value === 'object' && value !== null) setOwn(result, key, Array.isArray(value) ? [] : {});
  }
  return result;
}

function below(context: Context, element: PathElement): FieldSet {
  return context.owned.children.get(element) ?? FieldSet.empty;
}

function settleItems(schema: Schema, context: Context, items: readonly Json[]): Json[] {
  const merged = indexItems(schema, asList(context.merged));
  const config = indexItems(schema, asList(context.config));
  return [...indexItems(schema, items)].flatMap(([element, values]) =>
    values.map((value, i) => {
      const child = { merged: merged.get(element)?.[i], config: config.get(element)?.[i], owned: below(context, element) };
      return settleRemoved(itemSchema(schema), child, value);
    }),
  );
}
