import type { Cluster } from '../client/index.ts';
import { isNotFound, refOf, type KubeObject } from '../objects/index.ts';
import { isWritten, type ChangeEntry, type ChangeSet } from './changes.ts';
import { ApplyFailed, dryRunError, kindUnknownError, namespaceMissingError, stepError } from './errors.ts';
import { mapLimited } from './limit.ts';
import { liveKey, readLive } from './live.ts';
import { compareForApply, stagesOf } from './order.ts';
import type { StagedApplyOptions } from './options.ts';
import { planObject, sendApply, type Plan } from './plan.ts';
import { isExcluded } from './policy.ts';
import { promisedBy } from './promised.ts';
import { waitForHealth, waitForTermination } from './wait.ts';

const CONCURRENCY = 4;
const STAGE_TIMEOUT_MS = 60_000;
const STAGE_POLL_MS = 2000;

/** Kinds whose change makes the same apply come out differently. */
const RULE_KINDS = new Set(['CustomResourceDefinition', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']);

/**
 * Applies objects server-side in stages (flux/SSA-03): definitions, classes, custom kinds, the rest. In each stage all
 * objects are compared first, and only if every dry-run passed are those that differ written, one after the other in the
 * order of kinds. Objects must be normalised and carry the owner's labels.
 *
 * @returns an entry for each object, in the order of application
 * @throws ApplyFailed with the entries done so far
 * @throws HealthFailed when the definitions of a stage did not become ready in time
 */
export async function applyStaged(cluster: Cluster, objects: readonly KubeObject[], options: StagedApplyOptions): Promise<ChangeSet> {
  const entries: ChangeEntry[] = [];
  for (const stage of stagesOf(objects, options.customStageKinds)) {
    const done = await applyStage(cluster, stage.objects, options, entries);
    if (done.some((entry) => RULE_KINDS.has(entry.ref.kind) && isWritten(entry))) options.memory?.clear();
    if (stage.awaited) await waitForStage(cluster, done, options);
  }
  return { entries };
}

/**
 * What {@link applyStaged} would do now, without any write: drift, and the objects as the server would make them. An object
 * whose namespace or kind comes only with another one of the set cannot be asked about: it is planned as created.
 *
 * @throws SottoError for a dry-run that is refused, in the words of {@link applyStaged}
 */
export async function diff(cluster: Cluster, objects: readonly KubeObject[], options: StagedApplyOptions): Promise<Plan[]> {
  const isPromised = await promisedBy(cluster, objects, options.signal);
  const plans: Plan[] = [];
  for (const stage of stagesOf(objects, options.customStageKinds)) {
    const { later = [], now = [] } = Object.groupBy(stage.objects, (object) => (isPromised(object) ? 'later' : 'now'));
    const created = later.map((object): Plan => ({ action: 'created', ref: refOf(object), desired: object }));
    const planned = [...(await planStage(cluster, now, options, false)), ...created];
    plans.push(...planned.toSorted((a, b) => compareForApply(a.desired, b.desired)));
  }
  return plans;
}

async function applyStage(
  cluster: Cluster,
  objects: readonly KubeObject[],
  options: StagedApplyOptions,
  entries: ChangeEntry[],
): Promise<ChangeEntry[]> {
  const done: ChangeEntry[] = [];
  try {
    for (const plan of await planStage(cluster, objects, options, true)) {
      const entry = await carryOut(cluster, plan, options);
      done.push(entry);
      entries.push(entry);
    }
  } catch (error) {
    throw new ApplyFailed(error, entries);
  }
  return done;
}

async function planStage(
  cluster: Cluster,
  objects: readonly KubeObject[],
  options: StagedApplyOptions,
  takeOver: boolean,
): Promise<Plan[]> {
  const concurrency = options.concurrency ?? CONCURRENCY;
  const scoped = await mapLimited(objects, concurrency, (object) => scopeObject(cluster, object, options.owner.group));
  const served = scoped.flatMap(({ object, isServed }) => (isServed ? [refOf(object)] : []));
  const live = await readLive(cluster, served, options.owner, {
    concurrency,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return mapLimited(scoped, concurrency, ({ object }) => planObject(cluster, object, live.get(liveKey(refOf(object))), options, takeOver));
}

/** The object with the namespace that its kind's scope allows. */
async function scopeObject(cluster: Cluster, object: KubeObject, group: string): Promise<{ object: KubeObject; isServed: boolean }> {
  const isLeftAlone = isExcluded(object, undefined, group);
  const resource = await cluster.resourceFor(object);
  const hasNamespace = (object.metadata.namespace ?? '') !== '';
  if (resource === undefined) {
    if (isLeftAlone) return { object, isServed: false };
    throw kindUnknownError(object);
  }
  if (resource.namespaced && !hasNamespace) {
    if (isLeftAlone) return { object, isServed: false };
    throw namespaceMissingError(object);
  }
  if (resource.namespaced || object.metadata.namespace === undefined) return { object, isServed: true };
  const { namespace: _namespace, ...metadata } = object.metadata;
  return { object: { ...object, metadata }, isServed: true };
}

async function carryOut(cluster: Cluster, plan: Plan, options: StagedApplyOptions): Promise<ChangeEntry> {
  const known = plan.live === undefined ? {} : { live: plan.live };
  if (plan.action === 'skipped') return { ref: plan.ref, action: 'skipped', ...known };
  if (plan.action === 'unchanged' && options.writeUnchanged !== true) return { ref: plan.ref, action: 'unchanged', ...known };
  if (plan.action === 'recreated') await deleteForRecreation(cluster, plan, options);
  try {
    const live = await sendApply(cluster, plan.desired, options, false);
    const action = plan.action === 'recreated' ? 'created' : plan.action;
    return { ref: refOf(live), action, live };
  } catch (error) {
    throw stepError('apply failed', error, plan.desired);
  }
}

/** Deletes an object whose change was refused, waits until it is gone, and makes sure that the new one is acceptable. */
async function deleteForRecreation(cluster: Cluster, plan: Plan, options: StagedApplyOptions): Promise<void> {
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  try {
    await cluster.delete(plan.ref, { propagationPolicy: 'Background', ...signal });
    await waitForTermination(cluster, [plan.ref], { world: options.world, timeoutMs: STAGE_TIMEOUT_MS, ...signal });
  } catch (error) {
    if (!isNotFound(error)) throw stepError('immutable field detected, failed to delete object', error, plan.desired);
  }
  try {
    await sendApply(cluster, plan.desired, options, true);
  } catch (error) {
    throw dryRunError(error, plan.desired);
  }
}

async function waitForStage(cluster: Cluster, entries: readonly ChangeEntry[], options: StagedApplyOptions): Promise<void> {
  const awaited = entries.filter((entry) => entry.action !== 'skipped');
  await waitForHealth(
    cluster,
    awaited.map((entry) => entry.ref),
    {
      world: options.world,
      ...(options.reader === undefined ? {} : { reader: options.reader }),
      timeoutMs: options.stageTimeoutMs ?? STAGE_TIMEOUT_MS,
      pollMs: STAGE_POLL_MS,
      known: awaited.flatMap((entry) => (entry.live === undefined ? [] : [entry.live])),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
}
