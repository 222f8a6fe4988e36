import { apiVersionOf, type GroupVersionKind } from '../../kube/objects/index.ts';

/** The effective namespace of cluster-scoped objects (k:kyaml/resid/resid.go). */
const CLUSTER_SCOPE = '_non_namespaceable_';
const DEFAULT_NAMESPACE = 'default';

/**
 * The cluster-scoped kinds of the Kubernetes 1.21 schema that kustomize 5.8.1 carries; everything else, custom
 * kinds and newer API versions included, counts as namespaced.
 */
const KINDS_BY_GROUP: readonly (readonly [apiVersions: readonly string[], kinds: readonly string[]])[] = [
  [['v1'], ['ComponentStatus', 'Namespace', 'Node', 'NodeProxyOptions', 'PersistentVolume']],
  [both('rbac.authorization.k8s.io'), ['ClusterRole', 'ClusterRoleBinding']],
  [both('apiextensions.k8s.io'), ['CustomResourceDefinition']],
  [both('apiregistration.k8s.io'), ['APIService']],
  [both('admissionregistration.k8s.io'), ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']],
  [both('certificates.k8s.io'), ['CertificateSigningRequest']],
  [both('networking.k8s.io'), ['IngressClass']],
  [both('node.k8s.io'), ['RuntimeClass']],
  [['policy/v1beta1'], ['PodSecurityPolicy']],
  [both('scheduling.k8s.io'), ['PriorityClass']],
  [both('storage.k8s.io'), ['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment']],
  [['flowcontrol.apiserver.k8s.io/v1beta1'], ['FlowSchema', 'PriorityLevelConfiguration']],
];

function both(group: string): string[] {
  return [`${group}/v1`, `${group}/v1beta1`];
}

const CLUSTER_SCOPED = new Set(
  KINDS_BY_GROUP.flatMap(([versions, kinds]) => versions.flatMap((version) => kinds.map((kind) => `${version} ${kind}`))),
);

export function isClusterScoped(gvk: GroupVersionKind): boolean {
  return CLUSTER_SCOPED.has(`${apiVersionOf(gvk)} ${gvk.kind}`);
}

/** A namespace that can be compared: cluster-scoped kinds share one, and none is the same as `default`. */
export function effectiveNamespace(gvk: GroupVersionKind, namespace: string): string {
  if (isClusterScoped(gvk)) return CLUSTER_SCOPE;
  return namespace === '' ? DEFAULT_NAMESPACE : namespace;
}
