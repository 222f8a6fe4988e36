import { apiErrors, cloneJson, deepEqual, type KubeObject, type StatusCause } from '../../kube/objects/index.ts';
import type { StoreKey } from '../store/index.ts';
import { isCrd, setCrdStatus, storedVersionCauses } from './crds.ts';
import { eventCauses, isTooLarge, objectTooLarge } from './limits.ts';
import { finalizerWarnings, validateScope } from './metadata.ts';
import { allocateService, isService } from './services.ts';
import { prepareFields, validateFields } from './schemas.ts';
import type { Environment, Resource, WriteContext } from './types.ts';
import { toStorage, toVersion } from './versions.ts';

/** The time as objects show it: RFC 3339, seconds. */
export function timestamp(env: Environment): string {
  return rfc3339(env.world.clock.now());
}

export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

export function storeKeyOf({ resource, namespace }: { resource: Resource; namespace: string }, name: string): StoreKey {
  return { resource: resource.storeName, namespace: resource.namespaced ? namespace : '', name };
}

/** The stored object of a request, as its version shows it; `stored` is what a conditional write expects. */
export function readCurrent(
  env: Environment,
  context: Pick<WriteContext, 'resource' | 'version' | 'namespace'>,
  name: string,
): Current | undefined {
  const stored = env.store.get(storeKeyOf(context, name));
  return stored === undefined ? undefined : { stored, object: toVersion(context.resource, context.version, stored) };
}

export interface Current {
  readonly stored: KubeObject;
  readonly object: KubeObject;
}

/** @throws ApiError 422 with every finding */
function refuseInvalid(resource: Resource, object: KubeObject, causes: readonly StatusCause[]): void {
  if (causes.length > 0) throw apiErrors.invalid(resource, object.metadata.name ?? '', causes);
}

/**
 * What the server itself sets, and the checks that follow: the same for every way of writing.
 *
 * @throws ApiError 422
 */
export function prepareAndValidate(env: Environment, context: WriteContext, given: KubeObject, old: KubeObject | undefined): KubeObject {
  const { resource, version, warn } = context;
  const object = cloneJson(prepareFields(resource, given, old));
  if (isCrd(resource)) setCrdStatus(env.catalog, object, old, timestamp(env));
  if (resource.rules.generation === true || resource.custom) setGeneration(context, object, old);
  const allocation = isService(resource) && context.subresource === '' ? allocateService(env, object, old) : [];
  for (const warning of finalizerWarnings(resource, object)) warn(warning);
  refuseInvalid(resource, object, [
    ...allocation,
    ...(isCrd(resource) ? storedVersionCauses(object) : []),
    ...(resource.storeName === 'events' ? eventCauses(object) : []),
    ...validateScope(resource, object, old),
    ...validateFields(resource, version, object, old),
  ]);
  return object;
}

function setGeneration({ resource, version }: WriteContext, object: KubeObject, old: KubeObject | undefined): void {
  if (old === undefined) {
    object.metadata.generation = 1;
    return;
  }
  const generation = old.metadata.generation ?? 1;
  const isChanged = !deepEqual(counted(resource, version.status, object), counted(resource, version.status, old));
  object.metadata.generation = isChanged ? generation + 1 : generation;
}

/** The part of an object whose changes generation counts (REST-09). */
function counted(resource: Resource, hasStatus: boolean, object: KubeObject): unknown {
  const { metadata, status, ...rest } = object;
  const body = resource.custom && !hasStatus ? { ...rest, status } : rest;
  return resource.kind === 'Deployment' && !resource.custom ? [body, metadata.annotations ?? {}] : { ...body, apiVersion: '' };
}

/** Writes the object in its storage version; undefined when somebody else was faster. */
export function storeObject(
  env: Environment,
  context: WriteContext,
  object: KubeObject,
  expected: KubeObject | undefined,
): KubeObject | undefined {
  const key = storeKeyOf(context, object.metadata.name ?? '');
  const stored = env.store.put(key, fitting(context, inOrder(toStorage(context.resource, object))), expected);
  return stored === undefined ? undefined : toVersion(context.resource, context.version, stored);
}

/**
 * Managed fields give way when they make an object too large (SSA-15), unless the write is an apply, which can't do
 * without them.
 *
 * @throws ApiError 413
 */
function fitting({ manager }: WriteContext, object: KubeObject): KubeObject {
  if (!isTooLarge(object)) return object;
  const { managedFields = [], ...metadata } = object.metadata;
  const isApply = managedFields.some((entry) => entry.operation === 'Apply' && entry.manager === manager);
  const lighter = { ...object, metadata };
  if (isApply || isTooLarge(lighter)) throw objectTooLarge();
  return lighter;
}

/** A shallow copy whose fields stand where readers look for them. */
function inOrder({ apiVersion, kind, metadata, ...rest }: KubeObject): KubeObject {
  const { name, generateName, namespace, uid, ...more } = metadata;
  const first = Object.entries({ name, generateName, namespace, uid }).filter(([, value]) => value !== undefined);
  return { apiVersion, kind, metadata: { ...Object.fromEntries(first), ...more }, ...rest };
}
