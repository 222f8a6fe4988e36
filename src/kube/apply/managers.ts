import { isJsonObject, type JsonObject, type KubeObject, type ManagedFieldsEntry } from '../objects/index.ts';
import { hasMark } from './policy.ts';

/** One operation of an RFC 6902 patch. */
export interface JsonPatchOperation {
  readonly op: 'replace' | 'remove' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

interface FieldManager {
  /** Matched as a prefix of the entry's manager. */
  readonly name: string;
  readonly operation: ManagedFieldsEntry['operation'];
}

/** Traces of kubectl and of older releases that are taken off (parity c11). */
const LEGACY_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'kustomize.toolkit.fluxcd.io/checksum',
  'fluxcd.io/sync-checksum',
];
const LEGACY_LABELS = ['fluxcd.io/sync-gc-mark'];

/** Managers whose fields become ours, so that what they set and Git does not is removed (flux/SSA-07). */
function takenOver(own: string, overridden: readonly string[]): FieldManager[] {
  return [
    { name: 'kubectl', operation: 'Apply' },
    { name: 'kubectl', operation: 'Update' },
    { name: 'before-first-apply', operation: 'Update' },
    { name: own, operation: 'Update' },
    ...overridden.flatMap((name): FieldManager[] => [
      { name, operation: 'Apply' },
      { name, operation: 'Update' },
    ]),
  ];
}

/**
 * The JSON patch that makes a live object ours: managed fields of kubectl and the overridden managers are
 * folded into our Apply entry, legacy annotations and labels removed. Empty when nothing is to do, and for
 * objects that are merged (`ssa: Merge`).
 */
export function takeoverPatch(
  desired: KubeObject,
  live: KubeObject,
  own: { readonly fieldManager: string; readonly group: string },
  overridden: readonly string[] = [],
): JsonPatchOperation[] {
  if ([desired, live].some((object) => hasMark(object, `${own.group}/ssa`, 'merge'))) return [];
  const { metadata } = live;
  const removals = [
    ...keysIn(metadata.annotations, LEGACY_ANNOTATIONS).map((key) => `/metadata/annotations/${escapePointer(key)}`),
    ...keysIn(metadata.labels, LEGACY_LABELS).map((key) => `/metadata/labels/${escapePointer(key)}`),
  ].map((path): JsonPatchOperation => ({ op: 'remove', path }));
  const entries = foldManagers(metadata.managedFields ?? [], own.fieldManager, takenOver(own.fieldManager, overridden));
  const operations =
    entries === undefined ? removals : [...removals, { op: 'replace' as const, path: '/metadata/managedFields', value: entries }];
  // The entries were computed from this very version; another writer in between must win.
  return operations.length === 0 || metadata.resourceVersion === undefined
    ? operations
    : [{ op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion }, ...operations];
}

function keysIn(map: Readonly<Record<string, string>> | undefined, keys: readonly string[]): string[] {
  return map === undefined ? [] : keys.filter((key) => Object.hasOwn(map, key));
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The entries after the take-over; undefined when nothing is taken over. */
function foldManagers(
  entries: readonly ManagedFieldsEntry[],
  own: string,
  managers: readonly FieldManager[],
): ManagedFieldsEntry[] | undefined {
  const isOurs = (entry: ManagedFieldsEntry): boolean =>
    entry.manager === own && entry.operation === 'Apply' && (entry.subresource ?? '') === '';
  const isTaken = (entry: ManagedFieldsEntry): boolean =>
    !isOurs(entry) &&
    (entry.subresource ?? '') === '' &&
    managers.some((manager) => entry.operation === manager.operation && entry.manager.startsWith(manager.name));
  const taken = entries.filter((entry) => isTaken(entry));
  const [firstTaken] = taken;
  if (firstTaken === undefined) return undefined;
  const base = entries.find((entry) => isOurs(entry)) ?? { ...firstTaken, manager: own, operation: 'Apply' as const };
  const fieldsV1 = taken.reduce((fields, entry) => unionFields(fields, entry.fieldsV1), base.fieldsV1);
  return [...entries.filter((entry) => !isTaken(entry) && !isOurs(entry)), { ...base, fieldsV1 }];
}

/** The union of two field sets in FieldsV1 form. */
function unionFields(a: JsonObject, b: JsonObject): JsonObject {
  const fields = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const old = fields.get(key);
    fields.set(key, isJsonObject(old) && isJsonObject(value) ? unionFields(old, value) : value);
  }
  return Object.fromEntries(fields);
}
