import { cloneJson } from './values.ts';
import type { Condition, KubeObject } from './model.ts';

/** The condition of this type in `status.conditions`. */
export function findCondition(object: KubeObject, type: string): Condition | undefined {
  const status = object['status'] as { conditions?: Condition[] } | undefined;
  return status?.conditions?.find((condition) => condition.type === type);
}

/**
 * A copy of `conditions` in which one is set. `lastTransitionTime` moves to `now` (RFC 3339 seconds) only when
 * the status changes.
 */
export function setCondition(conditions: readonly Condition[], next: Omit<Condition, 'lastTransitionTime'>, now: string): Condition[] {
  const old = conditions.find((condition) => condition.type === next.type);
  const lastTransitionTime = old !== undefined && old.status === next.status ? old.lastTransitionTime : now;
  const updated = { ...next, lastTransitionTime };
  return old === undefined
    ? [...cloneJson([...conditions]), updated]
    : conditions.map((condition) => (condition.type === next.type ? updated : { ...condition }));
}
