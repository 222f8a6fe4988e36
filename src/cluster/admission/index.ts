/**
 * Plug-ins that see every write before it is stored, in order. Each is one file and one line here.
 *
 * @module
 */
import type { Admission, AdmissionRequest, Environment } from '../registry/index.ts';
import { escalation } from './escalation.ts';
import { namespaceLifecycle } from './namespaceLifecycle.ts';

type Plugin = (env: Pick<Environment, 'store' | 'catalog' | 'authorize'>, request: AdmissionRequest) => Promise<void> | undefined;

/** May change the object. */
const MUTATING: readonly Plugin[] = [namespaceLifecycle];
/** See the object as it would be stored. DELETE is only validated. */
const VALIDATING: readonly Plugin[] = [escalation, (env, request) => (request.operation === 'DELETE' ? namespaceLifecycle(env, request) : undefined)];

/** The admission chain of a cluster. It answers at once while no plug-in has to wait. */
export function createAdmission(env: Pick<Environment, 'store' | 'catalog' | 'authorize'>): Admission {
  const runAll = (plugins: readonly Plugin[], request: AdmissionRequest): Promise<void> | undefined => {
    for (const [index, plugin] of plugins.entries()) {
      const pending = plugin(env, request);
      if (pending !== undefined) return pending.then(() => runAll(plugins.slice(index + 1), request));
    }
    return undefined;
  };
  return { mutate: (request) => runAll(MUTATING, request), validate: (request) => runAll(VALIDATING, request) };
}
