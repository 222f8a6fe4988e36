import { isJsonObject, setCondition, type Condition, type KubeObject } from '../../kube/objects/index.ts';

type Fields = Record<string, unknown>;

/** The status that a healthy cluster would have reached; undefined when the kind needs none. */
export type HealthyStatus = (object: KubeObject, now: string) => Fields | undefined;

/** Where a load balancer's address would be: one that is reserved for documentation. */
const LOAD_BALANCER_ADDRESS = '192.0.2.1';
/** As if there were one node. */
const NODES = 1;

const fields = (value: unknown): Fields => (isJsonObject(value) ? value : {});
const specOf = (object: KubeObject): Fields => fields(object['spec']);
const statusOf = (object: KubeObject): Fields => fields(object['status']);
const integer = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

/** Counters of zero are absent. */
function counters(count: number, names: readonly string[]): Fields {
  return count === 0 ? {} : Object.fromEntries(names.map((name) => [name, count]));
}

function conditionsWith(object: KubeObject, now: string, wanted: readonly Omit<Condition, 'lastTransitionTime'>[]): Condition[] {
  const before = statusOf(object)['conditions'];
  return wanted.reduce((all, next) => setCondition(all, next, now), Array.isArray(before) ? (before as Condition[]) : []);
}

/** Deployments also say when a condition was last looked at; it moves with the condition. */
function withUpdateTimes(conditions: readonly Condition[]): Fields[] {
  return conditions.map((condition) => ({ ...condition, lastUpdateTime: condition.lastTransitionTime }));
}

const deployment: HealthyStatus = (object, now) => {
  const replicas = integer(specOf(object)['replicas'], 1);
  const name = object.metadata.name ?? '';
  const conditions = conditionsWith(object, now, [
    { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' },
    { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message: `ReplicaSet "${name}" has successfully progressed.` },
  ]);
  return {
    observedGeneration: object.metadata.generation ?? 1,
    ...counters(replicas, ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas']),
    conditions: withUpdateTimes(conditions),
  };
};

const statefulSet: HealthyStatus = (object) => {
  const replicas = integer(specOf(object)['replicas'], 1);
  const revision = `${object.metadata.name ?? ''}-${object.metadata.generation ?? 1}`;
  return {
    observedGeneration: object.metadata.generation ?? 1,
    replicas,
    ...counters(replicas, ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']),
    currentRevision: revision,
    updateRevision: revision,
    collisionCount: 0,
  };
};

const daemonSet: HealthyStatus = (object) => ({
  currentNumberScheduled: NODES,
  numberMisscheduled: 0,
  desiredNumberScheduled: NODES,
  numberReady: NODES,
  observedGeneration: object.metadata.generation ?? 1,
  updatedNumberScheduled: NODES,
  numberAvailable: NODES,
});

const replicaSet: HealthyStatus = (object) => {
  const replicas = integer(specOf(object)['replicas'], 1);
  return {
    replicas,
    ...counters(replicas, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']),
    observedGeneration: object.metadata.generation ?? 1,
  };
};

const job: HealthyStatus = (object, now) => {
  const spec = specOf(object);
  const before = statusOf(object);
  if (spec['suspend'] === true) {
    return {
      ...before,
      conditions: conditionsWith(object, now, [{ type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }]),
    };
  }
  const reached = { status: 'True', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } as const;
  const resumed = Array.isArray(before['conditions']) && before['conditions'].length > 0 && before['completionTime'] === undefined;
  return {
    startTime: before['startTime'] ?? now,
    completionTime: before['completionTime'] ?? now,
    succeeded: integer(spec['completions'] ?? spec['parallelism'], 1),
    ready: 0,
    terminating: 0,
    uncountedTerminatedPods: {},
    conditions: conditionsWith(object, now, [
      ...(resumed ? [{ type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' } as const] : []),
      { type: 'SuccessCriteriaMet', ...reached },
      { type: 'Complete', ...reached },
    ]).map((condition) => ({ ...condition, lastProbeTime: condition.lastTransitionTime })),
  };
};

const claim: HealthyStatus = (object) => {
  const spec = specOf(object);
  const storage = fields(fields(spec['resources'])['requests'])['storage'];
  return { phase: 'Bound', accessModes: spec['accessModes'] ?? [], ...(storage === undefined ? {} : { capacity: { storage } }) };
};

const volume: HealthyStatus = (object) => ({ phase: specOf(object)['claimRef'] === undefined ? 'Available' : 'Bound' });

const service: HealthyStatus = (object) => {
  if (specOf(object)['type'] !== 'LoadBalancer') return { loadBalancer: {} };
  return { loadBalancer: { ingress: [{ ip: LOAD_BALANCER_ADDRESS, ipMode: 'VIP' }] } };
};

const disruptionBudget: HealthyStatus = (object, now) => ({
  observedGeneration: object.metadata.generation ?? 1,
  disruptionsAllowed: 0,
  currentHealthy: 0,
  desiredHealthy: 0,
  expectedPods: 0,
  conditions: conditionsWith(object, now, [
    {
      type: 'DisruptionAllowed',
      status: 'False',
      reason: 'InsufficientPods',
      message: '',
      observedGeneration: object.metadata.generation ?? 1,
    },
  ]),
});

/** By name in the store. A kind is one line here. */
export const HEALTHY: Readonly<Record<string, HealthyStatus>> = {
  'deployments.apps': deployment,
  'statefulsets.apps': statefulSet,
  'daemonsets.apps': daemonSet,
  'replicasets.apps': replicaSet,
  replicationcontrollers: replicaSet,
  'jobs.batch': job,
  persistentvolumeclaims: claim,
  persistentvolumes: volume,
  services: service,
  'poddisruptionbudgets.policy': disruptionBudget,
};
