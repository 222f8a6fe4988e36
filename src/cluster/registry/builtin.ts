import { builtinResources as builtinFacts, schemaOf, type BuiltinResource } from '../../kube/schema/index.ts';
import type { Resource, Rules, Version } from './types.ts';

const WORKLOAD: Rules = { generation: true };
const RBAC: Rules = { createOnUpdate: true };
const WEBHOOKS: Rules = { generation: true, needsVersion: true };
const REVIEW: Rules = { virtual: true };
const RETURNS_DELETED: Rules = { returnsDeleted: true };

/**
 * What each kind does differently (kubernetes:pkg/registry, strategy.go and storage of each kind). Kinds that are
 * not here have no generation, may be updated without resourceVersion, and answer a Status when deleted.
 */
const RULES: Readonly<Record<string, Rules>> = {
  endpoints: { createOnUpdate: true },
  events: { createOnUpdate: true },
  limitranges: { createOnUpdate: true },
  namespaces: { returnsDeleted: true, noDeleteCollection: true },
  persistentvolumeclaims: RETURNS_DELETED,
  persistentvolumes: RETURNS_DELETED,
  pods: { generation: true, returnsDeleted: true },
  podtemplates: { generation: true, returnsDeleted: true },
  replicationcontrollers: { generation: true, orphans: true },
  resourcequotas: RETURNS_DELETED,
  serviceaccounts: RETURNS_DELETED,
  services: { createOnUpdate: true, returnsDeleted: true },
  'daemonsets.apps': WORKLOAD,
  'deployments.apps': WORKLOAD,
  'replicasets.apps': WORKLOAD,
  'statefulsets.apps': WORKLOAD,
  'events.events.k8s.io': { createOnUpdate: true },
  'selfsubjectreviews.authentication.k8s.io': REVIEW,
  'tokenreviews.authentication.k8s.io': REVIEW,
  'selfsubjectaccessreviews.authorization.k8s.io': REVIEW,
  'selfsubjectrulesreviews.authorization.k8s.io': REVIEW,
  'subjectaccessreviews.authorization.k8s.io': REVIEW,
  'localsubjectaccessreviews.authorization.k8s.io': REVIEW,
  'cronjobs.batch': WORKLOAD,
  'jobs.batch': { generation: true, orphans: true },
  'ingresses.networking.k8s.io': WORKLOAD,
  'ingressclasses.networking.k8s.io': WORKLOAD,
  'networkpolicies.networking.k8s.io': WORKLOAD,
  'poddisruptionbudgets.policy': { generation: true, needsVersion: true },
  'clusterrolebindings.rbac.authorization.k8s.io': RBAC,
  'clusterroles.rbac.authorization.k8s.io': RBAC,
  'rolebindings.rbac.authorization.k8s.io': RBAC,
  'roles.rbac.authorization.k8s.io': RBAC,
  'storageclasses.storage.k8s.io': RETURNS_DELETED,
  'customresourcedefinitions.apiextensions.k8s.io': { generation: true, needsVersion: true },
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOKS,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOKS,
  'mutatingadmissionpolicies.admissionregistration.k8s.io': WORKLOAD,
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': WORKLOAD,
  'validatingadmissionpolicies.admissionregistration.k8s.io': WORKLOAD,
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': WORKLOAD,
  'priorityclasses.scheduling.k8s.io': WORKLOAD,
  'leases.coordination.k8s.io': { createOnUpdate: true, needsVersion: true },
  'runtimeclasses.node.k8s.io': { createOnUpdate: true },
  'endpointslices.discovery.k8s.io': WORKLOAD,
};

/** Known kinds that this server doesn't serve: there is nothing behind them. */
const NOT_SERVED = new Set([
  'bindings',
  'componentstatuses',
  'apiservices.apiregistration.k8s.io',
  'storageversions.internal.apiserver.k8s.io',
  'storageversionmigrations.storagemigration.k8s.io',
]);
const SERVED_SUBRESOURCES = new Set(['status', 'scale', 'finalize', 'approval', 'token']);
/** Two views of one store. */
const STORE_NAMES: Readonly<Record<string, string>> = { 'events.events.k8s.io': 'events' };
const SCALE = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' };

/** The built-in resources in discovery order. Schemas are worked out when first looked at. */
export function builtinResources(): Resource[] {
  const groups = Map.groupBy(builtinFacts(), (facts) => storeNameOf(facts));
  return [...groups].filter(([name]) => !NOT_SERVED.has(name)).map(([name, versions]) => resourceOf(name, versions));
}

function storeNameOf(facts: BuiltinResource): string {
  return facts.group === '' ? facts.plural : `${facts.plural}.${facts.group}`;
}

function resourceOf(name: string, versions: readonly BuiltinResource[]): Resource {
  const [preferred] = versions as [BuiltinResource, ...BuiltinResource[]];
  return {
    group: preferred.group,
    plural: preferred.plural,
    singular: preferred.singular,
    kind: preferred.kind,
    listKind: `${preferred.kind}List`,
    shortNames: preferred.shortNames,
    categories: preferred.categories,
    namespaced: preferred.namespaced,
    custom: false,
    versions: versions.map(versionOf),
    storageVersion: preferred.version,
    storeName: STORE_NAMES[name] ?? name,
    subresources: preferred.subresources.map((subresource) => subresource.name).filter((each) => SERVED_SUBRESOURCES.has(each)),
    rules: RULES[name] ?? {},
  };
}

function versionOf(facts: BuiltinResource): Version {
  const has = (name: string): boolean => facts.subresources.some((subresource) => subresource.name === name);
  return {
    name: facts.version,
    status: has('status'),
    ...(has('scale') ? { scale: SCALE } : {}),
    get schema() {
      return schemaOf(facts);
    },
  };
}
