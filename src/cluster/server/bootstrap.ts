import type { KubeObject } from '../../kube/objects/index.ts';
import { createObject, systemContext, type Environment } from '../registry/index.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

const API_SERVICE: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
  spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 443 }] },
};

/** Creates what a new cluster starts with, as far as it is missing (BOOT-01). */
export async function bootstrap(env: Environment): Promise<void> {
  for (const name of NAMESPACES) await ensure(env, '', 'namespaces', '', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await ensure(env, '', 'services', 'default', API_SERVICE);
}

async function ensure(env: Environment, group: string, plural: string, namespace: string, object: KubeObject): Promise<void> {
  const resource = env.catalog.find(group, plural);
  if (resource === undefined) return;
  const name = object.metadata.name ?? '';
  if (env.store.get({ resource: resource.storeName, namespace, name }) !== undefined) return;
  await createObject(env, systemContext(resource, namespace, name, { manager: 'kube-apiserver' }), object);
}
