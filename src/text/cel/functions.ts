import { charge, chargeText } from './budget.ts';
import { CONVERSIONS } from './conversions.ts';
import { COLLECTION_FUNCTIONS } from './functions-collections.ts';
import { STRING_FUNCTIONS } from './functions-strings.ts';
import type { CelFunction } from './function.ts';
import { noOverload, sizeOf } from './values.ts';

const size: CelFunction = {
  result: 'int',
  arity: [1],
  apply: (args, budget) => {
    const [value = null] = args;
    const length = sizeOf(value);
    if (length === undefined) throw noOverload('size', value);
    if (typeof value === 'string') chargeText(budget, value.length);
    else charge(budget, 1);
    return BigInt(length);
  },
};

/** Functions called by name: `size(x)`, also namespaced ones such as `sets.contains(a, b)`. */
export const GLOBAL_FUNCTIONS: ReadonlyMap<string, CelFunction> = new Map([
  ['size', size],
  ...named(STRING_FUNCTIONS, ['matches']),
  ...Object.entries(CONVERSIONS),
  ...Object.entries(COLLECTION_FUNCTIONS.namespaced),
]);

/** Functions called on a value: `x.size()`. */
export const METHODS: ReadonlyMap<string, CelFunction> = new Map([
  ['size', size],
  ...Object.entries(STRING_FUNCTIONS),
  ...Object.entries(COLLECTION_FUNCTIONS.methods),
]);

function named(table: Readonly<Record<string, CelFunction>>, names: readonly string[]): [string, CelFunction][] {
  return Object.entries(table).filter(([name]) => names.includes(name));
}
