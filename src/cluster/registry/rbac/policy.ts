import { deepEqual, isJsonObject, type KubeObject } from '../../../kube/objects/index.ts';
import type { PolicyRule } from '../types.ts';
import { RBAC_GROUP } from './bindings.ts';
import { matchesLabelSelector } from './labels.ts';
import { rulesIn, uncovered } from './rules.ts';

const API_VERSION = `${RBAC_GROUP}/v1`;
const DEFAULTS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const ANNOTATIONS = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' };
const AGGREGATE = 'rbac.authorization.k8s.io/aggregate-to-';

const READ = 'get list watch';
const WRITE = 'create delete deletecollection patch update';
const ALL = '*';

/** `group: resource resource …`, verbs. The core group is ''. */
type Line = readonly [group: string, resources: string, verbs: string];

const words = (text: string): string[] => text.split(' ');

function resourceRule([group, resources, verbs]: Line): PolicyRule {
  return { apiGroups: [group], resources: words(resources), verbs: words(verbs).toSorted() };
}

function role(name: string, rules: readonly PolicyRule[], labels: Readonly<Record<string, string>> = {}, more: object = {}): KubeObject {
  const metadata = { name, labels: { ...DEFAULTS, ...labels }, annotations: ANNOTATIONS };
  return { apiVersion: API_VERSION, kind: 'ClusterRole', metadata, ...more, rules };
}

/** A role whose rules come from the roles with this label. */
function aggregated(level: string, labels: Readonly<Record<string, string>> = {}): KubeObject {
  return role(level, [], labels, { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`${AGGREGATE}${level}`]: 'true' } }] } });
}

function binding(name: string, kind: 'Group' | 'User', subjects: readonly string[], roleName = name): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: DEFAULTS, annotations: ANNOTATIONS },
    subjects: subjects.map((subject) => ({ apiGroup: RBAC_GROUP, kind, name: subject })),
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: roleName },
  };
}

/** What the three levels may do to the objects of a namespace, besides what the level below may. */
const ADMIN: readonly Line[] = [
  ['authorization.k8s.io', 'localsubjectaccessreviews', 'create'],
  [RBAC_GROUP, 'rolebindings roles', `${WRITE} ${READ}`],
];
const EDIT: readonly Line[] = [
  ['', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy', READ],
  ['', 'serviceaccounts', 'impersonate'],
  ['', 'pods pods/attach pods/exec pods/portforward pods/proxy', WRITE],
  ['', 'pods/eviction', 'create'],
  [
    '',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    WRITE,
  ],
  ['', 'serviceaccounts/token', 'create'],
  [
    'apps',
    'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale',
    WRITE,
  ],
  ['autoscaling', 'horizontalpodautoscalers', WRITE],
  ['batch', 'cronjobs jobs', WRITE],
  [
    'extensions',
    'daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale',
    WRITE,
  ],
  ['policy', 'poddisruptionbudgets', WRITE],
  ['networking.k8s.io', 'ingresses networkpolicies', WRITE],
  ['coordination.k8s.io', 'leases', `${WRITE} ${READ}`],
];
const VIEW: readonly Line[] = [
  [
    '',
    'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
    READ,
  ],
  [
    '',
    'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
    READ,
  ],
  ['', 'namespaces', READ],
  ['discovery.k8s.io', 'endpointslices', READ],
  [
    'apps',
    'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status',
    READ,
  ],
  ['autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status', READ],
  ['batch', 'cronjobs cronjobs/status jobs jobs/status', READ],
  [
    'extensions',
    'daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status',
    READ,
  ],
  ['policy', 'poddisruptionbudgets poddisruptionbudgets/status', READ],
  ['networking.k8s.io', 'ingresses ingresses/status networkpolicies', READ],
];

const PUBLIC = words('/healthz /livez /readyz /version /version/');
const DISCOVERY = words('/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/');
const paths = (nonResourceURLs: readonly string[], verbs = 'get'): PolicyRule => ({ nonResourceURLs, verbs: words(verbs) });

/** The cluster roles that every cluster has (RBAC-04; plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go). */
export const BOOTSTRAP_ROLES: readonly KubeObject[] = [
  role('cluster-admin', [resourceRule([ALL, ALL, ALL]), paths([ALL], ALL)]),
  role('system:discovery', [paths(DISCOVERY)]),
  role('system:public-info-viewer', [paths(PUBLIC)]),
  role('system:monitoring', [paths(words('/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'))]),
  role('system:basic-user', [
    resourceRule(['authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews', 'create']),
    resourceRule(['authentication.k8s.io', 'selfsubjectreviews', 'create']),
  ]),
  role('system:auth-delegator', [
    resourceRule(['authentication.k8s.io', 'tokenreviews', 'create']),
    resourceRule(['authorization.k8s.io', 'subjectaccessreviews', 'create']),
  ]),
  role('system:service-account-issuer-discovery', [
    paths(words('/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/')),
  ]),
  aggregated('admin'),
  aggregated('edit', { [`${AGGREGATE}admin`]: 'true' }),
  aggregated('view', { [`${AGGREGATE}edit`]: 'true' }),
  role('system:aggregate-to-admin', ADMIN.map(resourceRule), { [`${AGGREGATE}admin`]: 'true' }),
  role('system:aggregate-to-edit', EDIT.map(resourceRule), { [`${AGGREGATE}edit`]: 'true' }),
  role('system:aggregate-to-view', VIEW.map(resourceRule), { [`${AGGREGATE}view`]: 'true' }),
];

const AUTHENTICATED = 'system:authenticated';

export const BOOTSTRAP_BINDINGS: readonly KubeObject[] = [
  binding('cluster-admin', 'Group', ['system:masters']),
  binding('system:monitoring', 'Group', ['system:monitoring']),
  binding('system:discovery', 'Group', [AUTHENTICATED]),
  binding('system:basic-user', 'Group', [AUTHENTICATED]),
  binding('system:public-info-viewer', 'Group', [AUTHENTICATED, 'system:unauthenticated']),
  binding('system:service-account-issuer-discovery', 'Group', ['system:serviceaccounts']),
];

/** What a kept bootstrap role lacks of today's rules; nothing when its owner wants no updates. */
export function missingRules(kept: KubeObject, wanted: KubeObject): PolicyRule[] {
  return isOwned(kept) ? [] : uncovered(rulesIn(kept['rules']), rulesIn(wanted['rules']));
}

/** Likewise the subjects of a binding. */
export function missingSubjects(kept: KubeObject, wanted: KubeObject): unknown[] {
  const subjectsOf = (binding: KubeObject): unknown[] => (Array.isArray(binding['subjects']) ? binding['subjects'] : []);
  if (isOwned(kept)) return [];
  return subjectsOf(wanted).filter((subject) => !subjectsOf(kept).some((known) => deepEqual(known, subject)));
}

function isOwned({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['rbac.authorization.kubernetes.io/autoupdate'] === 'false';
}

/**
 * The rules that an aggregated role should have: those of the roles that its selectors choose, by name, each once.
 */
export function aggregatedRules(target: KubeObject, roles: readonly KubeObject[]): PolicyRule[] {
  const rule = target['aggregationRule'];
  const selectors = isJsonObject(rule) && Array.isArray(rule['clusterRoleSelectors']) ? rule['clusterRoleSelectors'] : [];
  const rules: PolicyRule[] = [];
  for (const selector of selectors) {
    for (const { metadata, rules: own } of roles) {
      if (metadata.name === target.metadata.name || !matchesLabelSelector(selector, metadata.labels ?? {})) continue;
      for (const each of rulesIn(own)) if (!rules.some((known) => deepEqual(known, each))) rules.push(each);
    }
  }
  return rules;
}
