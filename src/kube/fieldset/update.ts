import type { Json, KubeObject } from '../objects/index.ts';
import type { Schema } from '../schema/index.ts';
import { compare, ignoring } from './compare.ts';
import { FieldSet } from './fieldset.ts';
import {
  capUpdaters,
  decodeManagers,
  managerKey,
  NEVER_TRACKED,
  tidy,
  timeText,
  withManagers,
  type Manager,
  type Managers,
} from './managers.ts';
import { withAtomicWholes } from './walk.ts';

/** Who writes what kind of object, when. */
export interface WriteContext {
  readonly schema: Schema;
  readonly manager: string;
  /** Version of the endpoint: `v1`, `apps/v1`. */
  readonly apiVersion: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly subresource?: string;
  /** Fields that this endpoint ignores, so that nobody comes to own them through it (SSA-09). */
  readonly resetFields?: FieldSet;
  /** Versions of the kind that are served; entries of others are dropped (SSA-06). Absent: all are kept. */
  readonly knownVersions?: readonly string[];
}

export interface UpdateRequest extends WriteContext {
  /** The stored object; absent on create. */
  readonly live?: KubeObject;
  /** The object to store, defaults set; its managedFields count as SSA-11 says. */
  readonly next: KubeObject;
}

/**
 * The object to store with its managedFields accounted for a create, an update or a patch other than apply.
 * Changed and added fields go to the manager and leave all others, removed ones leave everybody. An object that
 * exists and is not tracked stays so (SSA-10).
 */
export function updateManaged(request: UpdateRequest): KubeObject {
  const { live, next } = request;
  const managers = managersOfUpdate(request);
  if (live !== undefined && managers.size === 0) return withManagers(next, undefined);
  return withManagers(next, accountUpdate(request, live, next, managers));
}

/** SSA-11: which list of managers an update starts from. */
function managersOfUpdate(request: UpdateRequest): Managers {
  const stored = decodeManagers(request.live?.metadata.managedFields) ?? new Map<string, Manager>();
  const sent: unknown = request.next.metadata?.managedFields;
  if (!Array.isArray(sent) || (request.subresource ?? '') !== '') return stored;
  if (isReset(sent)) return new Map();
  const decoded = decodeManagers(sent);
  return decoded === undefined || decoded.size === 0 ? stored : decoded;
}

/** An empty list, or one empty entry, asks to forget all managers. */
function isReset(managedFields: unknown): boolean {
  if (!Array.isArray(managedFields)) return false;
  const [only] = managedFields as unknown[];
  return (
    managedFields.length === 0 ||
    (managedFields.length === 1 && typeof only === 'object' && only !== null && Object.keys(only).length === 0)
  );
}

/** The managers after `next` replaces `live`. */
export function accountUpdate(context: WriteContext, live: KubeObject | undefined, next: KubeObject, managers: Managers): Managers {
  const { schema, now, knownVersions } = context;
  const changes = ignoring(compare(schema, untracked(live), untracked(next)), context.resetFields ?? FieldSet.empty);
  const remaining = reconciled(schema, tidy(managers, knownVersions));
  const changed = changes.modified.union(changes.added);
  const lost = changed.union(changes.removed);
  // What others changed is theirs, what is gone is nobody's.
  for (const [key, entry] of remaining) remaining.set(key, { ...entry, set: entry.set.difference(lost) });
  const taken = changed.difference(NEVER_TRACKED);
  const identity = {
    manager: context.manager,
    operation: 'Update',
    apiVersion: context.apiVersion,
    subresource: context.subresource ?? '',
  } as const;
  if (!taken.isEmpty()) {
    const key = managerKey(identity);
    const before = remaining.get(key)?.set ?? FieldSet.empty;
    remaining.set(key, { ...identity, time: timeText(now), set: before.union(taken) });
  }
  return capUpdaters(tidy(remaining, undefined));
}

/** Managers whose sets fit the schema of today. */
export function reconciled(schema: Schema, managers: Managers): Map<string, Manager> {
  return new Map([...managers].map(([key, entry]) => [key, { ...entry, set: withAtomicWholes(schema, entry.set) }]));
}

/** The object as a value to compare: managedFields take no part. */
export function untracked(object: KubeObject | undefined): Json {
  return (object === undefined ? {} : withManagers(object, undefined)) as unknown as Json;
}
