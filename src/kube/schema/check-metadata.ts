import { isJsonObject, type Json, type JsonObject, type KubeObject } from '../objects/index.ts';
import { objectAt, objectsAt, textOf } from './access.ts';
import { fieldErrors } from './errors.ts';
import { labelValue, qualifiedName, type NameCheck } from './names.ts';
import type { FieldError } from './types.ts';

const MAX_ANNOTATIONS = 262_144;
/** Finalizers without a prefix that built-in kinds may carry. */
const UNQUALIFIED_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

export interface MetadataRules {
  readonly name: NameCheck;
  /** Built-in kinds: only the server's own finalizers may lack a prefix. */
  readonly isBuiltin: boolean;
}

/** The checks of ObjectMeta (META-01). Follows apimachinery:pkg/api/validation/objectmeta.go. */
export function checkMetadata(object: KubeObject, rules: MetadataRules, old?: KubeObject): FieldError[] {
  const metadata = object.metadata as unknown as JsonObject;
  return [
    ...checkName(metadata, rules.name),
    ...checkLabels(metadata.labels, 'metadata.labels'),
    ...checkAnnotations(objectAt(metadata, 'annotations')),
    ...checkOwners(metadata),
    ...checkFinalizers(metadata, rules, old),
  ];
}

function checkName(metadata: JsonObject, check: NameCheck): FieldError[] {
  const { name, generateName } = metadata;
  if (typeof name !== 'string' || name === '') {
    const isGenerated = typeof generateName === 'string' && generateName !== '';
    return isGenerated ? [] : [fieldErrors.required('metadata.name', 'name or generateName is required')];
  }
  const problem = check(name);
  return problem === undefined ? [] : [fieldErrors.invalid('metadata.name', name, problem)];
}

/** A map of labels, wherever it stands. */
export function checkLabels(labels: Json | undefined, path: string): FieldError[] {
  return Object.entries(isJsonObject(labels) ? labels : {}).flatMap(([key, value]) => {
    const problems = [
      [key, qualifiedName(key)],
      [value, labelValue(textOf(value))],
    ] as const;
    return problems.flatMap(([shown, problem]) => (problem === undefined ? [] : [fieldErrors.invalid(path, shown, problem)]));
  });
}

function checkAnnotations(annotations: JsonObject | undefined): FieldError[] {
  const entries = Object.entries(annotations ?? {});
  const errors = entries.flatMap(([key]) => {
    const problem = qualifiedName(key.toLowerCase());
    return problem === undefined ? [] : [fieldErrors.invalid('metadata.annotations', key, problem)];
  });
  const size = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(textOf(value)), 0);
  return size > MAX_ANNOTATIONS ? [...errors, fieldErrors.tooLong('metadata.annotations', MAX_ANNOTATIONS)] : errors;
}

const OWNER_FIELDS = ['apiVersion', 'kind', 'name', 'uid'] as const;

function checkOwners(metadata: JsonObject): FieldError[] {
  const owners = objectsAt(metadata, 'ownerReferences');
  const errors = owners.flatMap((owner, i) => {
    const path = `metadata.ownerReferences[${i}]`;
    const missing = OWNER_FIELDS.filter((field) => typeof owner[field] !== 'string' || owner[field] === '').map((field) =>
      fieldErrors.invalid(`${path}.${field}`, owner[field] ?? '', 'must not be empty'),
    );
    const isEvent = owner.kind === 'Event' && (owner.apiVersion === 'v1' || owner.apiVersion === 'events.k8s.io/v1');
    return isEvent
      ? [...missing, fieldErrors.invalid(path, 'Event', `${textOf(owner.apiVersion)}, Kind=Event is disallowed from being an owner`)]
      : missing;
  });
  const controllers = owners.filter((owner) => owner.controller === true);
  if (controllers.length <= 1) return errors;
  const names = controllers.map((owner) => textOf(owner.name)).join(' and ');
  return [
    ...errors,
    fieldErrors.invalid(
      'metadata.ownerReferences',
      controllers.length,
      `Only one reference can have Controller set to true. Found "true" in references for ${names}`,
    ),
  ];
}

function checkFinalizers(metadata: JsonObject, rules: MetadataRules, old: KubeObject | undefined): FieldError[] {
  const path = 'metadata.finalizers';
  const finalizers = Array.isArray(metadata.finalizers) ? metadata.finalizers.map(textOf) : [];
  const errors = finalizers.flatMap((finalizer, i) => {
    const problem = qualifiedName(finalizer);
    if (problem !== undefined) return [fieldErrors.invalid(path, finalizer, problem)];
    if (!rules.isBuiltin || finalizer.includes('/') || UNQUALIFIED_FINALIZERS.has(finalizer)) return [];
    return [fieldErrors.invalid(`${path}[${i}]`, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')];
  });
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(fieldErrors.invalid(path, finalizers, 'finalizers orphan and foregroundDeletion cannot be both set'));
  }
  if (old?.metadata.deletionTimestamp === undefined) return errors;
  const before = new Set(old.metadata.finalizers);
  const added = finalizers.filter((finalizer) => !before.has(finalizer));
  if (added.length === 0) return errors;
  return [
    ...errors,
    fieldErrors.forbidden(
      path,
      `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
    ),
  ];
}
