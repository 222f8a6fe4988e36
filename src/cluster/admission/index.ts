/**
 * Plug-ins that see every write before it is stored, in order. Each is one file and one line here.
 *
 * @module
 */
import type { World } from '../../base/world/index.ts';
import type { Admission, AdmissionRequest, Environment } from '../registry/index.ts';
import type { WebhookServices } from './caller.ts';
import { escalation } from './escalation.ts';
import { namespaceLifecycle } from './namespaceLifecycle.ts';
import { admissionPolicies } from './policies.ts';
import { mutatingWebhooks, validatingWebhooks } from './webhooks.ts';

export type { WebhookHandler, WebhookServices } from './caller.ts';

/** What plug-ins know of the cluster. */
export interface AdmissionEnvironment extends Pick<Environment, 'store' | 'catalog' | 'authorize'> {
  readonly world: World;
  /** Where the services of webhooks are. */
  readonly services: WebhookServices;
}

type Plugin = (env: AdmissionEnvironment, request: AdmissionRequest) => Promise<void> | undefined;

/** May change the object. */
const MUTATING: readonly Plugin[] = [namespaceLifecycle, mutatingWebhooks];
/** See the object as it would be stored. DELETE is only validated. */
const VALIDATING: readonly Plugin[] = [
  escalation,
  (env, request) => (request.operation === 'DELETE' ? namespaceLifecycle(env, request) : undefined),
  admissionPolicies,
  validatingWebhooks,
];

/** The admission chain of a cluster. It answers at once while no plug-in has to wait. */
export function createAdmission(env: AdmissionEnvironment): Admission {
  const runAll = (plugins: readonly Plugin[], request: AdmissionRequest): Promise<void> | undefined => {
    for (const [index, plugin] of plugins.entries()) {
      const pending = plugin(env, request);
      if (pending !== undefined) return pending.then(() => runAll(plugins.slice(index + 1), request));
    }
    return undefined;
  };
  return { mutate: (request) => runAll(MUTATING, request), validate: (request) => runAll(VALIDATING, request) };
}
