import { apiErrors, deepEqual, isJsonObject, type KubeObject } from '../../../kube/objects/index.ts';
import type { UserInfo } from '../../../kube/client/index.ts';
import type { Authorize, Environment, PolicyRule, WriteContext } from '../types.ts';
import { RBAC_GROUP, grantsOf, roleRefOf, rulesOfRole } from './bindings.ts';
import { formatRule, formatTexts, rulesIn, uncovered } from './rules.ts';

const EVERYTHING: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];
const ROLES = new Set(['roles', 'clusterroles']);
const BINDINGS = new Set(['rolebindings', 'clusterrolebindings']);

interface RbacWrite {
  readonly env: Pick<Environment, 'store'>;
  readonly authorize: Authorize;
  readonly context: WriteContext;
  readonly object: KubeObject;
  readonly old: KubeObject | undefined;
}

/**
 * Nobody gives away what they don't have: writes of roles and bindings need all permissions that they contain, or the
 * verb `escalate` or `bind` (RBAC-03; kubernetes:pkg/registry/rbac).
 *
 * @throws ApiError 403, 404 when the role of a binding is missing
 */
export function checkEscalation(write: RbacWrite): Promise<void> | undefined {
  const { context, object, old } = write;
  const { resource, user } = context;
  if (resource.group !== RBAC_GROUP || user.groups.includes('system:masters')) return undefined;
  if (old !== undefined && isOnlyForCollector(object, old)) return undefined;
  if (ROLES.has(resource.plural)) return checkRole(write);
  return BINDINGS.has(resource.plural) ? checkBinding(write) : undefined;
}

async function checkRole({ env, authorize, context, object, old }: RbacWrite): Promise<void> {
  const { resource, user, namespace, name } = context;
  const may = await authorize({ ...asked(context), verb: 'escalate', resource: resource.plural, name });
  if (may.allowed) return;
  const isAggregated = isJsonObject(object['aggregationRule']) || isJsonObject(old?.['aggregationRule']);
  confirmHeld(env, user, namespace, isAggregated ? EVERYTHING : rulesIn(object['rules']), context, object);
}

async function checkBinding({ env, authorize, context, object }: RbacWrite): Promise<void> {
  const { user, namespace } = context;
  const role = roleRefOf(object);
  const plural = role.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  const may = await authorize({ ...asked(context), verb: 'bind', resource: plural, name: role.name });
  if (may.allowed) return;
  const rules = rulesOfRole(env.store, role, namespace);
  if (rules === undefined) throw apiErrors.notFound({ group: RBAC_GROUP, plural }, role.name);
  confirmHeld(env, user, namespace, rules, context, object);
}

function asked({ user, namespace }: WriteContext): {
  user: UserInfo;
  group: string;
  version: string;
  subresource: string;
  namespace: string;
} {
  return { user, group: RBAC_GROUP, version: '*', subresource: '', namespace };
}

/** @throws ApiError 403 with a line for every rule that the user lacks */
function confirmHeld(
  { store }: Pick<Environment, 'store'>,
  user: UserInfo,
  namespace: string,
  wanted: readonly PolicyRule[],
  { resource, name }: WriteContext,
  object: KubeObject,
): void {
  const grants = [...grantsOf(store, user, namespace)];
  const missing = uncovered(
    grants.flatMap(({ rules }) => rules),
    wanted,
  );
  if (missing.length === 0) return;
  const problems = [...new Set(grants.flatMap(({ problem }) => problem ?? []))];
  const lines = missing.map(formatRule).toSorted();
  throw apiErrors.forbidden(
    resource,
    name === '' ? (object.metadata.name ?? '') : name,
    `user ${JSON.stringify(user.username)} (groups=${formatTexts(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}${problems.length === 0 ? '' : `; resolution errors: [${problems.join(', ')}]`}`,
  );
}

/** The garbage collector and namespace deletion must be able to let go of what they couldn't create. */
function isOnlyForCollector(object: KubeObject, old: KubeObject): boolean {
  const rest = ({ metadata, ...fields }: KubeObject): unknown => {
    const { ownerReferences: _o, finalizers: _f, managedFields: _m, ...kept } = metadata;
    return { ...fields, metadata: kept };
  };
  return deepEqual(rest(object), rest(old));
}
