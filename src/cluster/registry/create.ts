import { apiErrors, cloneJson, deepEqual, type KubeObject, type ObjectMeta } from '../../kube/objects/index.ts';
import { decodeObject } from './decode.ts';
import { trackUpdate } from './managed.ts';
import { generateName, NAME_ATTEMPTS } from './names.ts';
import { defaultFields } from './schemas.ts';
import { dropStatusOnCreate } from './subresources.ts';
import type { Environment, WriteContext } from './types.ts';
import { prepareAndValidate, readCurrent, storeObject, timestamp } from './write.ts';

const SYSTEM_FIELDS = ['creationTimestamp', 'uid', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'generation'] as const;

/**
 * POST: decodes, fills, admits, validates and stores a new object (REST-03), in the order of
 * apiserver:pkg/endpoints/handlers/create.go.
 *
 * @throws ApiError 400, 403, 404, 409, 422, 500
 */
export async function createObject(env: Environment, context: WriteContext, body: unknown): Promise<KubeObject> {
  const decoded = decodeObject(context, body);
  if ((decoded.metadata.resourceVersion ?? '') !== '') throw apiErrors.plain('resourceVersion should not be set on objects to be created');
  prepareMetadata(context, decoded);
  const object = defaultFields(context.resource, context.version, decoded);
  return insertObject(env, context, trackUpdate(context, env.world.clock.now(), undefined, object));
}

/** The rest of a creation, for POST, for apply, and for PUT of kinds that may be created so. */
export async function insertObject(env: Environment, context: WriteContext, given: KubeObject): Promise<KubeObject> {
  const object = cloneJson(given);
  prepareMetadata(context, object);
  const mutating = env.admission.mutate({ operation: 'CREATE', context, object });
  if (mutating !== undefined) await mutating;
  if (context.resource.terminating === true) {
    throw apiErrors.forbidden(
      context.resource,
      object.metadata.name ?? '',
      'create not allowed while custom resource definition is terminating',
    );
  }
  object.metadata.uid = env.world.random.uuid();
  object.metadata.creationTimestamp = timestamp(env);
  dropStatusOnCreate(context, object);
  const isGenerated = (object.metadata.name ?? '') === '' && (object.metadata.generateName ?? '') !== '';
  for (let attempt = 1; ; attempt++) {
    if (isGenerated) object.metadata.name = generateName(env.world.random, object.metadata.generateName ?? '');
    const ready = prepareAndValidate(env, context, object, undefined);
    const validating = env.admission.validate({ operation: 'CREATE', context, object: ready });
    if (validating !== undefined) await validating;
    const stored = insert(env, context, ready);
    if (stored !== undefined) return stored;
    if (!isGenerated || attempt >= NAME_ATTEMPTS) throw existsError(env, context, ready.metadata, isGenerated);
  }
}

function insert(env: Environment, context: WriteContext, object: KubeObject): KubeObject | undefined {
  if (readCurrent(env, context, object.metadata.name ?? '') !== undefined) return undefined;
  return context.dryRun ? object : storeObject(env, context, object, undefined);
}

function existsError(env: Environment, context: WriteContext, metadata: ObjectMeta, isGenerated: boolean): Error {
  const name = metadata.name ?? '';
  const error = apiErrors.alreadyExists(context.resource, name);
  const { status } = error;
  if (isGenerated) {
    status.message = `${status.message ?? ''}, the server was not able to generate a unique name for the object`;
    status.details = { ...status.details, retryAfterSeconds: 1 };
  } else if (readCurrent(env, context, name)?.object.metadata.deletionTimestamp !== undefined) {
    status.message = `object is being deleted: ${status.message ?? ''}`;
  }
  return error;
}

function prepareMetadata(context: WriteContext, object: KubeObject): void {
  const { metadata } = object;
  const fields = metadata as Record<string, unknown>;
  for (const field of SYSTEM_FIELDS) delete fields[field];
  delete metadata.resourceVersion;
  fillNamespace(context, object);
  if (context.name !== '' && (metadata.name ?? '') === '') metadata.name = context.name;
  dedupOwners(context, metadata);
}

/** @throws ApiError 400 when the object names another namespace */
export function fillNamespace({ resource, namespace }: WriteContext, object: KubeObject): void {
  const { metadata } = object;
  const given = metadata.namespace ?? '';
  if (!resource.namespaced) {
    if (given === '') delete metadata.namespace;
    return;
  }
  if (given !== '' && given !== namespace) {
    throw apiErrors.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata.namespace = namespace;
}

function dedupOwners({ warn }: WriteContext, metadata: ObjectMeta): void {
  const owners = metadata.ownerReferences;
  if (owners === undefined) return;
  const unique = owners.filter((owner, index) => owners.findIndex((other) => deepEqual(other, owner)) === index);
  if (unique.length === owners.length) return;
  warn(
    '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests',
  );
  metadata.ownerReferences = unique;
}
