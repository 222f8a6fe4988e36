/**
 * Plug-ins that see every write before it is stored, in order. Each is one file and one line here.
 *
 * @module
 */
import type { Admission, AdmissionRequest, Environment } from '../registry/index.ts';
import { namespaceLifecycle } from './namespaceLifecycle.ts';

type Plugin = (env: Pick<Environment, 'store' | 'catalog'>, request: AdmissionRequest) => Promise<void> | void;

/** May change the object. */
const MUTATING: readonly Plugin[] = [namespaceLifecycle];
/** See the object as it would be stored. DELETE is only validated. */
const VALIDATING: readonly Plugin[] = [(env, request) => (request.operation === 'DELETE' ? namespaceLifecycle(env, request) : undefined)];

/** The admission chain of a cluster. */
export function createAdmission(env: Pick<Environment, 'store' | 'catalog'>): Admission {
  const runAll = async (plugins: readonly Plugin[], request: AdmissionRequest): Promise<void> => {
    for (const plugin of plugins) await plugin(env, request);
  };
  return { mutate: (request) => runAll(MUTATING, request), validate: (request) => runAll(VALIDATING, request) };
}
