import { apiErrors, cloneJson, type KubeObject } from '../../kube/objects/index.ts';
import { fillNamespace, insertObject } from './create.ts';
import { decodeObject } from './decode.ts';
import { isSameWrite, trackUpdate } from './managed.ts';
import { defaultFields } from './schemas.ts';
import { keepOtherParts } from './subresources.ts';
import type { Environment, WriteContext } from './types.ts';
import { prepareAndValidate, readCurrent, storeKeyOf, storeObject, type Current } from './write.ts';

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';
/** Rounds of a write that may be recomputed on newer content; in each one somebody gets through. */
const ATTEMPTS = 1000;

export interface Written {
  readonly object: KubeObject;
  readonly created: boolean;
}

/** How a write makes the new object from the live one. */
export interface Change {
  /** Undefined `live`: the object doesn't exist. Answers a fresh object in the request's version. */
  make(live: KubeObject | undefined): KubeObject;
  /** Managed fields are already accounted for (apply). */
  readonly tracked: boolean;
  /** The object may be created (asked only when it is missing). */
  readonly mayCreate: () => Promise<boolean> | boolean;
  /** Recompute on a concurrent change instead of failing. */
  readonly retries: boolean;
  /** The request is a PUT: rules about a missing resourceVersion hold. */
  readonly isPut: boolean;
}

/**
 * PUT (REST-05).
 *
 * @throws ApiError 400, 403, 404, 409, 422
 */
export async function replaceObject(
  env: Environment,
  context: WriteContext,
  body: unknown,
  authorizeCreate: () => Promise<void>,
): Promise<Written> {
  const decoded = decodeObject(context, body);
  if ((decoded.metadata.name ?? '') === '' && !context.resource.custom) decoded.metadata.name = context.name;
  const object = defaultFields(context.resource, context.version, decoded);
  if (object.metadata.name !== context.name) {
    throw apiErrors.badRequest(
      `the name of the object (${object.metadata.name ?? ''}) does not match the name on the URL (${context.name})`,
    );
  }
  fillNamespace(context, object);
  const { createOnUpdate } = context.resource.rules;
  return writeChange(env, context, {
    make: () => cloneJson(object),
    tracked: false,
    mayCreate: async () => {
      if (createOnUpdate !== true || context.subresource !== '') return false;
      await authorizeCreate();
      return true;
    },
    retries: (object.metadata.resourceVersion ?? '') === '',
    isPut: true,
  });
}

/**
 * Reads, changes, admits, validates and stores, again and again while others are faster.
 *
 * @throws ApiError 400, 403, 404, 409, 422
 */
export async function writeChange(env: Environment, context: WriteContext, change: Change): Promise<Written> {
  for (let attempt = 1; ; attempt++) {
    const written = await attemptChange(env, context, change);
    if (written !== undefined) return written;
    if (!change.retries || attempt >= ATTEMPTS) throw apiErrors.conflict(context.resource, context.name, MODIFIED);
  }
}

async function attemptChange(env: Environment, context: WriteContext, change: Change): Promise<Written | undefined> {
  const current = readCurrent(env, context, context.name);
  if (current === undefined) return createMissing(env, context, change);
  const live = current.object;
  const object = change.make(live);
  checkIdentity(context, object, live, change.isPut);
  keepOtherParts(context, object, live);
  keepSystemFields(object, live);
  const next = cloneJson(change.tracked ? object : trackUpdate(context, env.world.clock.now(), live, object));
  const mutating = env.admission.mutate({ operation: 'UPDATE', context, object: next, old: live });
  if (mutating !== undefined) await mutating;
  const ready = prepareAndValidate(env, context, next, live);
  const validating = env.admission.validate({ operation: 'UPDATE', context, object: ready, old: live });
  if (validating !== undefined) await validating;
  const stored = storeChange(env, context, ready, current);
  return stored === undefined ? undefined : { object: stored, created: false };
}

async function createMissing(env: Environment, context: WriteContext, change: Change): Promise<Written> {
  if (!(await change.mayCreate())) throw apiErrors.notFound(context.resource, context.name);
  const object = change.make(undefined);
  if ((object.metadata.uid ?? '') !== '') {
    throw apiErrors.conflict(
      context.resource,
      context.name,
      `Precondition failed: UID in precondition: ${object.metadata.uid ?? ''}, UID in object meta: `,
    );
  }
  const tracked = change.tracked ? object : trackUpdate(context, env.world.clock.now(), undefined, object);
  return { object: await insertObject(env, context, tracked), created: true };
}

/** @throws ApiError 400, 409, 422 */
function checkIdentity(context: WriteContext, object: KubeObject, live: KubeObject, isPut: boolean): void {
  const { resource, name } = context;
  const { metadata } = object;
  if (metadata.name !== live.metadata.name) {
    throw apiErrors.badRequest(`the name of the object (${metadata.name ?? ''}) does not match the name on the URL (${name})`);
  }
  fillNamespace(context, object);
  const uid = metadata.uid ?? '';
  if (uid !== '' && uid !== live.metadata.uid) {
    throw apiErrors.conflict(
      resource,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid ?? ''}`,
    );
  }
  const version = metadata.resourceVersion ?? '';
  if (version !== '' && version !== live.metadata.resourceVersion) throw apiErrors.conflict(resource, name, MODIFIED);
  const needsVersion = resource.custom || resource.rules.needsVersion === true;
  if (version === '' && isPut && needsVersion) {
    throw apiErrors.invalid({ group: resource.group, kind: resource.plural }, name, [
      { reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message: 'Invalid value: 0: must be specified for an update' },
    ]);
  }
}

/** Fields that a client can't change keep their live values. */
function keepSystemFields(object: KubeObject, live: KubeObject): void {
  const next = object.metadata as Record<string, unknown>;
  const old = live.metadata as Record<string, unknown>;
  for (const field of ['uid', 'creationTimestamp', 'generation', 'resourceVersion', 'selfLink']) {
    if (old[field] === undefined) delete next[field];
    else next[field] = old[field];
  }
  if (old['deletionTimestamp'] !== undefined) {
    next['deletionTimestamp'] = old['deletionTimestamp'];
    next['deletionGracePeriodSeconds'] ??= old['deletionGracePeriodSeconds'];
  }
}

/** Stores a changed object, leaves an unchanged one alone, and removes one whose last finalizer went. */
function storeChange(
  env: Environment,
  context: WriteContext,
  object: KubeObject,
  { stored, object: live }: Current,
): KubeObject | undefined {
  if (env.store.get(storeKeyOf(context, context.name)) !== stored) return undefined;
  if (isSameWrite(object, live)) return live;
  if (context.dryRun) return object;
  if (isReadyToGo(object)) {
    const last = env.store.remove(storeKeyOf(context, context.name), stored);
    return last === undefined
      ? undefined
      : { ...object, metadata: { ...object.metadata, resourceVersion: last.metadata.resourceVersion ?? '' } };
  }
  return storeObject(env, context, object, stored);
}

/** Being deleted, and nothing left to wait for (DEL-02). */
export function isReadyToGo(object: KubeObject): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata;
  if (deletionTimestamp === undefined || finalizers.length > 0 || deletionGracePeriodSeconds !== 0) return false;
  if (object.apiVersion !== 'v1' || object.kind !== 'Namespace') return true;
  const spec = object['spec'] as { finalizers?: string[] } | undefined;
  return (spec?.finalizers ?? []).length === 0;
}
