import { formatRef, type KubeObject, type ObjectRef } from '../objects/index.ts';

/** What was done with an object, in the words of Flux's change log. */
export type ChangeAction = 'created' | 'configured' | 'unchanged' | 'skipped' | 'deleted';

/** What became of one object. */
export interface ChangeEntry {
  readonly ref: ObjectRef;
  readonly action: ChangeAction;
  /** The object as the API has it, when it was read or written. */
  readonly live?: KubeObject;
}

/** What an apply or a prune did, in the order in which it was done. */
export interface ChangeSet {
  readonly entries: readonly ChangeEntry[];
}

const WRITES: ReadonlySet<ChangeAction> = new Set(['created', 'configured', 'deleted']);

/** True when the cluster was changed for this object. */
export function isWritten(entry: ChangeEntry): boolean {
  return WRITES.has(entry.action);
}

/** `Kind/namespace/name created`, a line an entry: the text of change events (flux/SSA-14). */
export function formatChanges(entries: readonly ChangeEntry[]): string {
  return entries.map(({ ref, action }) => `${formatRef(ref)} ${action}`).join('\n');
}
