import type { Cluster } from '../client/index.ts';
import { isConflict, isNotFound, reasonOf, refOf, type KubeObject, type ObjectRef } from '../objects/index.ts';
import { hasDrifted } from './drift.ts';
import { dryRunError, isImmutableError, stepError } from './errors.ts';
import { adoptIgnored, ignoredPointers, withoutPointers } from './ignore.ts';
import { takeoverPatch } from './managers.ts';
import { desiredDigest } from './memory.ts';
import type { StagedApplyOptions } from './options.ts';
import { isForced, isSkipped } from './policy.ts';

/** What has to be done with one object, found out without changing its content. */
export interface Plan {
  readonly action: 'created' | 'configured' | 'recreated' | 'unchanged' | 'skipped';
  /** As the server names it: a namespace set on a cluster-scoped object is gone. */
  readonly ref: ObjectRef;
  readonly live?: KubeObject;
  /** What to send. */
  readonly desired: KubeObject;
  /** The dry-run's answer, when there was one. */
  readonly dryRun?: KubeObject;
}

/** Applies for real or as a dry-run, always as this owner and always with force. */
export function sendApply(cluster: Cluster, object: KubeObject, options: StagedApplyOptions, dryRun: boolean): Promise<KubeObject> {
  return cluster.apply(object, {
    fieldManager: options.owner.fieldManager,
    force: true,
    ...(dryRun ? { dryRun } : {}),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/**
 * Compares one desired with one live object (flux/SSA-05): skip rules, dry-run, take-over of other managers, comparison.
 * The take-over is the only write, and only with `takeOver`.
 */
export async function planObject(
  cluster: Cluster,
  object: KubeObject,
  live: KubeObject | undefined,
  options: StagedApplyOptions,
  takeOver: boolean,
): Promise<Plan> {
  const { group } = options.owner;
  if (isSkipped(object, live, group)) return { action: 'skipped', ref: refOf(live ?? object), desired: object, ...optional(live) };
  const digest = desiredDigest(object, [options.owner, options.user, options.ignore, options.overrideManagers]);
  if (live !== undefined && options.memory?.isUnchanged(live, digest) === true) {
    return { action: 'unchanged', ref: refOf(live), desired: object, live };
  }
  const pointers = live === undefined ? [] : ignoredPointers(object, options.ignore ?? []);
  const desired = live === undefined || pointers.length === 0 ? object : adoptIgnored(object, live, pointers, options.owner.fieldManager);
  const dryRun = await tryApply(cluster, desired, live, options);
  if (dryRun === undefined) return { action: 'recreated', ref: refOf(object), desired: object, ...optional(live) };
  const ref = refOf(dryRun);
  if (live === undefined) return { action: 'created', ref, desired, dryRun };
  const isTaken = await takeOverFields(cluster, desired, live, options, takeOver);
  if (isTaken || hasDrifted(withoutPointers(live, pointers), withoutPointers(dryRun, pointers))) {
    return { action: 'configured', ref, desired, live, dryRun };
  }
  options.memory?.remember(live, digest);
  return { action: 'unchanged', ref, desired, live, dryRun };
}

/** The dry-run's answer; undefined when the object must be made anew. */
async function tryApply(
  cluster: Cluster,
  desired: KubeObject,
  live: KubeObject | undefined,
  options: StagedApplyOptions,
): Promise<KubeObject | undefined> {
  try {
    return await sendApply(cluster, desired, options, true);
  } catch (error) {
    const mayForce = options.force === true || isForced(desired, live, options.owner.group);
    // Without a live object nothing can be immutable, whatever the answer looks like.
    if (live !== undefined && mayForce && isImmutableError(error)) return undefined;
    throw dryRunError(error, desired);
  }
}

/** How often the take-over is computed anew when the object changes under it. */
const TAKEOVER_TRIES = 4;

async function takeOverFields(
  cluster: Cluster,
  desired: KubeObject,
  seen: KubeObject,
  options: StagedApplyOptions,
  write: boolean,
): Promise<boolean> {
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  let live: KubeObject | undefined = seen;
  for (let left = TAKEOVER_TRIES; live !== undefined; left--) {
    const patch = takeoverPatch(desired, live, options.owner, options.overrideManagers);
    if (patch.length === 0) return live !== seen;
    if (!write) return true;
    try {
      await cluster.patch(refOf(live), 'json', patch, { fieldManager: options.owner.fieldManager, ...signal });
      return true;
    } catch (error) {
      // Changed since it was read, or deleted: then the apply that follows makes it anew.
      if (left === 1 || !(isNotFound(error) || isOvertaken(error))) throw stepError('metadata.managedFields cleanup failed', error, live);
    }
    live = await cluster.find(refOf(seen), signal);
  }
  return true;
}

/** A patch that insisted on a version which is no longer the current one. */
function isOvertaken(error: unknown): boolean {
  return isConflict(error) || reasonOf(error) === 'Invalid';
}

function optional(live: KubeObject | undefined): { live?: KubeObject } {
  return live === undefined ? {} : { live };
}
