/**
 * Which lists a strategic merge merges, and by which keys: what the Kubernetes 1.21.2 schema that kustomize 5.8.1
 * carries says. Everything that is not listed is replaced. The `retainKeys` and `replace` strategies have no effect
 * upstream and are left out.
 */

/** A list that is merged: by keys, or (no keys) by the texts of its elements. */
export interface MergedList {
  readonly keys: readonly string[];
  readonly element?: string;
}

export interface MergeType {
  /** Fields that are merged lists. */
  readonly lists?: Readonly<Record<string, MergedList>>;
  /** Fields that are maps of a type that has merged lists inside. */
  readonly maps?: Readonly<Record<string, string>>;
  /** The type of all other fields. */
  readonly values?: string;
}

/** The schema at one place of an object. */
export type MergeSchema =
  | { readonly kind: 'type'; readonly type: MergeType; readonly types: TypeTable }
  | { readonly kind: 'list'; readonly list: MergedList; readonly types: TypeTable };

/** Finds the schema of a kind; undefined for kinds it does not know. */
export type SchemaSource = (apiVersion: string, kind: string) => MergeSchema | undefined;

type TypeTable = Readonly<Record<string, MergeType>>;

const by = (...keys: readonly string[]): MergedList => ({ keys });
const conditions: MergeType = { lists: { conditions: by('type') } };
const metadata = { metadata: 'ObjectMeta' };
const template: MergeType = { maps: { template: 'PodTemplateSpec' } };
const containerLists = { env: by('name'), volumeMounts: by('mountPath'), volumeDevices: by('devicePath') };

const TYPES: TypeTable = {
  ObjectMeta: { lists: { finalizers: by(), ownerReferences: by('uid') } },
  Object: { maps: metadata },
  Conditions: conditions,
  ObjectWithConditions: { maps: { ...metadata, status: 'Conditions' } },
  Workload: { maps: { ...metadata, spec: 'WorkloadSpec', status: 'Conditions' } },
  WorkloadSpec: template,
  Pod: { maps: { ...metadata, spec: 'PodSpec', status: 'PodStatus' } },
  PodStatus: { lists: { conditions: by('type'), podIPs: by('ip') } },
  PodTemplate: { maps: { ...metadata, template: 'PodTemplateSpec' } },
  PodTemplateSpec: { maps: { ...metadata, spec: 'PodSpec' } },
  PodSpec: {
    lists: {
      containers: { keys: ['name'], element: 'Container' },
      initContainers: { keys: ['name'], element: 'Container' },
      ephemeralContainers: { keys: ['name'], element: 'EphemeralContainer' },
      volumes: { keys: ['name'], element: 'Volume' },
      imagePullSecrets: by('name'),
      hostAliases: by('ip'),
      topologySpreadConstraints: by('topologyKey', 'whenUnsatisfiable'),
    },
  },
  Container: { lists: { ...containerLists, ports: by('containerPort', 'protocol') } },
  EphemeralContainer: { lists: containerLists },
  Volume: { maps: { ephemeral: 'EphemeralVolumeSource' } },
  EphemeralVolumeSource: { maps: { volumeClaimTemplate: 'Object' } },
  CronJob: { maps: { ...metadata, spec: 'CronJobSpec' } },
  CronJobSpec: { maps: { jobTemplate: 'JobTemplateSpec' } },
  JobTemplateSpec: { maps: { ...metadata, spec: 'WorkloadSpec' } },
  Service: { maps: { ...metadata, spec: 'ServiceSpec', status: 'Conditions' } },
  ServiceSpec: { lists: { ports: by('port', 'protocol') } },
  ServiceAccount: { maps: metadata, lists: { secrets: by('name') } },
  WebhookConfiguration: { maps: metadata, lists: { webhooks: by('name') } },
  CSINode: { maps: { ...metadata, spec: 'CSINodeSpec' } },
  CSINodeSpec: { lists: { drivers: by('name') } },
  ComponentStatus: { maps: metadata, lists: { conditions: by('type') } },
  Node: { maps: { ...metadata, spec: 'NodeSpec', status: 'NodeStatus' } },
  NodeSpec: { lists: { podCIDRs: by() } },
  NodeStatus: { lists: { addresses: by('type'), conditions: by('type') } },
  Kustomization: { lists: { configMapGenerator: by('name'), secretGenerator: by('name') } },
};

/** Kinds by apiVersion; `Kind` has the type Object, `Kind:Type` another one. */
const KINDS: readonly (readonly [apiVersions: string, kinds: string])[] = [
  [
    'v1',
    'Binding ComponentStatus:ComponentStatus ConfigMap Endpoints Event LimitRange Namespace:ObjectWithConditions Node:Node PersistentVolume ' +
      'PersistentVolumeClaim:ObjectWithConditions Pod:Pod PodTemplate:PodTemplate ReplicationController:Workload ResourceQuota Secret ' +
      'Service:Service ServiceAccount:ServiceAccount',
  ],
  ['apps/v1', 'ControllerRevision DaemonSet:Workload Deployment:Workload ReplicaSet:Workload StatefulSet:Workload'],
  ['batch/v1', 'CronJob:CronJob Job:Workload'],
  ['batch/v1beta1', 'CronJob:CronJob'],
  [
    'admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1beta1',
    'MutatingWebhookConfiguration:WebhookConfiguration ValidatingWebhookConfiguration:WebhookConfiguration',
  ],
  ['apiextensions.k8s.io/v1 apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition'],
  ['apiregistration.k8s.io/v1 apiregistration.k8s.io/v1beta1', 'APIService:ObjectWithConditions'],
  ['authentication.k8s.io/v1', 'TokenRequest TokenReview'],
  ['authentication.k8s.io/v1beta1', 'TokenReview'],
  [
    'authorization.k8s.io/v1 authorization.k8s.io/v1beta1',
    'LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview',
  ],
  ['autoscaling/v1', 'HorizontalPodAutoscaler Scale'],
  ['autoscaling/v2beta1 autoscaling/v2beta2', 'HorizontalPodAutoscaler'],
  ['certificates.k8s.io/v1 certificates.k8s.io/v1beta1', 'CertificateSigningRequest'],
  ['coordination.k8s.io/v1 coordination.k8s.io/v1beta1', 'Lease'],
  ['discovery.k8s.io/v1 discovery.k8s.io/v1beta1', 'EndpointSlice'],
  ['events.k8s.io/v1 events.k8s.io/v1beta1', 'Event'],
  ['extensions/v1beta1', 'Ingress'],
  ['flowcontrol.apiserver.k8s.io/v1beta1', 'FlowSchema PriorityLevelConfiguration'],
  ['kustomize.config.k8s.io/v1beta1', 'Kustomization:Kustomization'],
  ['networking.k8s.io/v1', 'Ingress IngressClass NetworkPolicy'],
  ['networking.k8s.io/v1beta1', 'Ingress IngressClass'],
  ['node.k8s.io/v1 node.k8s.io/v1beta1', 'RuntimeClass'],
  ['policy/v1', 'PodDisruptionBudget:ObjectWithConditions'],
  ['policy/v1beta1', 'Eviction PodDisruptionBudget:ObjectWithConditions PodSecurityPolicy'],
  ['rbac.authorization.k8s.io/v1 rbac.authorization.k8s.io/v1beta1', 'ClusterRole ClusterRoleBinding Role RoleBinding'],
  ['scheduling.k8s.io/v1 scheduling.k8s.io/v1beta1', 'PriorityClass'],
  ['storage.k8s.io/v1', 'CSIDriver CSINode:CSINode StorageClass VolumeAttachment'],
  ['storage.k8s.io/v1beta1', 'CSIDriver CSINode:CSINode CSIStorageCapacity StorageClass VolumeAttachment'],
];

const TYPE_OF_KIND = new Map(
  KINDS.flatMap(([versions, kinds]) =>
    versions.split(' ').flatMap((version) =>
      kinds.split(' ').map((entry) => {
        const [kind = '', type = 'Object'] = entry.split(':');
        return [`${version} ${kind}`, type] as const;
      }),
    ),
  ),
);

/** The schema of a kind; undefined for kinds that the built-in schema does not know. */
export function schemaOfKind(apiVersion: string, kind: string): MergeSchema | undefined {
  return typeSchema(TYPES, TYPE_OF_KIND.get(`${apiVersion} ${kind}`));
}

/** The schema of a named type. */
export function typeSchema(types: TypeTable, name: string | undefined): MergeSchema | undefined {
  if (name === undefined || !Object.hasOwn(types, name)) return undefined;
  const type = types[name];
  return type === undefined ? undefined : { kind: 'type', type, types };
}

export function schemaOfField(schema: MergeSchema | undefined, field: string): MergeSchema | undefined {
  if (schema?.kind !== 'type') return undefined;
  const { lists = {}, maps = {} } = schema.type;
  const list = Object.hasOwn(lists, field) ? lists[field] : undefined;
  if (list !== undefined) return { kind: 'list', list, types: schema.types };
  return typeSchema(schema.types, Object.hasOwn(maps, field) ? maps[field] : schema.type.values);
}

export function schemaOfElements(schema: MergeSchema | undefined): MergeSchema | undefined {
  return schema?.kind === 'list' ? typeSchema(schema.types, schema.list.element) : undefined;
}

/** The keys of a merged list, none for a list merged by text; undefined when the list is replaced. */
export function mergeKeysOf(schema: MergeSchema | undefined): readonly string[] | undefined {
  return schema?.kind === 'list' ? schema.list.keys : undefined;
}
