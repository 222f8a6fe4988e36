import { charge, chargeText } from './budget.ts';
import type { CelFunction } from './function.ts';
import type { CelBudget } from './types.ts';
import { CelOptional, failure, isEqual, isList, isMap, noOverload, sizeOf, toCel, type CelValue } from './values.ts';

function join(args: readonly CelValue[], budget: CelBudget): string {
  const [list = null, separator = ''] = args;
  if (!isList(list) || typeof separator !== 'string') throw noOverload('join', ...args);
  const parts = list.filter((item) => typeof item === 'string');
  if (parts.length !== list.length) throw failure('join needs a list of strings');
  chargeText(
    budget,
    parts.reduce((sum, part) => sum + part.length + separator.length, 0),
  );
  return parts.join(separator);
}

/** A comparison of two lists as sets. */
function sets(holds: (a: readonly CelValue[], b: readonly CelValue[]) => boolean): CelFunction {
  return {
    result: 'bool',
    arity: [2],
    apply: (args, budget) => {
      const [a = null, b = null] = args;
      if (!isList(a) || !isList(b)) throw noOverload('sets', a, b);
      charge(budget, a.length * b.length + 1);
      return holds(a.map(toCel), b.map(toCel));
    },
  };
}

const includes = (list: readonly CelValue[], value: CelValue): boolean => list.some((item) => isEqual(item, value));
const includesAll = (a: readonly CelValue[], b: readonly CelValue[]): boolean => b.every((value) => includes(a, value));

function optional(result: CelFunction['result'], arity: number, apply: (option: CelOptional, other: CelValue) => CelValue): CelFunction {
  return {
    result,
    arity: [arity],
    apply: ([option = null, other = null]) => {
      if (!(option instanceof CelOptional)) throw noOverload('optional method', option);
      return apply(option, other);
    },
  };
}

function valueOf(option: CelOptional): CelValue {
  if (option.value === undefined) throw failure('the optional value is absent');
  return option.value;
}

function asOptional(value: CelValue): CelOptional {
  if (!(value instanceof CelOptional)) throw noOverload('or', value);
  return value;
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === 0n || value === 0) return true;
  return typeof value === 'string' || isList(value) || isMap(value) ? sizeOf(value) === 0 : false;
}

function decodeBase64([text = null]: readonly CelValue[], budget: CelBudget): Uint8Array {
  if (typeof text !== 'string') throw noOverload('base64.decode', text);
  chargeText(budget, text.length);
  const decoded = Buffer.from(text, 'base64');
  const canonical = decoded.toString('base64').replace(/=+$/, '');
  if (canonical !== text.replace(/=+$/, '')) throw failure('the text is not base64');
  return new Uint8Array(decoded);
}

function encodeBase64([bytes = null]: readonly CelValue[], budget: CelBudget): string {
  if (!(bytes instanceof Uint8Array)) throw noOverload('base64.encode', bytes);
  chargeText(budget, bytes.length);
  return Buffer.from(bytes).toString('base64');
}

/** Lists, cel-go's `sets` and `encoders` extensions, optional values. */
export const COLLECTION_FUNCTIONS: {
  readonly namespaced: Readonly<Record<string, CelFunction>>;
  readonly methods: Readonly<Record<string, CelFunction>>;
} = {
  namespaced: {
    'sets.contains': sets(includesAll),
    'sets.equivalent': sets((a, b) => includesAll(a, b) && includesAll(b, a)),
    'sets.intersects': sets((a, b) => a.some((value) => includes(b, value))),
    'base64.encode': { result: 'string', arity: [1], apply: encodeBase64 },
    'base64.decode': { result: 'bytes', arity: [1], apply: decodeBase64 },
    'optional.none': { result: 'optional', arity: [0], apply: () => new CelOptional(undefined) },
    'optional.of': { result: 'optional', arity: [1], apply: ([value = null]) => new CelOptional(value) },
    'optional.ofNonZeroValue': {
      result: 'optional',
      arity: [1],
      apply: ([value = null]) => new CelOptional(isZero(value) ? undefined : value),
    },
  },
  methods: {
    join: { result: 'string', arity: [1, 2], apply: join },
    hasValue: optional('bool', 1, (option) => option.value !== undefined),
    value: optional('dyn', 1, valueOf),
    orValue: optional('dyn', 2, (option, other) => (option.value === undefined ? other : option.value)),
    or: optional('optional', 2, (option, other) => (option.value === undefined ? asOptional(other) : option)),
  },
};
