/** The built-in field specs of kustomize 5.8.1 (k:api/internal/konfig/builtinpluginconsts). */
import type { FieldSpec } from './kustomization.ts';
import { DEFAULT_NAME_REFERENCES } from './defaultnamereferences.ts';
import { sortConfig, type TransformerConfig } from './transformerconfig.ts';
import { DEFAULT_VAR_REFERENCES } from './defaultvarreferences.ts';

const TEMPLATE_KINDS: readonly FieldSpec[] = [
  { version: 'v1', kind: 'ReplicationController' },
  { kind: 'Deployment' },
  { kind: 'ReplicaSet' },
  { kind: 'DaemonSet' },
];

const BATCH_PATHS: readonly FieldSpec[] = [
  { group: 'batch', kind: 'Job', path: 'spec/template/metadata' },
  { group: 'batch', kind: 'CronJob', path: 'spec/jobTemplate/metadata' },
  { group: 'batch', kind: 'CronJob', path: 'spec/jobTemplate/spec/template/metadata' },
];

/** The metadata of objects and of the templates in them; StatefulSets are matched by group for labels only. */
function metadataSpecs(field: 'labels' | 'annotations', statefulSet: FieldSpec): FieldSpec[] {
  return [
    { path: `metadata/${field}`, create: true },
    ...[...TEMPLATE_KINDS, statefulSet].map((kind) => ({ ...kind, path: `spec/template/metadata/${field}`, create: true })),
    ...BATCH_PATHS.map((spec) => ({ ...spec, path: `${spec.path ?? ''}/${field}`, create: true })),
  ];
}

const STATEFUL_SET: FieldSpec = { group: 'apps', kind: 'StatefulSet' };

const TEMPLATE_LABELS: readonly FieldSpec[] = [
  ...metadataSpecs('labels', STATEFUL_SET),
  { ...STATEFUL_SET, path: 'spec/volumeClaimTemplates[]/metadata/labels', create: true },
];

const CREATED_SELECTORS: readonly FieldSpec[] = [
  { version: 'v1', kind: 'Service', path: 'spec/selector' },
  { version: 'v1', kind: 'ReplicationController', path: 'spec/selector' },
  { kind: 'Deployment', path: 'spec/selector/matchLabels' },
  { kind: 'ReplicaSet', path: 'spec/selector/matchLabels' },
  { kind: 'DaemonSet', path: 'spec/selector/matchLabels' },
  { ...STATEFUL_SET, path: 'spec/selector/matchLabels' },
].map((spec) => ({ ...spec, create: true }));

const POD_SELECTORS: readonly string[] = [
  ...['podAffinity', 'podAntiAffinity'].flatMap((affinity) => [
    `affinity/${affinity}/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels`,
    `affinity/${affinity}/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels`,
  ]),
  'topologySpreadConstraints/labelSelector/matchLabels',
];

const PRESENT_SELECTORS: readonly FieldSpec[] = [
  ...[{ group: 'apps', kind: 'Deployment' }, STATEFUL_SET].flatMap((kind) =>
    POD_SELECTORS.map((path) => ({ ...kind, path: `spec/template/spec/${path}` })),
  ),
  { group: 'batch', kind: 'Job', path: 'spec/selector/matchLabels' },
  { group: 'batch', kind: 'CronJob', path: 'spec/jobTemplate/spec/selector/matchLabels' },
  { group: 'policy', kind: 'PodDisruptionBudget', path: 'spec/selector/matchLabels' },
  { group: 'networking.k8s.io', kind: 'NetworkPolicy', path: 'spec/podSelector/matchLabels' },
  { group: 'networking.k8s.io', kind: 'NetworkPolicy', path: 'spec/ingress/from/podSelector/matchLabels' },
  { group: 'networking.k8s.io', kind: 'NetworkPolicy', path: 'spec/egress/to/podSelector/matchLabels' },
].map((spec) => ({ ...spec, create: false }));

const NAMESPACES: readonly FieldSpec[] = [
  { kind: 'Namespace', path: 'metadata/name', create: true },
  { group: 'apiregistration.k8s.io', kind: 'APIService', path: 'spec/service/namespace', create: true },
  {
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
    path: 'spec/conversion/webhook/clientConfig/service/namespace',
  },
];

const IMAGES: readonly FieldSpec[] = ['spec', 'spec/template/spec'].flatMap((pod) =>
  ['containers[]/image', 'initContainers[]/image', 'volumes[]/image/reference'].map((field) => ({ path: `${pod}/${field}`, create: true })),
);

const REPLICAS: readonly FieldSpec[] = ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => ({
  kind,
  path: 'spec/replicas',
  create: true,
}));

/** What every level starts from. */
export const DEFAULT_CONFIG: TransformerConfig = sortConfig({
  namePrefix: [{ path: 'metadata/name' }],
  nameSuffix: [{ path: 'metadata/name' }],
  namespace: NAMESPACES,
  commonLabels: [...TEMPLATE_LABELS, ...CREATED_SELECTORS, ...PRESENT_SELECTORS],
  labels: [],
  templateLabels: TEMPLATE_LABELS,
  commonAnnotations: metadataSpecs('annotations', { kind: 'StatefulSet' }),
  nameReference: DEFAULT_NAME_REFERENCES,
  varReference: DEFAULT_VAR_REFERENCES,
  images: IMAGES,
  replicas: REPLICAS,
});
