import { apiErrors, type ApiError } from '../../kube/objects/index.ts';
import type { Attributes, Authorize, Decision } from '../registry/index.ts';

/** Documents that anybody may read (the cluster role system:public-info-viewer). */
const PUBLIC = /^\/(healthz|livez|readyz|version)(\/.*)?$/;

/**
 * For clusters without access control, instead of RBAC: administrators and all authenticated users everything, anonymous callers
 * only the public documents.
 */
export const authorizeAuthenticated: Authorize = ({ user, path }) => {
  if (user.groups.includes('system:masters')) return { allowed: true };
  if (path !== undefined && PUBLIC.test(path)) return { allowed: true };
  return { allowed: !user.groups.includes('system:unauthenticated') };
};

/** The 403 answer for a refused request. */
export function refuse(attributes: Attributes, decision: Decision): ApiError {
  const { user, verb, group, resource, subresource, namespace, name, path } = attributes;
  const reason = decision.reason === undefined || decision.reason === '' ? '' : `: ${decision.reason}`;
  const username = escaped(JSON.stringify(user.username));
  if (path !== undefined)
    return apiErrors.of(403, 'Forbidden', `forbidden: User ${username} cannot ${verb} path "${escaped(path)}"${reason}`, {});
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace "${escaped(namespace)}"`;
  return apiErrors.forbidden(
    { group, plural: resource },
    name,
    `User ${username} cannot ${verb} resource "${escaped(full)}" in API group "${escaped(group)}" ${scope}${reason}`,
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
