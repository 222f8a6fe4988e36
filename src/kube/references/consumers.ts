/** A field, or a list of them, that names a Secret or a ConfigMap. Patterns are those of `find`. */
export interface ConsumerRow {
  /** `kind`: the value's own field `kind` says it. */
  readonly to: 'Secret' | 'ConfigMap' | 'kind';
  /** Where the reference is. */
  readonly at: string;
  /** Field of the reference that has the name; '' when the reference is the name. Default `name`. */
  readonly name?: string;
  /** Where the reference says which keys are read. */
  readonly keys?: string;
  /** The keys that are read when the reference says none. */
  readonly defaultKeys?: readonly string[];
  /** Look for `…SecretRef` objects anywhere below instead. */
  readonly deep?: boolean;
}

const secret = (at: string, more: Omit<ConsumerRow, 'to' | 'at'> = {}): ConsumerRow => ({ to: 'Secret', at, ...more });
const configMap = (at: string, more: Omit<ConsumerRow, 'to' | 'at'> = {}): ConsumerRow => ({ to: 'ConfigMap', at, ...more });

const CONTAINER: readonly ConsumerRow[] = [
  secret('env[].valueFrom.secretKeyRef', { keys: 'key' }),
  configMap('env[].valueFrom.configMapKeyRef', { keys: 'key' }),
  secret('envFrom[].secretRef'),
  configMap('envFrom[].configMapRef'),
];

const POD_SPEC: readonly ConsumerRow[] = [
  ...['containers[]', 'initContainers[]', 'ephemeralContainers[]'].flatMap((list) =>
    CONTAINER.map((row) => ({ ...row, at: `${list}.${row.at}` })),
  ),
  secret('volumes[].secret', { name: 'secretName', keys: 'items[].key' }),
  configMap('volumes[].configMap', { keys: 'items[].key' }),
  secret('volumes[].projected.sources[].secret', { keys: 'items[].key' }),
  configMap('volumes[].projected.sources[].configMap', { keys: 'items[].key' }),
  secret('volumes[].csi.nodePublishSecretRef'),
  secret('volumes[].azureFile', { name: 'secretName' }),
  secret('volumes[].cephfs.secretRef'),
  secret('volumes[].cinder.secretRef'),
  secret('volumes[].flexVolume.secretRef'),
  secret('volumes[].iscsi.secretRef'),
  secret('volumes[].rbd.secretRef'),
  secret('volumes[].scaleIO.secretRef'),
  secret('volumes[].storageos.secretRef'),
  secret('imagePullSecrets[]'),
];

const podSpecAt = (path: string): ConsumerRow[] => POD_SPEC.map((row) => ({ ...row, at: `${path}.${row.at}` }));
const TEMPLATE = podSpecAt('spec.template.spec');
const INGRESS = [secret('spec.tls[].secretName', { name: '' })];
const ISSUER = [secret('spec.ca.secretName', { name: '' }), secret('spec', { deep: true })];
const KUBE_CONFIG = [
  secret('spec.kubeConfig.secretRef', { keys: 'key', defaultKeys: ['value', 'value.yaml'] }),
  configMap('spec.kubeConfig.configMapRef'),
];
const CSI_SECRETS = ['controllerPublish', 'controllerExpand', 'nodeStage', 'nodePublish', 'nodeExpand'];
const refs = (...fields: string[]): ConsumerRow[] => fields.map((field) => secret(`spec.${field}`));

/** By kind, or by group and kind. */
export const CONSUMERS: ReadonlyMap<string, readonly ConsumerRow[]> = new Map([
  ['Pod', podSpecAt('spec')],
  ['PodTemplate', podSpecAt('template.spec')],
  ['ReplicationController', TEMPLATE],
  ['apps/Deployment', TEMPLATE],
  ['apps/StatefulSet', TEMPLATE],
  ['apps/DaemonSet', TEMPLATE],
  ['apps/ReplicaSet', TEMPLATE],
  ['batch/Job', TEMPLATE],
  ['batch/CronJob', podSpecAt('spec.jobTemplate.spec.template.spec')],
  ['argoproj.io/Rollout', TEMPLATE],
  ['apps.openshift.io/DeploymentConfig', TEMPLATE],
  ['serving.knative.dev/Service', TEMPLATE],

  ['ServiceAccount', [secret('secrets[]'), secret('imagePullSecrets[]')]],
  [
    'PersistentVolume',
    [...CSI_SECRETS.map((field) => secret(`spec.csi.${field}SecretRef`)), secret('spec.azureFile', { name: 'secretName' })],
  ],
  ['networking.k8s.io/Ingress', INGRESS],
  ['extensions/Ingress', INGRESS],
  ['gateway.networking.k8s.io/Gateway', [{ to: 'kind', at: 'spec.listeners[].tls.certificateRefs[]' }]],

  ['source.toolkit.fluxcd.io/GitRepository', refs('secretRef', 'verify.secretRef', 'proxySecretRef')],
  [
    'source.toolkit.fluxcd.io/OCIRepository',
    refs('secretRef', 'certSecretRef', 'proxySecretRef', 'verify.secretRef', 'verify.trustedRootSecretRef'),
  ],
  ['source.toolkit.fluxcd.io/Bucket', refs('secretRef', 'certSecretRef', 'proxySecretRef', 'sts.secretRef', 'sts.certSecretRef')],
  ['source.toolkit.fluxcd.io/HelmRepository', refs('secretRef', 'certSecretRef')],
  ['source.toolkit.fluxcd.io/HelmChart', refs('verify.secretRef')],
  [
    'kustomize.toolkit.fluxcd.io/Kustomization',
    [...refs('decryption.secretRef'), { to: 'kind', at: 'spec.postBuild.substituteFrom[]' }, ...KUBE_CONFIG],
  ],
  [
    'helm.toolkit.fluxcd.io/HelmRelease',
    [
      { to: 'kind', at: 'spec.valuesFrom[]', keys: 'valuesKey', defaultKeys: ['values.yaml'] },
      ...KUBE_CONFIG,
      ...refs('chart.spec.verify.secretRef'),
    ],
  ],
  ['notification.toolkit.fluxcd.io/Receiver', [secret('spec.secretRef', { defaultKeys: ['token'] })]],
  ['notification.toolkit.fluxcd.io/Provider', refs('secretRef', 'certSecretRef', 'proxySecretRef')],
  ['image.toolkit.fluxcd.io/ImageRepository', refs('secretRef', 'certSecretRef', 'proxySecretRef')],

  ['external-secrets.io/SecretStore', [secret('spec.provider', { deep: true })]],
  ['external-secrets.io/ClusterSecretStore', [secret('spec.provider', { deep: true })]],
  ['external-secrets.io/PushSecret', [secret('spec.selector.secret')]],
  ['cert-manager.io/Issuer', ISSUER],
  ['cert-manager.io/ClusterIssuer', ISSUER],
  ['cert-manager.io/Certificate', [secret('spec.keystores', { deep: true })]],
] satisfies [string, readonly ConsumerRow[]][]);
