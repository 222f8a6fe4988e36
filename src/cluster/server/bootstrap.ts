import { messageOf } from '../../base/errors/index.ts';
import { parseApiVersion, type KubeObject } from '../../kube/objects/index.ts';
import {
  BOOTSTRAP_BINDINGS,
  BOOTSTRAP_ROLES,
  createObject,
  missingRules,
  missingSubjects,
  RBAC_GROUP,
  systemContext,
  systemUpdate,
  workQueue,
  type Environment,
  type Loop,
  type LoopContext,
} from '../registry/index.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

const API_SERVICE: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
  spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 443 }] },
};

/** What every cluster has, in order of creation (BOOT-01). */
const CONTENT: readonly KubeObject[] = [
  ...NAMESPACES.map((name): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
  API_SERVICE,
];

/** Creates what a cluster starts with, as far as it is missing. */
export async function bootstrap(env: Environment): Promise<void> {
  for (const object of CONTENT) await ensure(env, object);
}

/** Roles and bindings that every cluster has (RBAC-04). Kept ones get the rules and subjects that they
 * lack, at start only. */
export async function bootstrapRoles(env: Environment): Promise<void> {
  for (const object of [...BOOTSTRAP_ROLES, ...BOOTSTRAP_BINDINGS]) await ensure(env, object);
  for (const role of BOOTSTRAP_ROLES) await complete(env, 'clusterroles', role, 'rules', missingRules);
  for (const binding of BOOTSTRAP_BINDINGS) await complete(env, 'clusterrolebindings', binding, 'subjects', missingSubjects);
}

/** Adds to a list of a kept object what it lacks. */
async function complete(
  env: Environment,
  plural: string,
  wanted: KubeObject,
  field: 'rules' | 'subjects',
  missing: (kept: KubeObject, wanted: KubeObject) => readonly unknown[],
): Promise<void> {
  const key = { resource: `${plural}.${RBAC_GROUP}`, namespace: '', name: wanted.metadata.name ?? '' };
  await systemUpdate(env, key, { manager: 'kube-apiserver' }, (kept) => {
    const more = missing(kept, wanted);
    kept[field] = [...((kept[field] ?? []) as unknown[]), ...more];
    return more.length > 0;
  });
}

async function ensure(env: Environment, object: KubeObject): Promise<void> {
  const resource = env.catalog.findKind(parseApiVersion(object.apiVersion).group, object.kind);
  const { namespace = '', name = '' } = object.metadata;
  if (resource === undefined || env.store.get({ resource: resource.storeName, namespace, name }) !== undefined) return;
  await createObject(env, systemContext(resource, namespace, name, { manager: 'kube-apiserver' }), object);
}

/** Brings it back when somebody deletes it. */
export function bootstrapLoop({ env, log }: LoopContext): Loop {
  const queue = workQueue(
    env.world.clock,
    () => bootstrap(env),
    (_key, error) => log.error('bootstrap', { error: messageOf(error) }),
  );
  return {
    start: () => {},
    on: ({ type, object }) => {
      const { name, namespace } = object.metadata;
      const isOurs = CONTENT.some(
        (each) => each.kind === object.kind && each.metadata.name === name && each.metadata.namespace === namespace,
      );
      if (type === 'DELETED' && isOurs) queue.add('content');
    },
    stop: () => queue.stop(),
  };
}
