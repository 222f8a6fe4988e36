import type { Condition } from '../objects/index.ts';

/** The time that conditions carry: RFC 3339, whole seconds. */
export function conditionTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** What the API accepts in a condition's message, in bytes. */
const MAX_MESSAGE_BYTES = 32_768;
const ELLIPSIS = '...';

/** A message that fits into a condition: cut at 32768 bytes, with `...` at the end. */
export function conditionMessage(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= MAX_MESSAGE_BYTES) return text;
  let end = MAX_MESSAGE_BYTES - ELLIPSIS.length;
  // Never in the middle of a character: its later bytes begin with the bits 10.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString('utf8') + ELLIPSIS;
}

/** Who sets conditions on which generation of an object, and when. */
export interface ConditionContext {
  readonly generation: number | undefined;
  /** As {@link conditionTime} gives it. */
  readonly now: string;
}

type Mark = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** Flux shows these first. */
const FIRST = ['Stalled', 'Reconciling', 'Ready'];

/**
 * A copy of `conditions` with one set, as Flux sets them: `lastTransitionTime` moves when status, reason or message
 * change, and the list is ordered Stalled, Reconciling, Ready, then by type.
 */
export function markCondition(conditions: readonly Condition[], mark: Mark, { generation, now }: ConditionContext): Condition[] {
  const message = conditionMessage(mark.message);
  const old = conditions.find(({ type }) => type === mark.type);
  const isSame = old?.status === mark.status && old.reason === mark.reason && old.message === message;
  const next: Condition = {
    type: mark.type,
    status: mark.status,
    reason: mark.reason,
    message,
    lastTransitionTime: isSame ? old.lastTransitionTime : now,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  return [...conditions.filter(({ type }) => type !== mark.type), next].toSorted(byRank);
}

/** A copy without the conditions of these types. */
export function dropConditions(conditions: readonly Condition[], ...types: readonly string[]): Condition[] {
  return conditions.filter(({ type }) => !types.includes(type));
}

/** Reconciling True; an object that is worked on is not stalled. */
export function markReconciling(conditions: readonly Condition[], reason: string, message: string, context: ConditionContext): Condition[] {
  return markCondition(dropConditions(conditions, 'Stalled'), { type: 'Reconciling', status: 'True', reason, message }, context);
}

/** Stalled True; an object that is stalled is not worked on. */
export function markStalled(conditions: readonly Condition[], reason: string, message: string, context: ConditionContext): Condition[] {
  return markCondition(dropConditions(conditions, 'Reconciling'), { type: 'Stalled', status: 'True', reason, message }, context);
}

/** Which conditions decide about Ready. */
export interface ReadySummary {
  /** Types whose True means not ready, the most important first. */
  readonly negative: readonly string[];
  /** Types whose True means ready, the most important first. */
  readonly positive: readonly string[];
  /** Types whose False overrides everything else. */
  readonly overriding?: readonly string[];
}

/**
 * Ready as the summary of other conditions: False with reason and message of the first negative one that is True, else as
 * the first positive one says. Without any of them Ready stays as it is.
 */
export function summarizeReady(conditions: readonly Condition[], summary: ReadySummary, context: ConditionContext): Condition[] {
  const first = (types: readonly string[], status: Condition['status']): Condition | undefined =>
    types
      .map((type) => conditions.find((condition) => condition.type === type && condition.status === status))
      .find((found) => found !== undefined);
  const bad = first(summary.overriding ?? [], 'False') ?? first(summary.negative, 'True') ?? first(summary.positive, 'False');
  const decisive = bad ?? first(summary.positive, 'True');
  if (decisive === undefined) return [...conditions];
  const { reason, message } = decisive;
  return markCondition(conditions, { type: 'Ready', status: bad === undefined ? 'True' : 'False', reason, message }, context);
}

function byRank(a: Condition, b: Condition): number {
  const [rankA, rankB] = [FIRST.indexOf(a.type), FIRST.indexOf(b.type)].map((rank) => (rank < 0 ? FIRST.length : rank));
  if (rankA !== rankB) return (rankA ?? 0) - (rankB ?? 0);
  return a.type < b.type ? -1 : Number(a.type > b.type);
}
