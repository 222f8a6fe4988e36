import { isJsonObject, type KubeObject } from '../objects/index.ts';
import { conditionsOf, fieldOf, integerOf, textOf } from './fields.ts';
import { current, failed, inProgress, type Health } from './verdict.ts';

/** `now` is milliseconds since the epoch, when the caller knows. */
type Rule = (object: KubeObject, now: number | undefined) => Health;

/** How long a Pod may be unschedulable before that counts as a failure. */
const SCHEDULE_WINDOW_MS = 15_000;
/** The deployment controller's way to say that there is no deadline. */
const NO_DEADLINE = 2 ** 31 - 1;

const isTrue = (object: KubeObject, type: string): boolean =>
  conditionsOf(object).some((condition) => condition.type === type && condition.status === 'True');

/** The first shortfall of a list of `[actual, wanted, what]`. */
function shortfall(counts: readonly (readonly [actual: number, wanted: number, what: string])[]): Health | undefined {
  const found = counts.find(([actual, wanted]) => actual < wanted);
  return found === undefined ? undefined : inProgress(`${found[2]}: ${found[0]}/${found[1]}`);
}

function surplus(replicas: number, wanted: number): Health | undefined {
  return replicas > wanted ? inProgress(`Pending termination: ${replicas - wanted}`) : undefined;
}

const alwaysReady: Rule = () => current('Resource is always ready');

const deployment: Rule = (object) => {
  const conditions = conditionsOf(object);
  if (conditions.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded')) {
    return failed('Progress deadline exceeded');
  }
  const hasDeadline = integerOf(object, 'spec.progressDeadlineSeconds', NO_DEADLINE) !== NO_DEADLINE;
  const isRolledOut = conditions.some(
    ({ type, status, reason }) => type === 'Progressing' && status === 'True' && reason === 'NewReplicaSetAvailable',
  );
  const wanted = integerOf(object, 'spec.replicas', 1);
  const replicas = integerOf(object, 'status.replicas', 0);
  const updated = integerOf(object, 'status.updatedReplicas', 0);
  const available = integerOf(object, 'status.availableReplicas', 0);
  const ready = integerOf(object, 'status.readyReplicas', 0);
  return (
    shortfall([
      [replicas, wanted, 'Replicas'],
      [updated, wanted, 'Updated'],
    ]) ??
    surplus(replicas, wanted) ??
    shortfall([
      [available, updated, 'Available'],
      [ready, wanted, 'Ready'],
    ]) ??
    (hasDeadline && !isRolledOut ? inProgress('ReplicaSet not Available') : undefined) ??
    (isTrue(object, 'Available') ? undefined : inProgress('Deployment not Available')) ??
    current(`Deployment is available. Replicas: ${replicas}`)
  );
};

const statefulSet: Rule = (object) => {
  if (textOf(object, 'spec.updateStrategy.type') === 'OnDelete') return current('StatefulSet is using the ondelete update strategy');
  const wanted = integerOf(object, 'spec.replicas', 1);
  const replicas = integerOf(object, 'status.replicas', 0);
  return (
    shortfall([
      [replicas, wanted, 'Replicas'],
      [integerOf(object, 'status.readyReplicas', 0), wanted, 'Ready'],
    ]) ??
    surplus(replicas, wanted) ??
    statefulSetRollout(object, wanted) ??
    current(`All replicas scheduled as expected. Replicas: ${replicas}`)
  );
};

function statefulSetRollout(object: KubeObject, wanted: number): Health | undefined {
  const partition = integerOf(object, 'spec.updateStrategy.rollingUpdate.partition', -1);
  if (partition !== -1) {
    const updated = integerOf(object, 'status.updatedReplicas', 0);
    return shortfall([[updated, wanted - partition, 'updated']]) ?? current(`Partition rollout complete. updated: ${updated}`);
  }
  const isCurrent = textOf(object, 'status.currentRevision') === textOf(object, 'status.updateRevision');
  return (
    shortfall([[integerOf(object, 'status.currentReplicas', 0), wanted, 'current']]) ??
    (isCurrent ? undefined : inProgress('Waiting for updated revision to match current'))
  );
}

const daemonSet: Rule = (object) => {
  for (const path of ['metadata.generation', 'status.observedGeneration']) {
    if (fieldOf(object, path) === undefined) return inProgress(`${object.kind} ${path} not found`);
  }
  const wanted = integerOf(object, 'status.desiredNumberScheduled', -1);
  if (wanted === -1) return inProgress('Missing .status.desiredNumberScheduled');
  const counts = [
    ['currentNumberScheduled', 'Current'],
    ['updatedNumberScheduled', 'Updated'],
    ['numberAvailable', 'Available'],
    ['numberReady', 'Ready'],
  ] as const;
  return (
    shortfall(counts.map(([field, what]) => [integerOf(object, `status.${field}`, 0), wanted, what])) ??
    current(`All replicas scheduled as expected. Replicas: ${wanted}`)
  );
};

const replicaSet: Rule = (object) => {
  if (isTrue(object, 'ReplicaFailure')) return inProgress('Replica Failure condition. Check Pods');
  const wanted = integerOf(object, 'spec.replicas', 1);
  const replicas = integerOf(object, 'status.replicas', 0);
  return (
    shortfall([
      [integerOf(object, 'status.fullyLabeledReplicas', 0), wanted, 'Labelled'],
      [integerOf(object, 'status.availableReplicas', 0), wanted, 'Available'],
      [integerOf(object, 'status.readyReplicas', 0), wanted, 'Ready'],
    ]) ??
    surplus(replicas, wanted) ??
    current(`ReplicaSet is available. Replicas: ${replicas}`)
  );
};

const claim: Rule = (object) => {
  const phase = textOf(object, 'status.phase', 'unknown');
  return phase === 'Bound' ? current('PVC is Bound') : inProgress(`PVC is not Bound. phase: ${phase}`);
};

const pod: Rule = (object, now) => {
  const phase = textOf(object, 'status.phase');
  switch (phase) {
    case 'Succeeded':
      return current('Pod has completed successfully');
    case 'Failed':
      return current('Pod has completed, but not successfully');
    case 'Running':
      return runningPod(object);
    case 'Pending':
      return pendingPod(object, now);
    case '':
      return inProgress('Pod phase not available');
    default:
      return { status: 'Unknown', message: `unknown phase ${phase}` };
  }
};

function runningPod(object: KubeObject): Health {
  if (isTrue(object, 'Ready')) return current('Pod is Ready');
  const statuses = fieldOf(object, 'status.containerStatuses');
  const crashing = (Array.isArray(statuses) ? statuses.filter(isJsonObject) : [])
    .filter(({ state }) => isJsonObject(state) && isJsonObject(state['waiting']) && state['waiting']['reason'] === 'CrashLoopBackOff')
    .map(({ name }) => (typeof name === 'string' ? name : ''));
  if (crashing.length > 0) return failed(`Containers in CrashLoop state: ${crashing.join(',')}`);
  return inProgress('Pod is running but is not Ready');
}

function pendingPod(object: KubeObject, now: number | undefined): Health {
  const isUnschedulable = conditionsOf(object).some(
    ({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  );
  if (!isUnschedulable) return inProgress('Pod is in the Pending phase');
  const created = Date.parse(object.metadata.creationTimestamp ?? '');
  const isLate = now !== undefined && !(now - SCHEDULE_WINDOW_MS < created);
  return isLate ? failed('Pod could not be scheduled') : inProgress('Pod has not been scheduled');
}

/** Flux's own reader: unlike in kstatus, a Job that runs is in progress. */
const job: Rule = (object) => {
  const wanted = integerOf(object, 'spec.completions', integerOf(object, 'spec.parallelism', 1));
  for (const { type, status } of conditionsOf(object)) {
    if (status !== 'True') continue;
    if (type === 'Complete') return current(`Job Completed. succeeded: ${integerOf(object, 'status.succeeded', 0)}/${wanted}`);
    if (type === 'Failed') return failed(`Job Failed. failed: ${integerOf(object, 'status.failed', 0)}/${wanted}`);
    if (type === 'Suspended') return current('Job is suspended');
  }
  return inProgress(textOf(object, 'status.startTime') === '' ? 'Job not started' : 'Job in progress');
};

const service: Rule = (object) =>
  textOf(object, 'spec.type', 'ClusterIP') === 'LoadBalancer' && textOf(object, 'spec.clusterIP') === ''
    ? inProgress('ClusterIP not set. Service type: LoadBalancer')
    : current('Service is ready');

const definition: Rule = (object) => {
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (type === 'NamesAccepted' && status === 'False') return failed(message);
    if (type !== 'Established') continue;
    if (status === 'False' && reason !== 'Installing') return failed(message);
    if (status === 'True') return current('CRD is established');
  }
  return inProgress('Install in progress');
};

/** Rules by kind, or by group and kind. */
export const KIND_RULES: ReadonlyMap<string, Rule> = new Map([
  ['Secret', alwaysReady],
  ['ConfigMap', alwaysReady],
  ['batch/CronJob', alwaysReady],
  ['Service', service],
  ['PersistentVolumeClaim', claim],
  ['Pod', pod],
  ['apps/Deployment', deployment],
  ['extensions/Deployment', deployment],
  ['apps/StatefulSet', statefulSet],
  ['apps/DaemonSet', daemonSet],
  ['extensions/DaemonSet', daemonSet],
  ['apps/ReplicaSet', replicaSet],
  ['extensions/ReplicaSet', replicaSet],
  ['policy/PodDisruptionBudget', () => current('AllowedDisruptions has been computed.')],
  ['batch/Job', job],
  ['apiextensions.k8s.io/CustomResourceDefinition', definition],
]);
