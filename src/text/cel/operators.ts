import { charge, chargeText } from './budget.ts';
import type { CelBudget, CelStaticType } from './types.ts';
import {
  checkedInt,
  checkedUint,
  compare,
  CelUint,
  failure,
  isEqual,
  isList,
  isMap,
  lookup,
  noOverload,
  sizeOf,
  toCel,
  type CelValue,
} from './values.ts';

export interface BinaryOperator {
  readonly result: CelStaticType;
  apply(left: CelValue, right: CelValue, budget: CelBudget): CelValue;
}

interface Arithmetic {
  readonly ints: (a: bigint, b: bigint) => bigint;
  readonly doubles?: (a: number, b: number) => number;
}

function nonZero(divisor: bigint, what: string): bigint {
  if (divisor === 0n) throw failure(`${what} by zero`);
  return divisor;
}

const ARITHMETIC: Readonly<Record<string, Arithmetic>> = {
  '+': { ints: (a, b) => a + b, doubles: (a, b) => a + b },
  '-': { ints: (a, b) => a - b, doubles: (a, b) => a - b },
  '*': { ints: (a, b) => a * b, doubles: (a, b) => a * b },
  '/': { ints: (a, b) => a / nonZero(b, 'division'), doubles: (a, b) => a / b },
  '%': { ints: (a, b) => a % nonZero(b, 'modulus') },
};

/**
 * Arithmetic within one number type. An int beside a double is taken as a double: an integral double of a
 * JSON document arrives as an int, and would otherwise fail only for round values.
 */
function arithmetic(name: string, left: CelValue, right: CelValue): CelValue {
  const operation = ARITHMETIC[name];
  if (operation === undefined) throw noOverload(name, left, right);
  if (typeof left === 'bigint' && typeof right === 'bigint') return checkedInt(operation.ints(left, right));
  if (left instanceof CelUint && right instanceof CelUint) return checkedUint(operation.ints(left.value, right.value));
  const a = toDouble(left);
  const b = toDouble(right);
  if (operation.doubles === undefined || a === undefined || b === undefined) throw noOverload(name, left, right);
  return operation.doubles(a, b);
}

function toDouble(value: CelValue): number | undefined {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

function add(left: CelValue, right: CelValue, budget: CelBudget): CelValue {
  if (typeof left === 'string' && typeof right === 'string') {
    chargeText(budget, left.length + right.length);
    return left + right;
  }
  if (isList(left) && isList(right)) {
    charge(budget, left.length + right.length);
    return [...left, ...right];
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    chargeText(budget, left.length + right.length);
    return new Uint8Array(Buffer.concat([left, right]));
  }
  return arithmetic('+', left, right);
}

function isIn(left: CelValue, right: CelValue, budget: CelBudget): boolean {
  charge(budget, right instanceof Map || isList(right) ? (sizeOf(right) ?? 1) : 1);
  if (isList(right)) return right.some((item) => isEqual(toCel(item), left));
  if (isMap(right)) return lookup(right, left) !== undefined;
  throw noOverload('in', left, right);
}

function ordering(name: string, holds: (order: number) => boolean): BinaryOperator {
  return {
    result: 'bool',
    apply: (left, right) => {
      const order = compare(left, right);
      if (order === undefined) throw noOverload(name, left, right);
      return holds(order);
    },
  };
}

/** Units for walking both sides of a comparison. */
function chargeEquality(left: CelValue, right: CelValue, budget: CelBudget): void {
  chargeText(budget, Math.min(weight(left), weight(right)));
}

function weight(value: CelValue): number {
  if (isList(value)) return value.reduce((sum: number, item) => sum + weight(toCel(item)), 1);
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  return isMap(value) ? (sizeOf(value) ?? 1) : 1;
}

const dyn = (apply: BinaryOperator['apply']): BinaryOperator => ({ result: 'dyn', apply });

/** Every binary operator but `&&` and `||`, which do not always look at both sides. */
export const BINARY_OPERATORS: Readonly<Record<string, BinaryOperator>> = {
  '==': { result: 'bool', apply: (left, right, budget) => (chargeEquality(left, right, budget), isEqual(left, right)) },
  '!=': { result: 'bool', apply: (left, right, budget) => (chargeEquality(left, right, budget), !isEqual(left, right)) },
  '<': ordering('<', (order) => order < 0),
  '<=': ordering('<=', (order) => order <= 0),
  '>': ordering('>', (order) => order > 0),
  '>=': ordering('>=', (order) => order >= 0),
  in: { result: 'bool', apply: isIn },
  '+': dyn(add),
  '-': dyn((left, right) => arithmetic('-', left, right)),
  '*': dyn((left, right) => arithmetic('*', left, right)),
  '/': dyn((left, right) => arithmetic('/', left, right)),
  '%': dyn((left, right) => arithmetic('%', left, right)),
};

export function negate(value: CelValue): CelValue {
  if (typeof value === 'bigint') return checkedInt(-value);
  if (typeof value === 'number') return -value;
  throw noOverload('-', value);
}

export function not(value: CelValue): boolean {
  if (typeof value !== 'boolean') throw noOverload('!', value);
  return !value;
}
