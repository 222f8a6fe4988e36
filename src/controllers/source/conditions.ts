import { summarizeReady, type ReadySummary } from '../../kube/runtime/index.ts';
import type { StatusDraft } from './status.ts';

/** Which conditions decide about Ready (flux/SRC-09). */
const SUMMARY: ReadySummary = {
  negative: ['StorageOperationFailed', 'FetchFailed', 'IncludeUnavailable', 'ArtifactOutdated', 'Stalled', 'Reconciling'],
  positive: ['ArtifactInStorage'],
  overriding: ['SourceVerified'],
};
/** Conditions that say that the last run failed. */
const FAILURES = ['FetchFailed', 'IncludeUnavailable', 'StorageOperationFailed'];

/**
 * Says that work goes on. Ready becomes Unknown when it was never set, was Unknown, or a rebuild is due; a look
 * that may find nothing new leaves it alone.
 */
export function markProgress(draft: StatusDraft, message: string, isRebuild: boolean): void {
  draft.unmark('Stalled');
  draft.mark('Reconciling', 'True', 'Progressing', message);
  const ready = draft.condition('Ready');
  if (isRebuild || ready === undefined || ready.status === 'Unknown') draft.mark('Ready', 'Unknown', 'Progressing', message);
}

/** Sets Ready to the summary of the other conditions. */
export function summarise(draft: StatusDraft): void {
  draft.revise((conditions, context) => summarizeReady(conditions, SUMMARY, context));
}

/** Which failures a status shows. */
export function failuresIn(draft: Pick<StatusDraft, 'isTrue'>): readonly string[] {
  return FAILURES.filter((type) => draft.isTrue(type));
}

export function clearFailures(draft: StatusDraft): void {
  draft.unmark(...FAILURES);
}
