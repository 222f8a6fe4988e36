import { deepEqual, isJsonObject, type KubeObject, type ObjectMeta, type StatusCause } from '../../kube/objects/index.ts';
import type { Resource } from './types.ts';

/** What the server knows about metadata beside its form, which kube/schema checks: scope, and what is never changed. */
export function validateScope(resource: Resource, object: KubeObject, old: KubeObject | undefined): StatusCause[] {
  return [...namespaceCauses(resource, object.metadata), ...(old === undefined ? [] : deletionCauses(object.metadata, old.metadata))];
}

function namespaceCauses(resource: Resource, { namespace = '' }: ObjectMeta): StatusCause[] {
  const field = 'metadata.namespace';
  if (resource.namespaced) return namespace === '' ? [{ reason: 'FieldValueRequired', message: 'Required value', field }] : [];
  return namespace === '' ? [] : [{ reason: 'FieldValueForbidden', message: 'Forbidden: not allowed on this type', field }];
}

function deletionCauses(metadata: ObjectMeta, old: ObjectMeta): StatusCause[] {
  return (['deletionTimestamp', 'deletionGracePeriodSeconds'] as const)
    .filter((field) => !deepEqual(metadata[field], old[field]))
    .map((field) => ({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(metadata[field] ?? null)}: field is immutable`,
      field: `metadata.${field}`,
    }));
}

/** Custom resources may carry finalizers without a path, with a warning (META-01). */
export function finalizerWarnings(resource: Resource, { metadata }: KubeObject): string[] {
  if (!resource.custom) return [];
  return (metadata.finalizers ?? [])
    .filter((finalizer) => !finalizer.includes('/') && finalizer !== 'orphan' && finalizer !== 'foregroundDeletion')
    .map(
      (finalizer) =>
        `metadata.finalizers: "${finalizer}": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    );
}

const STRINGS = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'];
const MAPS = ['labels', 'annotations'];
const LISTS = ['finalizers', 'ownerReferences', 'managedFields'];

/** What decoding a typed ObjectMeta would refuse; undefined when nothing. No value is in the text. */
export function metadataTypeProblem(metadata: unknown): string | undefined {
  if (!isJsonObject(metadata)) return 'metadata: expected object';
  const given = (field: string): boolean => metadata[field] !== undefined && metadata[field] !== null;
  const text = STRINGS.find((field) => given(field) && typeof metadata[field] !== 'string');
  if (text !== undefined) return `metadata.${text}: expected string`;
  const map = MAPS.find((field) => given(field) && !isStringMap(metadata[field]));
  if (map !== undefined) return `metadata.${map}: expected map of strings`;
  const list = LISTS.find((field) => given(field) && !isListOf(field, metadata[field]));
  return list === undefined ? undefined : `metadata.${list}: expected list`;
}

function isStringMap(value: unknown): boolean {
  return isJsonObject(value) && Object.values(value).every((item) => typeof item === 'string');
}

function isListOf(field: string, value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => (field === 'finalizers' ? typeof item === 'string' : isJsonObject(item)));
}
