import type { Json, JsonObject } from '../objects/index.ts';
import { ownValue, setOwn } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import type { PathElement } from './element.ts';
import { asList, asMap, fieldOf, indexItems, itemSchema, shapeOf, UNTYPED } from './shape.ts';

/**
 * The live object with an applied configuration laid over it: leaves and atomic values replace, maps merge by
 * key, set and map lists by item. Applied items keep their relative order, the others their place.
 */
export function mergeApplied(schema: Schema, live: Json | undefined, applied: Json): Json {
  if (live === undefined || live === applied) return applied;
  switch (shapeOf(schema, applied)) {
    case 'map':
      return mergeMaps(schema, live, applied);
    case 'map-list':
    case 'set-list':
      return mergeLists(schema, live, applied);
    default:
      return applied;
  }
}

function mergeMaps(schema: Schema, live: Json, applied: Json): Json {
  const [base, over] = [asMap(live), asMap(applied)];
  if (base === undefined || Object.keys(base).length === 0) return applied;
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(base)) {
    const config = ownValue(over, key);
    setOwn(result, key, config === undefined ? value : mergeApplied(fieldOf(schema, key)?.schema ?? UNTYPED, value, config));
  }
  for (const [key, value] of Object.entries(over ?? {})) if (!Object.hasOwn(base, key)) setOwn(result, key, value);
  return result;
}

function mergeLists(schema: Schema, live: Json, applied: Json): Json {
  const [base, over] = [indexItems(schema, asList(live)), indexItems(schema, asList(applied))];
  if (base.size === 0) return applied;
  const queue = [...over.keys()];
  const shared = queue.filter((element) => base.has(element));
  const merged: Json[] = [];
  let taken = 0;
  let nextShared = 0;
  const takeThrough = (last: PathElement | undefined): void => {
    while (taken < queue.length) {
      const element = queue[taken++] as PathElement;
      merged.push(...mergeItems(schema, base.get(element) ?? [], over.get(element) ?? []));
      if (element === last) return;
    }
  };
  for (const [element, items] of base) {
    if (!over.has(element)) merged.push(...items);
    else if (element === shared[nextShared]) {
      takeThrough(element);
      nextShared++;
    }
  }
  takeThrough(undefined);
  return merged;
}

function mergeItems(schema: Schema, live: readonly Json[], applied: readonly Json[]): readonly Json[] {
  const [before, config] = [live[0], applied[0]];
  if (live.length !== 1 || applied.length !== 1 || config === undefined) return applied;
  return [mergeApplied(itemSchema(schema), before, config)];
}
