import { isJsonObject, type Json, type JsonObject, type KubeObject, type ManagedFieldsEntry } from '../objects/index.ts';
import { compareText } from './element.ts';
import { FieldSet } from './fieldset.ts';

/** One entry of managedFields, decoded. */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339 seconds; absent when it is not known. */
  readonly time?: string;
  readonly set: FieldSet;
}

/** Managers by identity: name, operation, subresource, and for updates also the version (SSA-06). */
export type Managers = ReadonlyMap<string, Manager>;

export function managerKey(manager: Omit<Manager, 'set' | 'time'>): string {
  const { manager: name, operation, subresource, apiVersion } = manager;
  return JSON.stringify([name, operation, subresource, operation === 'Update' ? apiVersion : '']);
}

/** Reads managedFields; undefined when an entry cannot be read. */
export function decodeManagers(entries: unknown): Managers | undefined {
  if (entries === undefined || entries === null) return new Map();
  if (!Array.isArray(entries)) return undefined;
  const managers = new Map<string, Manager>();
  for (const entry of entries as readonly Json[]) {
    const manager = decodeEntry(entry);
    if (manager === undefined) return undefined;
    managers.set(managerKey(manager), manager);
  }
  return managers;
}

function decodeEntry(entry: Json): Manager | undefined {
  if (!isJsonObject(entry)) return undefined;
  const { manager = '', operation, apiVersion, time, fieldsType, fieldsV1 = {}, subresource = '' } = entry;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  if (fieldsType !== 'FieldsV1' || typeof manager !== 'string' || typeof apiVersion !== 'string' || typeof subresource !== 'string') {
    return undefined;
  }
  const set = decodeSet(fieldsV1 ?? {});
  if (set === undefined) return undefined;
  return { manager, operation, apiVersion, subresource, set, ...(typeof time === 'string' ? { time } : {}) };
}

/** Sets of stored entries, which are frozen, and back: most entries stay as they are from write to write. */
const decoded = new WeakMap<object, FieldSet>();
const encoded = new WeakMap<FieldSet, JsonObject>();

function decodeSet(fields: Json): FieldSet | undefined {
  const stored = isJsonObject(fields) && Object.isFrozen(fields) ? fields : undefined;
  const known = stored === undefined ? undefined : decoded.get(stored);
  if (known !== undefined) return known;
  const set = FieldSet.decode(fields);
  if (set === undefined || stored === undefined) return set;
  decoded.set(stored, set);
  encoded.set(set, stored);
  return set;
}

/** Writes managedFields, sorted by operation, time, manager, version, subresource. */
function encodeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()].toSorted(compareManagers).map((entry) => ({
    manager: entry.manager,
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    ...(entry.time === undefined ? {} : { time: entry.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: encoded.get(entry.set) ?? entry.set.encode(),
    ...(entry.subresource === '' ? {} : { subresource: entry.subresource }),
  }));
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compareText(a.operation, b.operation) ||
    secondsOf(a.time) - secondsOf(b.time) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

/** Seconds since the epoch; 0 without a (readable) time. */
function secondsOf(time: string | undefined): number {
  const parsed = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(parsed) ? 0 : Math.floor(parsed / 1000);
}

/** Milliseconds since the epoch as RFC 3339 seconds. */
export function timeText(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The object without (undefined) or with these managedFields; everything else is shared. */
export function withManagers(object: KubeObject, managers: Managers | undefined): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  if (managers === undefined || managers.size === 0) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, managedFields: encodeManagers(managers) } };
}

/** What nobody owns: identity and what the server keeps (SSA-08). */
export const NEVER_TRACKED = FieldSet.of(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (field) => ['f:metadata', `f:${field}`],
  ),
);

/** Managers without what is empty or belongs to a version that is no longer served. */
export function tidy(managers: Managers, knownVersions: readonly string[] | undefined): Map<string, Manager> {
  const kept = [...managers].filter(
    ([, entry]) => !entry.set.isEmpty() && (knownVersions === undefined || knownVersions.includes(entry.apiVersion)),
  );
  return new Map(kept);
}

const MAX_UPDATERS = 10;
const BUCKET = 'ancient-changes';

/** Merges the oldest updaters of each version into one entry while there are more than ten (SSA-12). */
export function capUpdaters(managers: Map<string, Manager>): Map<string, Manager> {
  const updaters = [...managers].filter(([, entry]) => entry.operation === 'Update');
  let surplus = updaters.length - MAX_UPDATERS;
  if (surplus <= 0) return managers;
  const capped = new Map(managers);
  const firstOf = new Map<string, string>();
  const oldestFirst = updaters.toSorted(([a, x], [b, y]) => secondsOf(x.time) - secondsOf(y.time) || compareText(a, b));
  for (const [key, entry] of oldestFirst) {
    if (surplus <= 0) break;
    const first = firstOf.get(entry.apiVersion);
    if (first === undefined) {
      firstOf.set(entry.apiVersion, key);
      continue;
    }
    const bucketEntry: Manager = { ...entry, manager: BUCKET, subresource: '' };
    const bucket = managerKey(bucketEntry);
    const known = capped.get(bucket) ?? capped.get(first);
    if (!capped.has(bucket)) capped.delete(first);
    capped.delete(key);
    capped.set(bucket, { ...bucketEntry, set: known === undefined ? entry.set : known.set.union(entry.set) });
    surplus--;
  }
  return capped;
}
