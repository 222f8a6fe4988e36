import type { StatusDraft } from './status.ts';

/** Conditions whose True makes the source not ready, most important first. */
const NEGATIVE = ['StorageOperationFailed', 'FetchFailed', 'IncludeUnavailable', 'ArtifactOutdated', 'Stalled', 'Reconciling'];
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

/** Sets Ready to the summary of the other conditions (flux/SRC-09). */
export function summarise(draft: StatusDraft): void {
  const bad = NEGATIVE.map((type) => draft.condition(type)).find((condition) => condition?.status === 'True');
  const stored = draft.condition('ArtifactInStorage');
  if (bad !== undefined) draft.mark('Ready', 'False', bad.reason, bad.message);
  else if (stored?.status === 'True') draft.mark('Ready', 'True', stored.reason, stored.message);
  const verified = draft.condition('SourceVerified');
  if (verified?.status === 'False') draft.mark('Ready', 'False', verified.reason, verified.message);
}

/** Which failures a status shows. */
export function failuresIn(draft: Pick<StatusDraft, 'isTrue'>): readonly string[] {
  return FAILURES.filter((type) => draft.isTrue(type));
}

export function clearFailures(draft: StatusDraft): void {
  draft.unmark(...FAILURES);
}
