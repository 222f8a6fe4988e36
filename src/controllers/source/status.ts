import type { Clock } from '../../base/world/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import {
  isNotFound,
  refOf,
  type Condition,
  type GitRepository,
  type GitRepositoryStatus,
  type JsonObject,
} from '../../kube/objects/index.ts';
import { conditionTime, dropConditions, markCondition, mergePatchOf, type ConditionContext } from '../../kube/runtime/index.ts';
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
  /** Replaces all conditions by what `change` makes of them. */
  revise(change: (conditions: readonly Condition[], context: ConditionContext) => Condition[]): void;
  /** Writes the fields that differ from what was written last; nothing when none does. */
  write(): Promise<void>;
}

/** @param object the GitRepository as read */
export function statusDraft(cluster: Cluster, object: GitRepository, clock: Clock, signal: AbortSignal): StatusDraft {
  let written: GitRepositoryStatus = object.status ?? {};
  let current = written;
  const draft: StatusDraft = {
    get current() {
      return current;
    },
    set: (fields) => {
      current = Object.fromEntries(Object.entries({ ...current, ...fields }).filter(([, value]) => value !== undefined));
    },
    condition: (type) => current.conditions?.find((condition) => condition.type === type),
    isTrue: (type) => draft.condition(type)?.status === 'True',
    revise: (change) => {
      const context = { generation: object.metadata.generation, now: conditionTime(clock.now()) };
      current = { ...current, conditions: change(current.conditions ?? [], context) };
    },
    mark: (type, status, reason, message) =>
      draft.revise((conditions, context) => markCondition(conditions, { type, status, reason, message }, context)),
    unmark: (...types) => draft.revise((conditions) => dropConditions(conditions, ...types)),
    write: async () => {
      const patch = mergePatchOf(written as JsonObject, current as JsonObject);
      if (patch === undefined) return;
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
