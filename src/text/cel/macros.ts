import { charge } from './budget.ts';
import { withLocal, type Evaluate, type Scope } from './scope.ts';
import type { CelStaticType } from './types.ts';
import { failure, isList, isMap, mapKeys, noOverload, toCel, type CelValue } from './values.ts';
import { isAbsorbable } from './logic.ts';

/** A macro that runs its body once for each element of a list, or each key of a map. */
export interface Comprehension {
  readonly result: CelStaticType;
  /** Bodies it takes after the variable's name. */
  readonly bodies: readonly number[];
  run(steps: Iterable<Scope>, bodies: readonly Evaluate[], variable: string): CelValue;
}

/** The scopes in which a body runs, one per element; each costs a unit. */
export function* iterate(range: CelValue, variable: string, scope: Scope): Iterable<Scope> {
  if (!isList(range) && !isMap(range)) throw noOverload('comprehension', range);
  for (const item of isList(range) ? range : mapKeys(range)) {
    charge(scope.budget, 1);
    yield withLocal(scope, variable, toCel(item));
  }
}

function test(body: Evaluate | undefined, scope: Scope): boolean {
  const value = body?.(scope) ?? null;
  if (typeof value !== 'boolean') throw failure('the predicate of a macro must be a bool');
  return value;
}

/** `all` and `exists`: the deciding answer wins over errors of other elements. */
function quantify(steps: Iterable<Scope>, body: Evaluate | undefined, deciding: boolean): boolean {
  let failed: unknown;
  for (const scope of steps) {
    try {
      if (test(body, scope) === deciding) return deciding;
    } catch (error) {
      if (!isAbsorbable(error)) throw error;
      failed ??= error;
    }
  }
  if (failed !== undefined) throw failed;
  return !deciding;
}

function filter(steps: Iterable<Scope>, body: Evaluate | undefined, variable: string): CelValue {
  const kept: CelValue[] = [];
  for (const scope of steps) if (test(body, scope)) kept.push(scope.locals.get(variable) ?? null);
  return kept;
}

function map(steps: Iterable<Scope>, bodies: readonly Evaluate[]): CelValue {
  const transform = bodies.at(-1);
  const condition = bodies.length > 1 ? bodies[0] : undefined;
  const mapped: CelValue[] = [];
  for (const scope of steps) if (condition === undefined || test(condition, scope)) mapped.push(transform?.(scope) ?? null);
  return mapped;
}

function isExactlyOne(steps: Iterable<Scope>, body: Evaluate | undefined): boolean {
  let count = 0;
  for (const scope of steps) if (test(body, scope)) count++;
  return count === 1;
}

const existsOne: Comprehension = { result: 'bool', bodies: [1], run: (steps, [body]) => isExactlyOne(steps, body) };

export const COMPREHENSIONS: ReadonlyMap<string, Comprehension> = new Map([
  ['all', { result: 'bool', bodies: [1], run: (steps, [body]) => quantify(steps, body, false) }],
  ['exists', { result: 'bool', bodies: [1], run: (steps, [body]) => quantify(steps, body, true) }],
  ['exists_one', existsOne],
  ['existsOne', existsOne],
  ['filter', { result: 'list', bodies: [1], run: (steps, [body], variable) => filter(steps, body, variable) }],
  ['map', { result: 'list', bodies: [1, 2], run: (steps, bodies) => map(steps, bodies) }],
] satisfies [string, Comprehension][]);
