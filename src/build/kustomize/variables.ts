import { SottoError } from '../../base/errors/index.ts';
import type { Accumulator } from './accumulator.ts';
import type { Variable } from './kustomization.ts';

/** Records the vars of a level. */
export function mergeVariables(_accumulator: Accumulator, variables: readonly Variable[], file: string): void {
  if (variables.length > 0) throw new SottoError('KUSTOMIZE_UNSUPPORTED', "the field 'vars' is not supported yet", { at: { file } });
}
