import { checkEscalation, type AdmissionRequest, type Environment } from '../registry/index.ts';

/** Nobody grants more than they have (RBAC-03). @throws ApiError 403, 404 */
export function escalation(
  env: Pick<Environment, 'store' | 'authorize'>,
  { operation, context, object, old }: AdmissionRequest,
): Promise<void> | undefined {
  if (operation === 'DELETE' || object === undefined) return undefined;
  return checkEscalation({ env, authorize: env.authorize, context, object, old });
}
