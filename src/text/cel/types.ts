/** A budget of cost units, shared by evaluations that belong together (all rules of one object, say). */
export interface CelBudget {
  /** Units left; lowered while expressions run. */
  remaining: number;
}

/** What is known about the result before running: a simple type, or `dyn` when only a run can tell. */
export type CelStaticType = 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'list' | 'map' | 'null' | 'type' | 'optional' | 'dyn';

export interface CelOptions {
  /** Names the expression may use, or `any`: then a missing one is an error of the evaluation. */
  readonly variables: readonly string[] | 'any';
}

/** A compiled expression. It has no state and may run any number of times. */
export interface CelExpression {
  readonly expression: string;
  readonly resultType: CelStaticType;
  /** Free variables in the order of first use: tells a transition rule (`oldSelf`) from others. */
  readonly variables: readonly string[];
  /**
   * Runs the expression over JSON-like values: null, booleans, numbers and bigints (integral numbers are CEL
   * ints), strings, Uint8Array, arrays, plain objects and Maps. Ints come back as numbers where they are
   * safe, else as bigints; an absent optional comes back as undefined.
   *
   * @param budget cost limit, default {@link CEL_COST_LIMIT} for this call alone
   * @throws SottoError CEL_EVALUATION (a missing key, a wrong type, a division by zero) or CEL_COST
   */
  evaluate(variables: Readonly<Record<string, unknown>>, budget?: CelBudget): unknown;
}
