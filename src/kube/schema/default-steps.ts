import { ownValue, type JsonObject } from '../objects/index.ts';
import { ensured, fill, objectAt, objectsAt } from './access.ts';

/**
 * Defaults that depend on other fields, by definition. Each step may change the object it gets, a copy; what it
 * adds is completed by the steps of nested definitions afterwards.
 */
export const DEFAULT_STEPS: Readonly<Record<string, (object: JsonObject) => void>> = {
  'core.v1.Namespace': nameLabel,
  'core.v1.Pod': defaultPod,
  'core.v1.PodSpec': syncServiceAccount,
  'core.v1.Container': defaultPullPolicy,
  'core.v1.EphemeralContainer': defaultPullPolicy,
  'core.v1.Volume': (volume) => {
    if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  },
  'core.v1.ServicePort': (port) => {
    if (ownValue(port, 'targetPort') === undefined && port.port !== undefined) port.targetPort = port.port;
  },
  'core.v1.ServiceSpec': defaultService,
  'core.v1.Service': (service) => fill(ensured(service, 'status'), 'loadBalancer', {}),
  'core.v1.PersistentVolume': (volume) => fill(ensured(volume, 'status'), 'phase', 'Pending'),
  'core.v1.PersistentVolumeClaim': (claim) => fill(ensured(claim, 'status'), 'phase', 'Pending'),
  'networking.v1.Ingress': (ingress) => fill(ensured(ingress, 'status'), 'loadBalancer', {}),
  'networking.v1.NetworkPolicySpec': (spec) => {
    fill(spec, 'policyTypes', objectsAt(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress']);
  },
  'apps.v1.DeploymentStrategy': (strategy) => {
    if (strategy.type !== 'RollingUpdate') return;
    const rolling = ensured(strategy, 'rollingUpdate');
    fill(rolling, 'maxUnavailable', '25%');
    fill(rolling, 'maxSurge', '25%');
  },
  'apps.v1.StatefulSetUpdateStrategy': (strategy) => {
    if (strategy.type === 'RollingUpdate') fill(ensured(strategy, 'rollingUpdate'), 'partition', 0);
  },
  'apps.v1.StatefulSetSpec': (spec) => {
    for (const claim of objectsAt(spec, 'volumeClaimTemplates')) {
      fill(claim, 'apiVersion', 'v1');
      fill(claim, 'kind', 'PersistentVolumeClaim');
    }
  },
  'apps.v1.DaemonSetUpdateStrategy': (strategy) => {
    if (strategy.type !== 'RollingUpdate') return;
    const rolling = ensured(strategy, 'rollingUpdate');
    fill(rolling, 'maxUnavailable', 1);
    fill(rolling, 'maxSurge', 0);
  },
  'batch.v1.Job': defaultJob,
  'rbac.v1.Subject': (subject) => {
    if (subject.kind === 'User' || subject.kind === 'Group') fill(subject, 'apiGroup', 'rbac.authorization.k8s.io');
  },
  'apiextensions.v1.CustomResourceDefinitionSpec': (spec) => {
    const names = objectAt(spec, 'names');
    if (names === undefined || typeof names.kind !== 'string') return;
    fill(names, 'singular', names.kind.toLowerCase());
    fill(names, 'listKind', `${names.kind}List`);
  },
};

function nameLabel(namespace: JsonObject): void {
  const metadata = objectAt(namespace, 'metadata');
  if (metadata === undefined || typeof metadata.name !== 'string' || metadata.name === '') return;
  ensured(metadata, 'labels')['kubernetes.io/metadata.name'] = metadata.name;
}

function defaultPod(pod: JsonObject): void {
  const spec = objectAt(pod, 'spec');
  if (spec === undefined) return;
  fill(spec, 'enableServiceLinks', true);
  for (const container of [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')]) {
    const resources = objectAt(container, 'resources');
    const limits = objectAt(resources, 'limits');
    if (resources !== undefined && limits !== undefined) {
      const requests = ensured(resources, 'requests');
      for (const [name, limit] of Object.entries(limits)) fill(requests, name, limit);
    }
    if (spec.hostNetwork !== true) continue;
    for (const port of objectsAt(container, 'ports')) if (port.containerPort !== undefined) fill(port, 'hostPort', port.containerPort);
  }
}

/** Either name may be sent; the newer one wins. */
function syncServiceAccount(spec: JsonObject): void {
  const name = ownValue(spec, 'serviceAccountName') ?? ownValue(spec, 'serviceAccount');
  if (name === undefined) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

/** An image without tag and digest means `latest`. */
function defaultPullPolicy(container: JsonObject): void {
  const image = typeof container.image === 'string' ? container.image : '';
  const lastPart = image.slice(image.lastIndexOf('/') + 1);
  const [tagged = ''] = lastPart.split('@');
  const tag = tagged.includes(':') ? tagged.slice(tagged.indexOf(':') + 1) : '';
  const isLatest = tag === 'latest' || (tag === '' && !lastPart.includes('@'));
  fill(container, 'imagePullPolicy', isLatest ? 'Always' : 'IfNotPresent');
}

function defaultService(spec: JsonObject): void {
  fill(spec, 'type', 'ClusterIP');
  fill(spec, 'sessionAffinity', 'None');
  if (spec.sessionAffinity === 'ClientIP') {
    fill(ensured(ensured(spec, 'sessionAffinityConfig'), 'clientIP'), 'timeoutSeconds', 10_800);
  }
  if (spec.type !== 'ExternalName') fill(spec, 'internalTrafficPolicy', 'Cluster');
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') fill(spec, 'externalTrafficPolicy', 'Cluster');
  if (spec.type === 'LoadBalancer') fill(spec, 'allocateLoadBalancerNodePorts', true);
}

function defaultJob(job: JsonObject): void {
  const spec = objectAt(job, 'spec');
  if (spec === undefined) return;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  fill(spec, 'parallelism', 1);
  fill(spec, 'backoffLimit', 6);
  fill(spec, 'completionMode', 'NonIndexed');
  fill(spec, 'suspend', false);
  fill(spec, 'manualSelector', false);
  fill(spec, 'podReplacementPolicy', spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed');
  const labels = objectAt(objectAt(objectAt(spec, 'template'), 'metadata'), 'labels');
  const metadata = ensured(job, 'metadata');
  if (labels !== undefined && objectAt(metadata, 'labels') === undefined) metadata.labels = { ...labels };
}
