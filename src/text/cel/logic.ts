import { SottoError } from '../../base/errors/index.ts';
import type { Evaluate, Scope } from './scope.ts';
import { noOverload } from './values.ts';

/** Errors that another operand can make irrelevant. An exhausted budget is not one. */
export function isAbsorbable(error: unknown): boolean {
  return error instanceof SottoError && (error.code === 'CEL_EVALUATION' || error.code === 'REGEXP_INVALID');
}

/** `&&` (deciding false) and `||` (deciding true): an operand that decides wins over errors of the others. */
export function decide(operands: readonly Evaluate[], scope: Scope, deciding: boolean): boolean {
  let failed: unknown;
  for (const operand of operands) {
    try {
      const value = operand(scope);
      if (value === deciding) return deciding;
      if (typeof value !== 'boolean') throw noOverload(deciding ? '||' : '&&', value);
    } catch (error) {
      if (!isAbsorbable(error)) throw error;
      failed ??= error;
    }
  }
  if (failed !== undefined) throw failed;
  return !deciding;
}
