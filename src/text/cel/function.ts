import type { CelBudget, CelStaticType } from './types.ts';
import type { CelValue } from './values.ts';

/** A function of CEL. `args` includes the receiver of a method call as its first element. */
export interface CelFunction {
  readonly result: CelStaticType;
  /** Accepted numbers of arguments. */
  readonly arity: readonly number[];
  apply(args: readonly CelValue[], budget: CelBudget): CelValue;
}
