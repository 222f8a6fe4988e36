import { cloneJson, type KubeObject } from '../../kube/objects/index.ts';
import { parseSchedule } from './cron.ts';
import { isFinished } from './jobs.ts';
import { controlledBy, fields, integer, isGoing, list, specOf, statusOf, text, type Simulation } from './simulation.ts';

const JOBS = 'jobs.batch';
const CRON_JOBS = 'cronjobs.batch';
const AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** A Job whenever the schedule says so (kubernetes:pkg/controller/cronjob). */
export async function reconcileCronJob(sim: Simulation, cron: KubeObject): Promise<void> {
  if (isGoing(cron)) return;
  const spec = specOf(cron);
  if (spec['suspend'] !== true) await runDue(sim, cron);
  await dropOld(sim, cron, 'Complete', integer(spec['successfulJobsHistoryLimit'], 3));
  await dropOld(sim, cron, 'Failed', integer(spec['failedJobsHistoryLimit'], 1));
  const now = sim.get(CRON_JOBS, cron.metadata.namespace ?? '', cron.metadata.name ?? '');
  if (now !== undefined) await writeStatus(sim, now);
}

async function runDue(sim: Simulation, cron: KubeObject): Promise<void> {
  const spec = specOf(cron);
  const schedule = parseSchedule(text(spec['schedule']), typeof spec['timeZone'] === 'string' ? spec['timeZone'] : undefined);
  const since = statusOf(cron)['lastScheduleTime'] ?? cron.metadata.creationTimestamp;
  let due: number | undefined;
  let next = schedule.next(Date.parse(text(since)));
  // Of times that were missed only the last one counts; a hundred are too many to look at.
  for (let looked = 0; next !== undefined && next <= sim.now() && looked < 100; looked++) {
    due = next;
    next = schedule.next(next);
  }
  if (next !== undefined && next <= sim.now()) next = schedule.next(sim.now());
  if (next !== undefined) sim.later(CRON_JOBS, cron, Math.min(next - sim.now(), 2 ** 31 - 1));
  const deadline = spec['startingDeadlineSeconds'];
  if (due === undefined || (typeof deadline === 'number' && sim.now() - due > deadline * 1000)) return;
  const running = sim.owned(JOBS, cron).filter((job) => !isFinished(job));
  if (running.length > 0 && spec['concurrencyPolicy'] === 'Forbid') return;
  if (spec['concurrencyPolicy'] === 'Replace') for (const job of running) await sim.remove(JOBS, job);
  await start(sim, cron, due);
}

async function start(sim: Simulation, cron: KubeObject, due: number): Promise<void> {
  const template = cloneJson(fields(specOf(cron)['jobTemplate']));
  const metadata = fields(template['metadata']);
  const when = `${new Date(due).toISOString().slice(0, 19)}Z`;
  await sim.create(JOBS, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${cron.metadata.name ?? ''}-${Math.floor(due / 60_000)}`,
      namespace: cron.metadata.namespace ?? '',
      ...(metadata['labels'] === undefined ? {} : { labels: fields(metadata['labels']) as Record<string, string> }),
      annotations: { ...(fields(metadata['annotations']) as Record<string, string>), [AT]: when },
      ownerReferences: controlledBy(cron),
    },
    spec: fields(template['spec']),
  });
  await sim.writeStatus(CRON_JOBS, cron, { ...statusOf(cron), lastScheduleTime: when });
}

async function dropOld(sim: Simulation, cron: KubeObject, ending: string, kept: number): Promise<void> {
  const done = sim
    .owned(JOBS, cron)
    .filter((job) => list(statusOf(job)['conditions']).some(({ type, status }) => type === ending && status === 'True'))
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  for (const job of done.slice(0, Math.max(0, done.length - kept))) await sim.remove(JOBS, job);
}

async function writeStatus(sim: Simulation, cron: KubeObject): Promise<void> {
  const jobs = sim.owned(JOBS, cron);
  const active = jobs
    .filter((job) => !isFinished(job))
    .map(({ metadata }) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      namespace: metadata.namespace,
      name: metadata.name,
      uid: metadata.uid,
    }));
  const succeeded = jobs.flatMap((job) => statusOf(job)['completionTime'] ?? []).map(String);
  const last = [text(statusOf(cron)['lastSuccessfulTime']), ...succeeded].toSorted().at(-1) ?? '';
  const scheduled = statusOf(cron)['lastScheduleTime'];
  await sim.writeStatus(CRON_JOBS, cron, {
    ...(active.length === 0 ? {} : { active }),
    ...(scheduled === undefined ? {} : { lastScheduleTime: scheduled }),
    ...(last === '' ? {} : { lastSuccessfulTime: last }),
  });
}
