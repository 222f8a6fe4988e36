import type { FieldSpec } from './kustomization.ts';
import type { NameReference } from './transformerconfig.ts';

/** Where kinds keep their pod spec. */
const POD_SPECS: Readonly<Record<string, string>> = {
  Pod: 'spec',
  PodTemplate: 'template/spec',
  Deployment: 'spec/template/spec',
  ReplicaSet: 'spec/template/spec',
  DaemonSet: 'spec/template/spec',
  StatefulSet: 'spec/template/spec',
  Job: 'spec/template/spec',
  ReplicationController: 'spec/template/spec',
  CronJob: 'spec/jobTemplate/spec/template/spec',
};

/** ReplicationControllers are not covered for ConfigMaps and Secrets. */
const WITH_CONFIG = ['Pod', 'PodTemplate', 'Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob'];
/** ReplicaSets and PodTemplates are not covered for accounts, claims and priorities. */
const WITH_ACCOUNT = ['Pod', 'StatefulSet', 'Deployment', 'ReplicationController', 'CronJob', 'Job', 'DaemonSet'];

/** Fields of pod specs of the given kinds. */
function inPods(kinds: readonly string[], fields: readonly string[], pod: FieldSpec = {}): FieldSpec[] {
  return kinds.flatMap((kind) =>
    fields.map((field) => ({ kind, path: `${POD_SPECS[kind] ?? 'spec'}/${field}`, ...(kind === 'Pod' ? pod : {}) })),
  );
}

function inContainers(...fields: readonly string[]): string[] {
  return ['containers', 'initContainers'].flatMap((list) => fields.map((field) => `${list}/${field}`));
}

const inKind = (kind: string, ...paths: readonly string[]): FieldSpec[] => paths.map((path) => ({ kind, path }));

const annotation = (key: string): string => `metadata/annotations/${key.replaceAll('/', String.raw`\/`)}`;

const RBAC = 'rbac.authorization.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';

const CONFIG_MAP: readonly FieldSpec[] = [
  ...inPods(
    WITH_CONFIG,
    [
      'volumes/configMap/name',
      ...inContainers('env/valueFrom/configMapKeyRef/name', 'envFrom/configMapRef/name'),
      'volumes/projected/sources/configMap/name',
    ],
    { version: 'v1' },
  ),
  ...inKind('Node', 'spec/configSource/configMap'),
  ...inKind('Role', 'rules/resourceNames'),
  ...inKind('ClusterRole', 'rules/resourceNames'),
  ...inKind('Ingress', annotation('nginx.ingress.kubernetes.io/fastcgi-params-configmap')),
];

const SECRET: readonly FieldSpec[] = [
  ...inPods(
    WITH_CONFIG,
    [
      'volumes/secret/secretName',
      ...inContainers('env/valueFrom/secretKeyRef/name', 'envFrom/secretRef/name'),
      'imagePullSecrets/name',
      'volumes/projected/sources/secret/name',
    ],
    { version: 'v1' },
  ),
  ...inKind(
    'Ingress',
    'spec/tls/secretName',
    annotation('ingress.kubernetes.io/auth-secret'),
    annotation('nginx.ingress.kubernetes.io/auth-secret'),
    annotation('nginx.ingress.kubernetes.io/auth-tls-secret'),
  ),
  ...inKind('ServiceAccount', 'imagePullSecrets/name'),
  ...inKind('StorageClass', 'parameters/secretName', 'parameters/adminSecretName', 'parameters/userSecretName', 'parameters/secretRef'),
  ...inKind('Role', 'rules/resourceNames'),
  ...inKind('ClusterRole', 'rules/resourceNames'),
  {
    group: 'serving.knative.dev',
    version: 'v1',
    kind: 'Service',
    path: 'spec/template/spec/containers/env/valueFrom/secretKeyRef/name',
  },
  ...inKind('PersistentVolume', 'spec/azureFile/secretName'),
];

const SERVICE: readonly FieldSpec[] = [
  { group: 'apps', kind: 'StatefulSet', path: 'spec/serviceName' },
  ...inKind(
    'Ingress',
    'spec/rules/http/paths/backend/serviceName',
    'spec/backend/serviceName',
    'spec/rules/http/paths/backend/service/name',
    'spec/defaultBackend/service/name',
  ),
  { group: 'apiregistration.k8s.io', kind: 'APIService', path: 'spec/service/name' },
  { group: ADMISSION, kind: 'ValidatingWebhookConfiguration', path: 'webhooks/clientConfig/service' },
  { group: ADMISSION, kind: 'MutatingWebhookConfiguration', path: 'webhooks/clientConfig/service' },
];

/** Which fields hold the names of which objects (c6.2). */
export const DEFAULT_NAME_REFERENCES: readonly NameReference[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => ({
    kind,
    fieldSpecs: inKind('HorizontalPodAutoscaler', 'spec/scaleTargetRef/name'),
  })),
  { version: 'v1', kind: 'ConfigMap', fieldSpecs: CONFIG_MAP },
  { version: 'v1', kind: 'Secret', fieldSpecs: SECRET },
  { version: 'v1', kind: 'Service', fieldSpecs: SERVICE },
  { group: RBAC, kind: 'Role', fieldSpecs: [{ group: RBAC, kind: 'RoleBinding', path: 'roleRef/name' }] },
  {
    group: RBAC,
    kind: 'ClusterRole',
    fieldSpecs: ['RoleBinding', 'ClusterRoleBinding'].map((kind) => ({ group: RBAC, kind, path: 'roleRef/name' })),
  },
  {
    version: 'v1',
    kind: 'ServiceAccount',
    fieldSpecs: [
      ...['RoleBinding', 'ClusterRoleBinding'].map((kind) => ({ group: RBAC, kind, path: 'subjects' })),
      ...inPods(WITH_ACCOUNT, ['serviceAccountName']),
    ],
  },
  { version: 'v1', kind: 'PersistentVolumeClaim', fieldSpecs: inPods(WITH_ACCOUNT, ['volumes/persistentVolumeClaim/claimName']) },
  {
    version: 'v1',
    kind: 'PersistentVolume',
    fieldSpecs: [...inKind('PersistentVolumeClaim', 'spec/volumeName'), ...inKind('ClusterRole', 'rules/resourceNames')],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    kind: 'StorageClass',
    fieldSpecs: [
      ...inKind('PersistentVolume', 'spec/storageClassName'),
      ...inKind('PersistentVolumeClaim', 'spec/storageClassName'),
      ...inKind('StatefulSet', 'spec/volumeClaimTemplates/spec/storageClassName'),
    ],
  },
  { group: 'scheduling.k8s.io', version: 'v1', kind: 'PriorityClass', fieldSpecs: inPods(WITH_ACCOUNT, ['priorityClassName']) },
  // The group holds the version, as upstream has it, so that this one never fires.
  { group: 'networking.k8s.io/v1', version: 'v1', kind: 'IngressClass', fieldSpecs: inKind('Ingress', 'spec/ingressClassName') },
  {
    group: ADMISSION,
    kind: 'ValidatingAdmissionPolicy',
    fieldSpecs: [{ group: ADMISSION, kind: 'ValidatingAdmissionPolicyBinding', path: 'spec/policyName' }],
  },
];
