import type { GroupVersionKind } from '../objects/index.ts';
import { resourceLines } from './table.ts';

/** A subresource and the kind it speaks. */
export interface BuiltinSubresource extends GroupVersionKind {
  readonly name: string;
  readonly verbs: readonly string[];
}

/** One served resource of a built-in API group, as discovery describes it. */
export interface BuiltinResource extends GroupVersionKind {
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Sorted; includes watch where list is served. */
  readonly verbs: readonly string[];
  readonly subresources: readonly BuiltinSubresource[];
}

/** Groups in priority order (DISC-04); a group that is not listed comes last. */
const GROUP_ORDER = [
  '',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'apiextensions.k8s.io',
  'admissionregistration.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'flowcontrol.apiserver.k8s.io',
];

const SHORT_NAMES: Readonly<Record<string, readonly string[]>> = {
  configmaps: ['cm'],
  endpoints: ['ep'],
  events: ['ev'],
  limitranges: ['limits'],
  namespaces: ['ns'],
  nodes: ['no'],
  persistentvolumeclaims: ['pvc'],
  persistentvolumes: ['pv'],
  pods: ['po'],
  replicationcontrollers: ['rc'],
  resourcequotas: ['quota'],
  serviceaccounts: ['sa'],
  services: ['svc'],
  customresourcedefinitions: ['crd', 'crds'],
  daemonsets: ['ds'],
  deployments: ['deploy'],
  replicasets: ['rs'],
  statefulsets: ['sts'],
  horizontalpodautoscalers: ['hpa'],
  cronjobs: ['cj'],
  certificatesigningrequests: ['csr'],
  ingresses: ['ing'],
  networkpolicies: ['netpol'],
  ipaddresses: ['ip'],
  poddisruptionbudgets: ['pdb'],
  priorityclasses: ['pc'],
  storageclasses: ['sc'],
  volumeattributesclasses: ['vac'],
};

const ALL = new Set([
  'pods',
  'replicationcontrollers',
  'services',
  'daemonsets',
  'deployments',
  'replicasets',
  'statefulsets',
  'horizontalpodautoscalers',
  'cronjobs',
  'jobs',
]);
const API_EXTENSIONS = new Set([
  'customresourcedefinitions',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
]);

let resources: readonly BuiltinResource[] | undefined;

/** All built-in resources in discovery priority order: groups by priority, preferred versions first. */
export function builtinResources(): readonly BuiltinResource[] {
  resources ??= resourceLines()
    .map(toResource)
    .map((resource, index) => ({ resource, index }))
    .toSorted((a, b) => rank(a.resource) - rank(b.resource) || versionRank(a.resource) - versionRank(b.resource) || a.index - b.index)
    .map(({ resource }) => resource);
  return resources;
}

function rank(resource: BuiltinResource): number {
  const place = GROUP_ORDER.indexOf(resource.group);
  return place < 0 ? GROUP_ORDER.length : place;
}

/** All stable: the higher number is preferred. */
function versionRank(resource: BuiltinResource): number {
  return -Number(resource.version.slice(1));
}

function toResource(line: readonly string[]): BuiltinResource {
  const [group = '', version = '', plural = '', kind = '', scope = '', verbs = '', subresources = ''] = line;
  return {
    group,
    version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced: scope === 'namespaced',
    shortNames: SHORT_NAMES[plural] ?? [],
    categories: categoriesOf(plural),
    verbs: withWatch(verbs.split(',')),
    subresources: subresources === '' ? [] : subresources.split(';').map(toSubresource),
  };
}

function categoriesOf(plural: string): readonly string[] {
  if (ALL.has(plural)) return ['all'];
  return API_EXTENSIONS.has(plural) ? ['api-extensions'] : [];
}

function withWatch(verbs: readonly string[]): readonly string[] {
  return verbs.includes('list') ? [...verbs, 'watch'].toSorted() : verbs;
}

function toSubresource(text: string): BuiltinSubresource {
  const [name = '', gvk = '', verbs = ''] = text.split(' ');
  const [group = '', version = '', kind = ''] = gvk.split('/');
  return { name, group, version, kind, verbs: verbs.split(',') };
}
