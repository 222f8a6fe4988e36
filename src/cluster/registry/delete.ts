import { apiErrors, cloneJson, isNotFound, type KubeObject, type Status, type StatusCause } from '../../kube/objects/index.ts';
import type { Environment, WriteContext } from './types.ts';
import { isReadyToGo } from './update.ts';
import { readCurrent, rfc3339, storeKeyOf, storeObject, type Current } from './write.ts';
import { toVersion } from './versions.ts';

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface Deleted {
  /** Gone, or waiting for finalizers or a grace period. */
  readonly gone: boolean;
  readonly object: KubeObject;
}

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';
const ATTEMPTS = 20;
const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** @throws ApiError 422 */
function checkDeleteOptions({ propagationPolicy, orphanDependents, gracePeriodSeconds }: DeleteOptions): void {
  const causes: StatusCause[] = [];
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    causes.push({
      reason: 'FieldValueInvalid',
      field: 'propagationPolicy',
      message: `Invalid value: ${JSON.stringify(propagationPolicy)}: orphanDependents and deletionPropagation cannot be both set`,
    });
  }
  if (propagationPolicy !== undefined && !POLICIES.includes(propagationPolicy)) {
    causes.push({
      reason: 'FieldValueNotSupported',
      field: 'propagationPolicy',
      message: `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: "Foreground", "Background", "Orphan"`,
    });
  }
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds < 0) {
    causes.push({
      reason: 'FieldValueInvalid',
      field: 'gracePeriodSeconds',
      message: `Invalid value: ${gracePeriodSeconds}: must be greater than or equal to 0`,
    });
  }
  if (causes.length > 0) throw apiErrors.invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', causes);
}

/**
 * DELETE of one object: at once, or by marking it and waiting for finalizers and grace (DEL-01 … DEL-05).
 *
 * @throws ApiError 403, 404, 409, 422
 */
export async function deleteObject(env: Environment, context: WriteContext, options: DeleteOptions): Promise<Deleted> {
  checkDeleteOptions(options);
  for (let attempt = 1; ; attempt++) {
    const current = readCurrent(env, context, context.name);
    if (current === undefined) throw apiErrors.notFound(context.resource, context.name);
    checkPreconditions(context, options, current.object);
    const validating = env.admission.validate({ operation: 'DELETE', context, old: current.object });
    if (validating !== undefined) await validating;
    const deleted = attemptDelete(env, context, options, current);
    if (deleted !== undefined) return deleted;
    if (attempt >= ATTEMPTS)
      throw apiErrors.conflict(context.resource, context.name, 'the object is being changed all the time; please try again');
  }
}

function checkPreconditions({ resource, name }: WriteContext, { preconditions }: DeleteOptions, { metadata }: KubeObject): void {
  const pairs = [
    ['UID', preconditions?.uid, metadata.uid],
    ['ResourceVersion', preconditions?.resourceVersion, metadata.resourceVersion],
  ] as const;
  for (const [what, wanted, actual] of pairs) {
    if (wanted !== undefined && wanted !== actual) {
      throw apiErrors.conflict(
        resource,
        name,
        `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${actual ?? ''}`,
      );
    }
  }
}

/** Undefined when the object changed meanwhile. */
function attemptDelete(
  env: Environment,
  context: WriteContext,
  options: DeleteOptions,
  { stored, object: live }: Current,
): Deleted | undefined {
  const key = storeKeyOf(context, context.name);
  if (env.store.get(key) !== stored) return undefined;
  const object = cloneJson(live);
  const grace = graceOf(context, options, live);
  const finalizers = finalizersAfter(context, options, live);
  setOrDelete(object, finalizers);
  const wasMarked = live.metadata.deletionTimestamp !== undefined;
  mark(env, object, grace);
  if (isReadyToGo(object)) {
    if (context.dryRun) return { gone: true, object };
    const last = env.store.remove(key, stored);
    return last === undefined ? undefined : { gone: true, object: toVersion(context.resource, context.version, last) };
  }
  const isChanged =
    !wasMarked || grace !== live.metadata.deletionGracePeriodSeconds || !sameList(finalizers, live.metadata.finalizers ?? []);
  if (!isChanged) return { gone: false, object: live };
  if (context.dryRun) return { gone: false, object };
  const marked = storeObject(env, context, object, stored);
  return marked === undefined ? undefined : { gone: false, object: marked };
}

function setOrDelete(object: KubeObject, finalizers: readonly string[]): void {
  if (finalizers.length > 0) object.metadata.finalizers = [...finalizers];
  else delete object.metadata.finalizers;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** Sets the deletion mark; a second deletion may only shorten the grace period. */
function mark(env: Environment, object: KubeObject, grace: number): void {
  const { metadata } = object;
  const isFirst = metadata.deletionTimestamp === undefined;
  if (!isFirst && (metadata.deletionGracePeriodSeconds ?? 0) <= grace) return;
  const now = env.world.clock.now();
  metadata.deletionTimestamp = rfc3339(now + grace * 1000);
  metadata.deletionGracePeriodSeconds = grace;
  if (isFirst && metadata.generation !== undefined && metadata.generation > 0) metadata.generation++;
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return;
  object['status'] = { ...(object['status'] as object | undefined), phase: 'Terminating' };
}

/** Only Pods that run somewhere are given time (DEL-05). */
function graceOf({ resource }: WriteContext, options: DeleteOptions, live: KubeObject): number {
  if (resource.custom || resource.group !== '' || resource.plural !== 'pods') return 0;
  const spec = live['spec'] as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined;
  const phase = (live['status'] as { phase?: string } | undefined)?.phase ?? '';
  const isRunning = (spec?.nodeName ?? '') !== '' && phase !== 'Succeeded' && phase !== 'Failed';
  if (!isRunning) return 0;
  return options.gracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30;
}

/** The finalizers that the propagation policy leaves (DEL-04). */
function finalizersAfter({ resource, warn }: WriteContext, options: DeleteOptions, live: KubeObject): string[] {
  const existing = live.metadata.finalizers ?? [];
  const others = existing.filter((each) => each !== ORPHAN && each !== FOREGROUND);
  const policy =
    options.propagationPolicy ?? (options.orphanDependents === undefined ? undefined : options.orphanDependents ? 'Orphan' : 'Background');
  switch (policy) {
    case 'Orphan':
      return [...others, ORPHAN];
    case 'Foreground':
      return [...others, FOREGROUND];
    case 'Background':
      return others;
    default:
  }
  if (resource.rules.orphans !== true || others.length !== existing.length) return [...existing];
  if (resource.plural === 'jobs') {
    warn(
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
    );
  }
  return [...existing, ORPHAN];
}

/** The Status that answers a completed DELETE. */
export function deletedStatus({ resource }: WriteContext, object: KubeObject): Status {
  const { name, uid } = object.metadata;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      ...(name === undefined ? {} : { name }),
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
      ...(uid === undefined ? {} : { uid }),
    },
  };
}

/** DELETE of a collection: one after the other, not atomic (LIST-14). */
export async function deleteObjects(
  env: Environment,
  contextOf: (object: KubeObject) => WriteContext,
  objects: readonly KubeObject[],
  options: DeleteOptions,
): Promise<KubeObject[]> {
  checkDeleteOptions(options);
  const deleted: KubeObject[] = [];
  for (const object of objects) {
    try {
      deleted.push((await deleteObject(env, contextOf(object), options)).object);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return deleted;
}
