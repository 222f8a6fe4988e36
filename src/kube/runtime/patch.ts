import type { Cluster } from '../client/index.ts';
import { deepEqual, isJsonObject, isNotFound, refOf, type Json, type JsonObject, type KubeObject } from '../objects/index.ts';

/** The JSON merge patch (RFC 7386) that turns `before` into `after`; undefined when they are equal. */
export function mergePatchOf(before: JsonObject, after: JsonObject): JsonObject | undefined {
  const changes = Object.entries(after).flatMap(([field, value]): [string, Json][] => {
    const old = Object.hasOwn(before, field) ? before[field] : undefined;
    if (deepEqual(old, value)) return [];
    if (!isJsonObject(old) || !isJsonObject(value)) return [[field, value]];
    const inner = mergePatchOf(old, value);
    return inner === undefined ? [] : [[field, inner]];
  });
  const removals = Object.keys(before).flatMap((field): [string, Json][] => (Object.hasOwn(after, field) ? [] : [[field, null]]));
  const patch = [...changes, ...removals];
  // Entries are defined, not assigned: `__proto__` stays an ordinary key.
  return patch.length === 0 ? undefined : Object.fromEntries<Json>(patch);
}

export interface PatchOptions {
  readonly fieldManager: string;
  readonly signal?: AbortSignal;
}

/**
 * Writes what changed in the status of an object, and nothing when nothing did. An object that is gone has no status to
 * write: then it is returned as it was.
 *
 * @param object as read; @param status what its status shall be
 * @throws ApiError
 */
export async function patchStatus(cluster: Cluster, object: KubeObject, status: object, options: PatchOptions): Promise<KubeObject> {
  const patch = mergePatchOf((object['status'] ?? {}) as JsonObject, status as JsonObject);
  if (patch === undefined) return object;
  try {
    return await cluster.patch(refOf(object), 'merge', { status: patch }, { ...options, subresource: 'status' });
  } catch (error) {
    if (isNotFound(error)) return object;
    throw error;
  }
}

/** Sees to it that an object has a finalizer; refuses to overwrite somebody else's change of the list. */
export async function addFinalizer(cluster: Cluster, object: KubeObject, finalizer: string, options: PatchOptions): Promise<KubeObject> {
  const finalizers = object.metadata.finalizers ?? [];
  return finalizers.includes(finalizer) ? object : patchFinalizers(cluster, object, [...finalizers, finalizer], options);
}

/** Takes a finalizer away; the object may then be gone. */
export async function removeFinalizer(cluster: Cluster, object: KubeObject, finalizer: string, options: PatchOptions): Promise<void> {
  const finalizers = object.metadata.finalizers ?? [];
  if (!finalizers.includes(finalizer)) return;
  try {
    await patchFinalizers(
      cluster,
      object,
      finalizers.filter((each) => each !== finalizer),
      options,
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The resourceVersion in the patch makes it fail with Conflict when the object has changed since. */
async function patchFinalizers(cluster: Cluster, object: KubeObject, finalizers: string[], options: PatchOptions): Promise<KubeObject> {
  const { resourceVersion } = object.metadata;
  const metadata = { finalizers, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return cluster.patch(refOf(object), 'merge', { metadata }, options);
}
