import { type Json, type KubeObject } from '../../kube/objects/index.ts';
import {
  applyDefaults,
  defaultObject,
  prepareObject,
  prune,
  strategicMerge,
  validate,
  validateObject,
  type FieldError,
  type Schema,
} from '../../kube/schema/index.ts';
import { CRD_FINALIZER, defaultCrd, isCrd } from './crds.ts';
import type { Resource, Version } from './types.ts';

/*
 * The calls into kube/schema, in one place: what the schema of a version makes of an object. All of them answer a
 * new object, or the same when nothing changes.
 */

const asJson = (object: KubeObject): Json => object as unknown as Json;
const asObject = (value: Json): KubeObject => value as unknown as KubeObject;

/** The object without what the schema lacks, and the paths that went. */
export function pruneObject(version: Version, object: KubeObject): { object: KubeObject; unknown: readonly string[] } {
  if (version.schema === undefined) return { object, unknown: [] };
  const { value, pruned } = prune(version.schema, asJson(object));
  return { object: asObject(value), unknown: pruned };
}

/** Paths of fields whose values have another type than the schema says. Values are not in the answer. */
export function wrongTypes(version: Version, object: KubeObject): string[] {
  if (version.schema === undefined) return [];
  return validate(version.schema, asJson(object))
    .filter(({ reason }) => reason === 'FieldValueTypeInvalid')
    .map(({ field }) => field);
}

/** Fills in what is absent. */
export function defaultFields(resource: Resource, version: Version, object: KubeObject): KubeObject {
  if (isCrd(resource)) return defaultObject(defaultCrd(object));
  if (!resource.custom) return keepManagers(object, defaultObject(object));
  return version.schema === undefined ? object : asObject(applyDefaults(version.schema, asJson(object)));
}

/** An empty list of managers has a meaning (SSA-11), which dropping empty values would lose. */
function keepManagers(given: KubeObject, completed: KubeObject): KubeObject {
  const { managedFields } = given.metadata;
  if (managedFields === undefined || completed.metadata.managedFields !== undefined) return completed;
  return { ...completed, metadata: { ...completed.metadata, managedFields } };
}

/** What the server itself sets on a write of a built-in kind (clusterIP, Job selector …). */
export function prepareFields(resource: Resource, object: KubeObject, old: KubeObject | undefined): KubeObject {
  return resource.custom ? object : prepareObject(object, old);
}

/** `stringData` in its place before fields are accounted for: what a client sends by POST or PUT it owns as `data`. */
export function foldStringData(resource: Resource, object: KubeObject): KubeObject {
  return resource.group === '' && resource.plural === 'secrets' ? prepareObject(object) : object;
}

/** The causes of a 422. */
export function validateFields(
  resource: Resource,
  version: Version,
  object: KubeObject,
  old: KubeObject | undefined,
): readonly FieldError[] {
  const general = validateObject(withoutCrdFinalizer(resource, object), old === undefined ? undefined : withoutCrdFinalizer(resource, old));
  if (!resource.custom || version.schema === undefined) return general;
  return [...general, ...validate(version.schema, asJson(object), old === undefined ? undefined : asJson(old))];
}

/** The server's own finalizer of CRDs has no path, which is refused for all others. */
function withoutCrdFinalizer(resource: Resource, object: KubeObject): KubeObject {
  const { finalizers } = object.metadata;
  if (!isCrd(resource) || finalizers === undefined) return object;
  return { ...object, metadata: { ...object.metadata, finalizers: finalizers.filter((finalizer) => finalizer !== CRD_FINALIZER) } };
}

/** @throws ApiError 400, 422, 500 */
export function mergeStrategic(version: Version, live: KubeObject, patch: unknown): unknown {
  return strategicMerge(version.schema ?? {}, asJson(live), patch as Json);
}

const completed = new WeakMap<KubeObject, { readonly schema: Schema; readonly object: KubeObject }>();

/** A stored custom resource pruned and defaulted by today's schema (CRD-03, CRD-04). Frozen when it was. */
export function completeStored(resource: Resource, version: Version, stored: KubeObject): KubeObject {
  const { schema } = version;
  if (schema === undefined) return stored;
  const known = completed.get(stored);
  if (known?.schema === schema) return known.object;
  const object = defaultFields(resource, version, pruneObject(version, stored).object);
  completed.set(stored, { schema, object });
  return object;
}
