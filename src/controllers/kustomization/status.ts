import type { Clock } from '../../base/world/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import { deepEqual, type Condition, type KubeObject } from '../../kube/objects/index.ts';
import { conditionTime, dropConditions, markCondition, patchStatus } from '../../kube/runtime/index.ts';
import { statusOfKustomization, STATUS_MANAGER, type Status } from './model.ts';

/** The status of one Kustomization while it is worked on, and the writing of what changed in it. */
export interface StatusDraft {
  readonly current: Status;
  /** Undefined takes a field away. */
  set(fields: { readonly [F in keyof Status]?: Status[F] | undefined }): void;
  condition(type: string): Condition | undefined;
  mark(type: string, status: Condition['status'], reason: string, message: string): void;
  unmark(type: string): void;
  /** Writes the fields that differ from what was written last; nothing when none does. */
  write(): Promise<void>;
  /** Whether {@link write} would write something. */
  isDirty(): boolean;
}

/** @param object the Kustomization as read */
export function statusDraft(cluster: Cluster, object: KubeObject, clock: Clock, signal: AbortSignal): StatusDraft {
  let written = statusOfKustomization(object);
  let current = written;
  const { generation } = object.metadata;
  const conditions = (): readonly Condition[] => current.conditions ?? [];
  const draft: StatusDraft = {
    get current() {
      return current;
    },
    set: (fields) => {
      current = Object.fromEntries(Object.entries({ ...current, ...fields }).filter(([, value]) => value !== undefined));
    },
    condition: (type) => conditions().find((condition) => condition.type === type),
    mark: (type, status, reason, message) => {
      const context = { generation, now: conditionTime(clock.now()) };
      current = { ...current, conditions: markCondition(conditions(), { type, status, reason, message }, context) };
    },
    unmark: (type) => {
      if (draft.condition(type) !== undefined) current = { ...current, conditions: dropConditions(conditions(), type) };
    },
    isDirty: () => !deepEqual(written, current),
    write: async () => {
      if (!draft.isDirty()) return;
      await patchStatus(cluster, { ...object, status: written }, current, { fieldManager: STATUS_MANAGER, signal });
      written = current;
    },
  };
  return draft;
}
