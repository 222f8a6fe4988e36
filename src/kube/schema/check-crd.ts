import { deepEqual, isJsonObject, ownValue, type JsonObject } from '../objects/index.ts';
import type { ObjectCheck } from './check-workloads.ts';
import { compileCrdSchema } from './crd.ts';
import { objectAt, objectsAt, textOf } from './access.ts';
import { fieldErrors } from './errors.ts';
import { dns1035Label, dnsSubdomain } from './names.ts';
import type { FieldError } from './types.ts';

const MAX_SELECTABLE_FIELDS = 8;

/** The checks of a CustomResourceDefinition (CRD-01, CRD-09, CRD-10). */
export const checkCrd: ObjectCheck = (crd, old) => {
  const spec = objectAt(crd, 'spec') ?? {};
  return [
    ...checkNames(crd, spec),
    ...checkScope(spec),
    ...checkVersions(objectsAt(spec, 'versions')),
    ...checkConversion(objectAt(spec, 'conversion')),
    ...(old === undefined ? [] : checkChange(spec, objectAt(old as unknown as JsonObject, 'spec') ?? {})),
  ];
};

function checkNames(crd: JsonObject, spec: JsonObject): FieldError[] {
  const names = objectAt(spec, 'names') ?? {};
  const group = textOf(spec.group ?? '');
  const errors: FieldError[] = [];
  const wanted = `${textOf(names.plural ?? '')}.${group}`;
  const name = objectAt(crd, 'metadata')?.name;
  if (name !== wanted) errors.push(fieldErrors.invalid('metadata.name', name ?? '', 'must be spec.names.plural+"."+spec.group'));
  if (group === '') errors.push(fieldErrors.required('spec.group'));
  else if (dnsSubdomain(group) !== undefined) errors.push(fieldErrors.invalid('spec.group', group, dnsSubdomain(group) ?? ''));
  else if (!group.includes('.')) errors.push(fieldErrors.invalid('spec.group', group, 'should be a domain with at least one dot'));
  for (const field of ['plural', 'singular', 'kind', 'listKind']) {
    const value = names[field];
    const problem = typeof value === 'string' && value !== '' ? dns1035Label(value.toLowerCase()) : undefined;
    if (typeof value !== 'string' || value === '') errors.push(fieldErrors.required(`spec.names.${field}`));
    else if (problem !== undefined) errors.push(fieldErrors.invalid(`spec.names.${field}`, value, problem));
  }
  if (names.kind !== undefined && names.kind === names.listKind) {
    errors.push(fieldErrors.invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'));
  }
  return errors;
}

const SCOPES = ['Cluster', 'Namespaced'];

function checkScope(spec: JsonObject): FieldError[] {
  if ((spec.scope ?? '') === '') return [fieldErrors.required('spec.scope')];
  return SCOPES.includes(textOf(spec.scope)) ? [] : [fieldErrors.notSupported('spec.scope', spec.scope, SCOPES)];
}

function checkVersions(versions: readonly JsonObject[]): FieldError[] {
  const names = versions.map((version) => textOf(version.name ?? ''));
  const errors: FieldError[] = [];
  if (versions.filter((version) => version.storage === true).length !== 1) {
    errors.push(fieldErrors.invalid('spec.versions', names, 'must have exactly one version marked as storage version'));
  }
  const seen = new Set<string>();
  for (const [i, name] of names.entries()) {
    const problem = dns1035Label(name);
    if (problem !== undefined) errors.push(fieldErrors.invalid(`spec.versions[${i}].name`, name, problem));
    if (seen.has(name)) errors.push(fieldErrors.invalid('spec.versions', names, 'must contain unique version names'));
    seen.add(name);
  }
  return [...errors, ...versions.flatMap((version, i) => checkVersion(version, `spec.versions[${i}]`))];
}

function checkVersion(version: JsonObject, path: string): FieldError[] {
  const schema = objectAt(version, 'schema')?.openAPIV3Schema;
  const selectable = objectsAt(version, 'selectableFields');
  const errors: FieldError[] = [];
  if (selectable.length > MAX_SELECTABLE_FIELDS) {
    errors.push(fieldErrors.tooMany(`${path}.selectableFields`, selectable.length, MAX_SELECTABLE_FIELDS));
  }
  const at = `${path}.schema.openAPIV3Schema`;
  if (!isJsonObject(schema)) return [...errors, fieldErrors.required(at, 'schemas are required')];
  return [...errors, ...compileCrdSchema(schema, at).errors];
}

/** Conversion by webhook would need the cluster's network; it is refused, never ignored. */
function checkConversion(conversion: JsonObject | undefined): FieldError[] {
  const strategy = ownValue(conversion, 'strategy');
  if (strategy === undefined || strategy === 'None') return [];
  if (strategy !== 'Webhook') return [fieldErrors.notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook'])];
  return [fieldErrors.invalid('spec.conversion.strategy', strategy, 'conversion webhooks are not supported by this API server')];
}

function checkChange(spec: JsonObject, before: JsonObject): FieldError[] {
  const [names, oldNames] = [objectAt(spec, 'names'), objectAt(before, 'names')];
  const changes = [
    ['spec.group', spec.group, before.group],
    ['spec.scope', spec.scope, before.scope],
    ['spec.names.kind', names?.kind, oldNames?.kind],
    ['spec.names.plural', names?.plural, oldNames?.plural],
  ] as const;
  return changes
    .filter(([, now, then]) => !deepEqual(now, then))
    .map(([path, now]) => fieldErrors.invalid(path, now ?? '', 'field is immutable'));
}
