import { SottoError } from '../../base/errors/index.ts';
import type { CelBudget } from './types.ts';

/** Cost units one expression may use, as the Kubernetes API server limits it. */
export const CEL_COST_LIMIT = 1_000_000;

/** Characters of text that cost one unit, as in cel-go. */
const TEXT_PER_UNIT = 10;

/** @throws SottoError CEL_COST */
export function charge(budget: CelBudget, units: number): void {
  budget.remaining -= units;
  if (budget.remaining < 0) {
    throw new SottoError('CEL_COST', 'the expression exceeds its cost limit', {
      hint: 'make it simpler, or limit the size of the lists it walks',
    });
  }
}

export function chargeText(budget: CelBudget, length: number): void {
  charge(budget, Math.ceil(length / TEXT_PER_UNIT));
}
