import { isJsonObject, type KubeObject } from '../../../kube/objects/index.ts';
import type { UserInfo } from '../../../kube/client/index.ts';
import type { Store } from '../../store/index.ts';
import type { PolicyRule } from '../types.ts';
import { rulesIn } from './rules.ts';

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

export interface RoleRef {
  readonly kind: string;
  readonly name: string;
}

/** A binding that names a user, with the rules that it gives. */
export interface Grant {
  /** `ClusterRoleBinding "b" of ClusterRole "r" to User "u"`. */
  readonly text: string;
  readonly rules: readonly PolicyRule[];
  /** Set when the role can't be read: the binding gives nothing. */
  readonly problem?: string;
}

const nameIn = (value: unknown, field: string): string => {
  const found = isJsonObject(value) ? value[field] : undefined;
  return typeof found === 'string' ? found : '';
};

/** The role that a binding refers to. */
export function roleRefOf(binding: KubeObject): RoleRef {
  return { kind: nameIn(binding['roleRef'], 'kind'), name: nameIn(binding['roleRef'], 'name') };
}

/**
 * Everything that bindings give a user: those of the whole cluster first, then those of the namespace (RBAC-01,
 * RBAC-02). Asked for one at a time, because the first that allows a request is enough.
 */
export function* grantsOf(store: Pick<Store, 'get' | 'list'>, user: UserInfo, namespace: string): Generator<Grant> {
  for (const binding of store.list(`clusterrolebindings.${RBAC_GROUP}`)) {
    const grant = grantOf(store, binding, user, '');
    if (grant !== undefined) yield grant;
  }
  if (namespace === '') return;
  for (const binding of store.list(`rolebindings.${RBAC_GROUP}`, namespace)) {
    const grant = grantOf(store, binding, user, namespace);
    if (grant !== undefined) yield grant;
  }
}

function grantOf(store: Pick<Store, 'get'>, binding: KubeObject, user: UserInfo, namespace: string): Grant | undefined {
  const subjects = Array.isArray(binding['subjects']) ? binding['subjects'] : [];
  const subject: unknown = subjects.find((each) => isSubject(each, user, namespace));
  if (subject === undefined) return undefined;
  const { name = '' } = binding.metadata;
  const role = roleRefOf(binding);
  const shown = namespace === '' ? name : `${name}/${namespace}`;
  const text = `${binding.kind} "${shown}" of ${role.kind} "${role.name}" to ${subjectText(subject, namespace)}`;
  const rules = rulesOfRole(store, role, namespace);
  if (rules !== undefined) return { text, rules };
  return { text, rules: [], problem: `${role.kind.toLowerCase()}.${RBAC_GROUP} ${JSON.stringify(role.name)} not found` };
}

/** The rules of a role; undefined when there is no such role. */
export function rulesOfRole(store: Pick<Store, 'get'>, { kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
  const isCluster = kind === 'ClusterRole';
  const resource = `${isCluster ? 'clusterroles' : 'roles'}.${RBAC_GROUP}`;
  const role = store.get({ resource, namespace: isCluster ? '' : namespace, name });
  if (role === undefined) return undefined;
  const known = parsed.get(role);
  if (known !== undefined) return known;
  const rules = rulesIn(role['rules']);
  // Stored objects are frozen: what was parsed stays true.
  parsed.set(role, rules);
  return rules;
}

const parsed = new WeakMap<KubeObject, readonly PolicyRule[]>();

/** Whether a subject of a binding names the user; `namespace` is the binding's. */
function isSubject(subject: unknown, user: UserInfo, namespace: string): boolean {
  const name = nameIn(subject, 'name');
  switch (nameIn(subject, 'kind')) {
    case 'User':
      return user.username === name;
    case 'Group':
      return user.groups.includes(name);
    case 'ServiceAccount': {
      const home = nameIn(subject, 'namespace') || namespace;
      return home !== '' && user.username === `system:serviceaccount:${home}:${name}`;
    }
    default:
      return false;
  }
}

function subjectText(subject: unknown, namespace: string): string {
  const [kind, name] = [nameIn(subject, 'kind'), nameIn(subject, 'name')];
  if (kind !== 'ServiceAccount') return `${kind} ${JSON.stringify(name)}`;
  return `${kind} ${JSON.stringify(`${name}/${nameIn(subject, 'namespace') || namespace}`)}`;
}
