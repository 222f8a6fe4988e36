import type { Credentials } from './types.ts';

/**
 * Credentials in order of precedence, provider by provider: what an earlier one has for a provider hides what later ones
 * have for it. For a reconciler: key Secret, then workload identity, then the controller's own (flux/DEC-09).
 */
export function preferCredentials(...layers: readonly Credentials[]): Credentials {
  return Object.assign({}, ...layers.toReversed()) as Credentials;
}
