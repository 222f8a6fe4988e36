import { cloneJson, deepEqual, setCondition, type Condition, type KubeObject } from '../../kube/objects/index.ts';
import { controlledBy, fields, integer, shortHash, specOf, statusOf, type Fields, type Simulation } from './simulation.ts';

const SETS = 'replicasets.apps';
const DEPLOYMENTS = 'deployments.apps';
const HASH = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';
/** The controller's way to say that there is no deadline. */
const NO_DEADLINE = 2 ** 31 - 1;

/** A ReplicaSet for each Pod template, and replicas that move from old to new (kubernetes:pkg/controller/deployment). */
export async function reconcileDeployment(sim: Simulation, deployment: KubeObject): Promise<void> {
  if (deployment.metadata.deletionTimestamp !== undefined) return;
  const current = (await ensureSet(sim, deployment)) ?? undefined;
  if (current !== undefined && specOf(deployment)['paused'] !== true) {
    const old = setsOf(sim, deployment).filter(({ metadata }) => metadata.uid !== current.metadata.uid);
    for (const [set, replicas] of nextReplicas(deployment, current, old)) {
      await sim.update(SETS, set, (copy) => void (copy['spec'] = { ...specOf(copy), replicas }));
    }
    await dropOldSets(sim, deployment, old);
  }
  await writeStatus(sim, deployment, current?.metadata.name ?? '');
}

const setsOf = (sim: Simulation, deployment: KubeObject): KubeObject[] => sim.owned(SETS, deployment);
const replicasOf = (set: KubeObject): number => integer(specOf(set)['replicas'], 1);
const revisionOf = (set: KubeObject): number => Number(set.metadata.annotations?.[REVISION] ?? 0);

async function ensureSet(sim: Simulation, deployment: KubeObject): Promise<KubeObject | undefined> {
  const { replicas, selector, template, minReadySeconds, paused } = specOf(deployment);
  const sets = setsOf(sim, deployment);
  const hash = shortHash(template);
  const name = `${deployment.metadata.name ?? ''}-${hash}`;
  const found = sets.find(({ metadata }) => metadata.name === name);
  const revision = Math.max(0, ...sets.map(revisionOf)) + 1;
  if (found !== undefined) {
    // An older template came back: a rollback is a new revision.
    if (revisionOf(found) < revision - 1) {
      await sim.update(
        SETS,
        found,
        ({ metadata }) => void (metadata.annotations = { ...metadata.annotations, [REVISION]: String(revision) }),
      );
    }
    return sim.get(SETS, deployment.metadata.namespace ?? '', name);
  }
  if (paused === true) return undefined;
  const { metadata, spec } = cloneJson(fields(template));
  const labels = { ...(fields(fields(metadata)['labels']) as Record<string, string>), [HASH]: hash };
  const isFirst = sets.length === 0;
  const made = await sim.create(SETS, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: { 'deployment.kubernetes.io/desired-replicas': String(integer(replicas, 1)), [REVISION]: String(revision) },
      ownerReferences: controlledBy(deployment),
    },
    spec: {
      replicas: isFirst ? integer(replicas, 1) : 0,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...cloneJson(fields(selector)), matchLabels: { ...fields(fields(selector)['matchLabels']), [HASH]: hash } },
      template: { metadata: { ...fields(metadata), labels }, spec },
    },
  });
  return made;
}

/** Which sets get another size now: one step of the rollout. */
function nextReplicas(deployment: KubeObject, current: KubeObject, old: readonly KubeObject[]): [KubeObject, number][] {
  const { replicas, strategy } = specOf(deployment);
  const wanted = integer(replicas, 1);
  const total = [current, ...old].reduce((sum, set) => sum + Math.max(replicasOf(set), integer(statusOf(set)['replicas'], 0)), 0);
  const oldTotal = old.reduce((sum, set) => sum + Math.max(replicasOf(set), integer(statusOf(set)['replicas'], 0)), 0);
  const rolling = fields(fields(strategy)['rollingUpdate']);
  const steps: [KubeObject, number][] = [];
  if (fields(strategy)['type'] === 'Recreate') {
    for (const set of old) if (replicasOf(set) > 0) steps.push([set, 0]);
    if (oldTotal === 0 && replicasOf(current) !== wanted) steps.push([current, wanted]);
    return steps;
  }
  let surge = share(rolling['maxSurge'], wanted, Math.ceil);
  let unavailable = share(rolling['maxUnavailable'], wanted, Math.floor);
  if (surge === 0 && unavailable === 0) unavailable = 1;
  if (wanted === 0) surge = 0;
  const room = Math.max(0, wanted + surge - total);
  const grown = Math.min(wanted, replicasOf(current) + room);
  if (grown !== replicasOf(current)) steps.push([current, grown]);
  const available = [current, ...old].reduce((sum, set) => sum + integer(statusOf(set)['availableReplicas'], 0), 0);
  let spare = Math.max(0, available - (wanted - unavailable));
  for (const set of old) {
    const healthy = integer(statusOf(set)['availableReplicas'], 0);
    const broken = Math.max(0, replicasOf(set) - healthy);
    const healthyLess = Math.min(spare, replicasOf(set) - broken);
    spare -= healthyLess;
    if (broken + healthyLess > 0) steps.push([set, replicasOf(set) - broken - healthyLess]);
  }
  return steps;
}

/** A number, or a percentage of the replicas. Default a quarter. */
function share(value: unknown, of: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value;
  const percent = Number.parseInt(typeof value === 'string' ? value : '25%', 10);
  return round((of * (Number.isNaN(percent) ? 25 : percent)) / 100);
}

async function dropOldSets(sim: Simulation, deployment: KubeObject, old: readonly KubeObject[]): Promise<void> {
  const empty = old.filter((set) => replicasOf(set) === 0 && integer(statusOf(set)['replicas'], 0) === 0);
  const kept = integer(specOf(deployment)['revisionHistoryLimit'], 10);
  const extra = empty.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, empty.length - kept));
  for (const set of extra) await sim.remove(SETS, set);
}

async function writeStatus(sim: Simulation, deployment: KubeObject, current: string): Promise<void> {
  const sets = setsOf(sim, deployment);
  const sum = (field: string, of = sets): number => of.reduce((all, set) => all + integer(statusOf(set)[field], 0), 0);
  const wanted = integer(specOf(deployment)['replicas'], 1);
  const counts = {
    replicas: sum('replicas'),
    updatedReplicas: sum(
      'replicas',
      sets.filter(({ metadata }) => metadata.name === current),
    ),
    readyReplicas: sum('readyReplicas'),
    availableReplicas: sum('availableReplicas'),
    unavailableReplicas: Math.max(0, Math.max(wanted, sum('replicas')) - sum('availableReplicas')),
  };
  const conditions = conditionsOf(sim, deployment, current, counts);
  await sim.writeStatus(DEPLOYMENTS, deployment, {
    observedGeneration: deployment.metadata.generation ?? 1,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    conditions,
  });
}

interface Counts {
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly availableReplicas: number;
}

function conditionsOf(sim: Simulation, deployment: KubeObject, set: string, counts: Counts): Fields[] {
  const spec = specOf(deployment);
  const before = statusOf(deployment);
  const wanted = integer(spec['replicas'], 1);
  const unavailable = share(fields(fields(spec['strategy'])['rollingUpdate'])['maxUnavailable'], wanted, Math.floor);
  const isAvailable = counts.availableReplicas >= wanted - (fields(spec['strategy'])['type'] === 'Recreate' ? 0 : unavailable);
  const isDone = counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas >= wanted;
  const old = (Array.isArray(before['conditions']) ? before['conditions'] : []) as (Condition & { lastUpdateTime?: string })[];
  const progress = old.find(({ type }) => type === 'Progressing');
  const isMoved =
    progress === undefined ||
    before['observedGeneration'] !== deployment.metadata.generation ||
    (['updatedReplicas', 'availableReplicas'] as const).some((name) => integer(before[name], 0) < counts[name]);
  const deadline = integer(spec['progressDeadlineSeconds'], 600);
  const since = Date.parse(progress?.lastUpdateTime ?? '');
  const overdue = since + deadline * 1000;
  const isLate = !isDone && !isMoved && deadline !== NO_DEADLINE && (progress?.reason === LATE || sim.now() >= overdue);
  if (!isDone && !isLate && deadline !== NO_DEADLINE) {
    sim.later(DEPLOYMENTS, deployment, Number.isNaN(overdue) || isMoved ? deadline * 1000 + 1000 : overdue - sim.now());
  }
  const next: Omit<Condition, 'lastTransitionTime'>[] = [
    isAvailable
      ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    progressing(set, isDone, isLate),
  ];
  const now = sim.timestamp();
  return next
    .reduce<Condition[]>((all, each) => setCondition(all, each, now), old)
    .map((condition) => {
      const was = old.find(({ type }) => type === condition.type);
      const isSame = was !== undefined && deepEqual({ ...was, lastUpdateTime: '' }, { ...condition, lastUpdateTime: '' });
      const stays = isSame && !(condition.type === 'Progressing' && isMoved && !isDone);
      return { ...condition, lastUpdateTime: stays ? (was.lastUpdateTime ?? now) : now };
    });
}

const LATE = 'ProgressDeadlineExceeded';

function progressing(set: string, isDone: boolean, isLate: boolean): Omit<Condition, 'lastTransitionTime'> {
  if (isDone)
    return {
      type: 'Progressing',
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "${set}" has successfully progressed.`,
    };
  if (isLate) return { type: 'Progressing', status: 'False', reason: LATE, message: `ReplicaSet "${set}" has timed out progressing.` };
  return { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `ReplicaSet "${set}" is progressing.` };
}
