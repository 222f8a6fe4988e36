import { messageOf } from '../../base/errors/index.ts';
import { deepEqual, isJsonObject, type KubeObject } from '../../kube/objects/index.ts';
import { createObject, systemContext, systemUpdate, workQueue, type Loop, type LoopContext } from '../registry/index.ts';

const ROOT_CA = 'kube-root-ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Gives every namespace its `default` ServiceAccount and the ConfigMap `kube-root-ca.crt` (NS-01). */
export function serviceAccountLoop({ env, log, rootCertificate }: LoopContext): Loop {
  const { store, catalog } = env;
  const isAlive = (namespace: string): boolean => {
    const object = store.get({ resource: 'namespaces', namespace: '', name: namespace });
    return object !== undefined && object.metadata.deletionTimestamp === undefined;
  };
  const ensure = async (plural: string, object: KubeObject): Promise<void> => {
    const { namespace = '', name = '' } = object.metadata;
    const resource = catalog.find('', plural);
    if (resource === undefined || store.get({ resource: plural, namespace, name }) !== undefined) return;
    await createObject(env, systemContext(resource, namespace, name), object);
  };
  const work = async (namespace: string): Promise<void> => {
    if (!isAlive(namespace)) return;
    await ensure('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } });
    const data = { 'ca.crt': rootCertificate() };
    const annotations = { 'kubernetes.io/description': DESCRIPTION };
    await ensure('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: ROOT_CA, annotations }, data });
    await systemUpdate(env, { resource: 'configmaps', namespace, name: ROOT_CA }, {}, (configMap) => {
      if (isJsonObject(configMap['data']) && deepEqual(configMap['data'], data)) return false;
      configMap['data'] = data;
      return true;
    });
  };
  const queue = workQueue(env.world.clock, work, (namespace, error) =>
    log.error('service account', { namespace, error: messageOf(error) }),
  );
  return {
    start: () => {
      for (const namespace of store.list('namespaces')) queue.add(namespace.metadata.name ?? '');
    },
    on: ({ resource, type, namespace, name }) => {
      if (resource === 'namespaces' && type === 'ADDED') queue.add(name);
      const isOurs = (resource === 'serviceaccounts' && name === 'default') || (resource === 'configmaps' && name === ROOT_CA);
      if (isOurs && type !== 'ADDED') queue.add(namespace);
    },
    stop: () => queue.stop(),
  };
}
