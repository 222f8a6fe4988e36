import type { CelBudget } from './types.ts';
import type { CelValue } from './values.ts';

/** What an expression runs in: variables of the caller, and of the macros around. */
export interface Scope {
  readonly budget: CelBudget;
  readonly locals: ReadonlyMap<string, CelValue>;
  readonly variables: Readonly<Record<string, unknown>>;
}

export function withLocal(scope: Scope, name: string, value: CelValue): Scope {
  return { ...scope, locals: new Map(scope.locals).set(name, value) };
}

export type Evaluate = (scope: Scope) => CelValue;
