import { apiErrors } from '../../kube/objects/index.ts';
import type { AdmissionRequest, Environment } from '../registry/index.ts';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/**
 * Namespaces must exist for what is put into them, take nothing new while they are deleted, and some are never
 * deleted (NS-02 … NS-04; apiserver:pkg/admission/plugin/namespace/lifecycle).
 *
 * @throws ApiError 403, 404
 */
export function namespaceLifecycle(
  env: Pick<Environment, 'store' | 'catalog'>,
  { operation, context, object }: AdmissionRequest,
): undefined {
  const { resource, namespace, name } = context;
  const namespaces = { group: '', plural: 'namespaces' };
  if (resource.group === '' && resource.plural === 'namespaces') {
    if (operation === 'DELETE' && IMMORTAL.has(name)) throw apiErrors.forbidden(namespaces, name, 'this namespace may not be deleted');
    return;
  }
  if (!resource.namespaced || operation === 'DELETE') return;
  const found = env.store.get({ resource: 'namespaces', namespace: '', name: namespace });
  if (found === undefined) throw apiErrors.notFound(namespaces, namespace);
  if (operation !== 'CREATE' || found.metadata.deletionTimestamp === undefined) return;
  const error = apiErrors.forbidden(
    resource,
    name === '' ? (object?.metadata.name ?? '') : name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' };
  error.status.details = { ...error.status.details, causes: [cause] };
  throw error;
}
