import { setCondition, type Condition, type KubeObject } from '../../kube/objects/index.ts';
import { integer, isActive, isGoing, list, PODS, phaseOf, podFrom, specOf, statusOf, type Fields, type Simulation } from './simulation.ts';

const JOBS = 'jobs.batch';
const INDEX = 'batch.kubernetes.io/job-completion-index';

/** Pods until enough have succeeded (kubernetes:pkg/controller/job). */
export async function reconcileJob(sim: Simulation, job: KubeObject): Promise<void> {
  if (isGoing(job)) return;
  if (isFinished(job)) return expire(sim, job);
  const spec = specOf(job);
  const wanted = integer(spec['completions'], 1);
  const pods = sim.owned(PODS, job);
  const succeeded = pods.filter((pod) => phaseOf(pod) === 'Succeeded').length;
  const isLate = isOverdue(sim, job);
  if (spec['suspend'] === true || isLate) {
    for (const pod of pods.filter(isActive)) await sim.remove(PODS, pod);
  } else if (succeeded < wanted) {
    await fill(sim, job, pods, succeeded, wanted);
  }
  await writeStatus(sim, job, { succeeded, isDone: succeeded >= wanted, isLate });
}

/** Has it succeeded or failed for good? */
export function isFinished(job: KubeObject): boolean {
  return list(statusOf(job)['conditions']).some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
}

async function expire(sim: Simulation, job: KubeObject): Promise<void> {
  const ttl = specOf(job)['ttlSecondsAfterFinished'];
  if (typeof ttl !== 'number') return;
  const ended = list(statusOf(job)['conditions']).find(({ type }) => type === 'Complete' || type === 'Failed')?.['lastTransitionTime'];
  const left = Date.parse(String(ended)) + ttl * 1000 - sim.now();
  if (left > 0) sim.later(JOBS, job, left);
  else await sim.remove(JOBS, job);
}

function isOverdue(sim: Simulation, job: KubeObject): boolean {
  const deadline = specOf(job)['activeDeadlineSeconds'];
  const start = statusOf(job)['startTime'];
  if (typeof deadline !== 'number' || typeof start !== 'string') return false;
  const left = Date.parse(start) + deadline * 1000 - sim.now();
  if (left > 0) sim.later(JOBS, job, left);
  return left <= 0;
}

async function fill(sim: Simulation, job: KubeObject, pods: readonly KubeObject[], succeeded: number, wanted: number): Promise<void> {
  const active = pods.filter(isActive).length;
  const parallel = Math.min(integer(specOf(job)['parallelism'], 1), wanted - succeeded);
  const isIndexed = specOf(job)['completionMode'] === 'Indexed';
  const taken = new Set(pods.map(({ metadata }) => metadata.annotations?.[INDEX]));
  for (let missing = parallel - active; missing > 0; missing--) {
    let index = 0;
    while (taken.has(String(index))) index++;
    taken.add(String(index));
    const pod = podFrom(job, { generateName: isIndexed ? `${job.metadata.name ?? ''}-${index}-` : `${job.metadata.name ?? ''}-` });
    if (isIndexed) {
      pod.metadata.labels = { ...pod.metadata.labels, [INDEX]: String(index) };
      pod.metadata.annotations = { ...pod.metadata.annotations, [INDEX]: String(index) };
    }
    if ((await sim.create(PODS, pod)) === undefined) return;
  }
}

interface Outcome {
  readonly succeeded: number;
  readonly isDone: boolean;
  readonly isLate: boolean;
}

async function writeStatus(sim: Simulation, job: KubeObject, { succeeded, isDone, isLate }: Outcome): Promise<void> {
  const before = statusOf(job);
  const now = sim.timestamp();
  const isSuspended = specOf(job)['suspend'] === true;
  const old = (Array.isArray(before['conditions']) ? before['conditions'] : []) as Condition[];
  const wasSuspended = old.some(({ type, status }) => type === 'Suspended' && status === 'True');
  const active = sim.owned(PODS, job).filter(isActive).length;
  const wanted: Omit<Condition, 'lastTransitionTime'>[] = [
    ...(isSuspended ? [{ type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' } as const] : []),
    ...(!isSuspended && wasSuspended
      ? [{ type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' } as const]
      : []),
    ...(isDone ? ending(['SuccessCriteriaMet', 'Complete'], 'CompletionsReached', 'Reached expected number of succeeded pods') : []),
    ...(isLate && !isDone ? ending(['FailureTarget', 'Failed'], 'DeadlineExceeded', 'Job was active longer than specified deadline') : []),
  ];
  const conditions = wanted.reduce((all, next) => setCondition(all, next, now), old);
  const status: Fields = {
    ...(isSuspended ? {} : { startTime: wasSuspended ? now : (before['startTime'] ?? now) }),
    ...(isDone ? { completionTime: before['completionTime'] ?? now } : {}),
    ...(active === 0 ? {} : { active }),
    ...(succeeded === 0 ? {} : { succeeded }),
    ready: 0,
    terminating: 0,
    uncountedTerminatedPods: {},
    ...(conditions.length === 0 ? {} : { conditions: conditions.map((each) => ({ ...each, lastProbeTime: each.lastTransitionTime })) }),
  };
  await sim.writeStatus(JOBS, job, status);
}

function ending(types: readonly string[], reason: string, message: string): Omit<Condition, 'lastTransitionTime'>[] {
  return types.map((type) => ({ type, status: 'True', reason, message }));
}
