import type { Clock } from '../../base/world/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import {
  deepEqual,
  isNotFound,
  refOf,
  setCondition,
  type Condition,
  type GitRepository,
  type GitRepositoryStatus,
} from '../../kube/objects/index.ts';
import { MANAGER } from './model.ts';

type Fields = { readonly [F in keyof GitRepositoryStatus]?: GitRepositoryStatus[F] | undefined };

/** The status of one GitRepository while it is worked on, and the writing of what changed in it. */
export interface StatusDraft {
  readonly current: GitRepositoryStatus;
  /** Undefined takes a field away. */
  set(fields: Fields): void;
  condition(type: string): Condition | undefined;
  isTrue(type: string): boolean;
  mark(type: string, status: Condition['status'], reason: string, message: string): void;
  unmark(...types: readonly string[]): void;
  /** Writes the fields that differ from what was written last; nothing when none does. */
  write(): Promise<void>;
}

/** @param object the GitRepository as read */
export function statusDraft(cluster: Cluster, object: GitRepository, clock: Clock, signal: AbortSignal): StatusDraft {
  let written: GitRepositoryStatus = object.status ?? {};
  let current = written;
  const { generation } = object.metadata;
  const conditions = (): Condition[] => current.conditions ?? [];
  const replace = (next: readonly Condition[]): void => {
    current = { ...current, conditions: next.toSorted(readyFirst) };
  };
  const draft: StatusDraft = {
    get current() {
      return current;
    },
    set: (fields) => {
      current = Object.fromEntries(Object.entries({ ...current, ...fields }).filter(([, value]) => value !== undefined));
    },
    condition: (type) => conditions().find((condition) => condition.type === type),
    isTrue: (type) => draft.condition(type)?.status === 'True',
    mark: (type, status, reason, message) => {
      const next = { type, status, reason, message, ...(generation === undefined ? {} : { observedGeneration: generation }) };
      replace(setCondition(conditions(), next, rfc3339(clock.now())));
    },
    unmark: (...types) => {
      if (types.some((type) => draft.condition(type) !== undefined)) replace(conditions().filter(({ type }) => !types.includes(type)));
    },
    write: async () => {
      const patch = changedFields(written, current);
      if (Object.keys(patch).length === 0) return;
      try {
        await cluster.patch(refOf(object), 'merge', { status: patch }, { subresource: 'status', fieldManager: MANAGER, signal });
      } catch (error) {
        // Deleted meanwhile: there is nobody left to tell.
        if (!isNotFound(error)) throw error;
      }
      written = current;
    },
  };
  return draft;
}

function readyFirst(a: Condition, b: Condition): number {
  if (a.type === 'Ready' || b.type === 'Ready') return a.type === b.type ? 0 : a.type === 'Ready' ? -1 : 1;
  return a.type < b.type ? -1 : 1;
}

/** A merge patch from one status to another: fields that went are null, also inside the artifact. */
function changedFields(before: object, after: object): Record<string, unknown> {
  const old = new Map<string, unknown>(Object.entries(before));
  const patch: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(after) as [string, unknown][]) {
    const previous = old.get(field);
    old.delete(field);
    if (deepEqual(value, previous)) continue;
    patch[field] = isRecord(value) && isRecord(previous) ? changedFields(previous, value) : value;
  }
  for (const field of old.keys()) patch[field] = null;
  return patch;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whole seconds, as metav1.Time prints them. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
