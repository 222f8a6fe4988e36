import {
  cloneJson,
  isJsonObject,
  setCondition,
  type Condition,
  type Json,
  type KubeObject,
  type StatusCause,
} from '../../kube/objects/index.ts';
import { compileCrdSchema, type CompiledCrdSchema } from '../../kube/schema/index.ts';
import type { Catalog, PrinterColumn, Resource, ScaleSubresource, Version } from './types.ts';

/** Finalizer that keeps a CRD until its objects are gone (CRD-02). */
export const CRD_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';
const SCHEMA_FIELD = 'openAPIV3Schema';

interface Names {
  plural: string;
  singular?: string;
  kind: string;
  listKind?: string;
  shortNames?: string[];
  categories?: string[];
}

interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: Json };
  subresources?: { status?: unknown; scale?: ScaleSubresource };
  additionalPrinterColumns?: PrinterColumn[];
  selectableFields?: { jsonPath: string }[];
}

interface CrdSpec {
  group: string;
  names: Names;
  scope: string;
  versions: CrdVersion[];
  conversion?: { strategy?: string };
  preserveUnknownFields?: boolean;
}

interface CrdStatus {
  conditions?: Condition[];
  acceptedNames?: Names;
  storedVersions?: string[];
}

const specOf = (crd: KubeObject): CrdSpec => crd['spec'] as CrdSpec;
const statusOf = (crd: KubeObject): CrdStatus => crd['status'] ?? {};

export function isCrd(resource: Resource): boolean {
  return resource.group === 'apiextensions.k8s.io' && resource.plural === 'customresourcedefinitions';
}

/** Names that were left out are made from the kind, as upstream defaults them. */
export function defaultCrd(crd: KubeObject): KubeObject {
  if (!isJsonObject(crd['spec']) || !isJsonObject(crd['spec']['names'])) return crd;
  const next = cloneJson(crd);
  const { names, conversion } = specOf(next);
  const kind = typeof names.kind === 'string' ? names.kind : '';
  if ((names.singular ?? '') === '') names.singular = kind.toLowerCase();
  if ((names.listKind ?? '') === '') names.listKind = `${kind}List`;
  if (conversion === undefined) specOf(next).conversion = { strategy: 'None' };
  return next;
}

const cache = new WeakMap<object, CompiledCrdSchema>();

/** Compiling is costly; the schema of a frozen CRD compiles once. */
function compiled(schema: Json, path: string): CompiledCrdSchema {
  if (typeof schema !== 'object' || schema === null || !Object.isFrozen(schema)) return compileCrdSchema(schema, path);
  const known = cache.get(schema);
  if (known !== undefined) return known;
  const made = compileCrdSchema(schema, path);
  cache.set(schema, made);
  return made;
}

/**
 * Sets the status that upstream's controllers write moments later: names accepted, established, stored versions; and
 * the finalizer that protects the objects.
 */
export function setCrdStatus(catalog: Catalog, crd: KubeObject, old: KubeObject | undefined, now: string): void {
  if (!isJsonObject(crd['spec']) || !Array.isArray(specOf(crd).versions) || !isJsonObject(specOf(crd).names)) return;
  if (old === undefined) crd.metadata.finalizers = [...new Set([...(crd.metadata.finalizers ?? []), CRD_FINALIZER])];
  const status = nextCrdStatus(catalog, crd, now);
  crd['status'] = status;
}

/** The status that a CRD should have now. */
export function nextCrdStatus(catalog: Catalog, crd: KubeObject, now: string): CrdStatus {
  const spec = specOf(crd);
  const before = statusOf(crd);
  const storage = spec.versions.find((version) => version.storage)?.name;
  const conflict = nameConflict(catalog, spec);
  const accepted = conflict === undefined ? spec.names : before.acceptedNames;
  let conditions = before.conditions ?? [];
  const set = (type: string, status: Condition['status'], reason: string, message: string): void => {
    conditions = setCondition(conditions, { type, status, reason, message }, now);
  };
  if (conflict === undefined) set('NamesAccepted', 'True', 'NoConflicts', 'no conflicts found');
  else set('NamesAccepted', 'False', conflict.reason, conflict.message);
  const wasEstablished = conditions.some(({ type, status }) => type === 'Established' && status === 'True');
  if (conflict === undefined) {
    if (!wasEstablished) set('Established', 'True', 'InitialNamesAccepted', 'the initial names have been accepted');
  } else if (!wasEstablished) set('Established', 'False', 'NotAccepted', 'not all names are accepted');
  if (crd.metadata.deletionTimestamp !== undefined) {
    set('Terminating', 'True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
  }
  const storedVersions = [...new Set([...(before.storedVersions ?? []), ...(storage === undefined ? [] : [storage])])];
  return { conditions, acceptedNames: accepted ?? { plural: '', kind: '' }, storedVersions };
}

function nameConflict(catalog: Catalog, spec: CrdSpec): { reason: string; message: string } | undefined {
  const { names, group } = spec;
  const others = catalog.all().filter((resource) => resource.group === group && resource.plural !== names.plural);
  const inUse = (reason: string, name: string): { reason: string; message: string } => ({
    reason,
    message: `${JSON.stringify(name)} is already in use`,
  });
  const taken = (name: string): boolean =>
    others.some((other) => other.plural === name || other.singular === name || other.shortNames.includes(name));
  const kindTaken = (kind: string): boolean => others.some((other) => other.kind === kind || other.listKind === kind);
  if (taken(names.plural) || catalog.find(group, names.plural)?.custom === false) return inUse('PluralConflict', names.plural);
  if (names.singular !== undefined && taken(names.singular)) return inUse('SingularConflict', names.singular);
  const short = names.shortNames?.find(taken);
  if (short !== undefined) return inUse('ShortNamesConflict', short);
  if (kindTaken(names.kind)) return inUse('KindConflict', names.kind);
  if (names.listKind !== undefined && kindTaken(names.listKind)) return inUse('ListKindConflict', names.listKind);
  return undefined;
}

/** A version that objects may still be stored in must stay (apiextensions validation of status.storedVersions). */
export function storedVersionCauses(crd: KubeObject): StatusCause[] {
  const { versions } = specOf(crd);
  const names = Array.isArray(versions) ? versions.map(({ name }) => name) : [];
  return (statusOf(crd).storedVersions ?? []).flatMap((version, i) => {
    if (names.includes(version)) return [];
    const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    return [
      {
        reason: 'FieldValueInvalid',
        field: `status.storedVersions[${i}]`,
        message: `Invalid value: ${JSON.stringify(version)}: ${detail}`,
      },
    ];
  });
}

/** The resource that an established CRD serves; undefined while its names are not accepted. */
export function resourceOfCrd(crd: KubeObject): Resource | undefined {
  const spec = specOf(crd);
  const { conditions = [], acceptedNames } = statusOf(crd);
  const isEstablished = conditions.some(({ type, status }) => type === 'Established' && status === 'True');
  if (!isEstablished || acceptedNames === undefined) return undefined;
  const served = spec.versions.filter((version) => version.served);
  const storage = spec.versions.find((version) => version.storage) ?? served[0];
  return {
    group: spec.group,
    plural: acceptedNames.plural,
    singular: acceptedNames.singular ?? acceptedNames.kind.toLowerCase(),
    kind: acceptedNames.kind,
    listKind: acceptedNames.listKind ?? `${acceptedNames.kind}List`,
    shortNames: acceptedNames.shortNames ?? [],
    categories: acceptedNames.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
    custom: true,
    versions: served.map((version) => versionOf(spec, version)).toSorted((a, b) => compareVersions(a.name, b.name)),
    storageVersion: storage?.name ?? '',
    storeName: `${acceptedNames.plural}.${spec.group}`,
    subresources: ['status', 'scale'],
    rules: {},
    terminating: crd.metadata.deletionTimestamp !== undefined,
  };
}

function versionOf(spec: CrdSpec, version: CrdVersion): Version {
  const { schema } = compiled(version.schema?.openAPIV3Schema ?? {}, SCHEMA_FIELD);
  const deprecation = version.deprecationWarning ?? `${spec.group}/${version.name} ${spec.names.kind} is deprecated`;
  return {
    name: version.name,
    schema,
    status: version.subresources?.status !== undefined,
    ...(version.subresources?.scale === undefined ? {} : { scale: version.subresources.scale }),
    ...(version.additionalPrinterColumns === undefined ? {} : { columns: version.additionalPrinterColumns }),
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
    ...(version.deprecated === true ? { deprecation } : {}),
  };
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const STABILITY: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };

/** GA before beta before alpha, higher numbers first, other names last (apimachinery:pkg/version/helpers.go). */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [VERSION.exec(a), VERSION.exec(b)];
  if (x === null || y === null) {
    if (x === y) return a < b ? -1 : Number(a > b);
    return x === null ? 1 : -1;
  }
  const rank = (parsed: RegExpExecArray): number => STABILITY[parsed[2] ?? ''] ?? 2;
  return rank(y) - rank(x) || Number(y[1]) - Number(x[1]) || Number(y[3] ?? 0) - Number(x[3] ?? 0);
}
