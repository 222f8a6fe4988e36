/**
 * Staged server-side apply with drift detection, garbage collection and health waiting, as Flux does it: the
 * only way in which controllers and commands write users' objects.
 *
 * A pass over unchanged objects writes nothing, and with a {@link driftMemory} sends no dry-runs either.
 *
 * @module
 */
export { formatChanges, isWritten, type ChangeAction, type ChangeEntry, type ChangeSet } from './changes.ts';
export { hasDrifted } from './drift.ts';
export { ApplyFailed } from './errors.ts';
export type { IgnoreRule, IgnoreTarget } from './ignore.ts';
export { inventoryIdOf, inventoryOf, mergeEntries, parseInventoryId, refsOf, staleEntries, type InventoryEntry } from './inventory.ts';
export { takeoverPatch, type JsonPatchOperation } from './managers.ts';
export { maskedMessage, maskedPair } from './mask.ts';
export { driftMemory, type DriftMemory } from './memory.ts';
export { normaliseObject } from './normalise.ts';
export type { StagedApplyOptions } from './options.ts';
export { compareForApply, sortForApply, sortForDelete, stagesOf, type Stage, type StageName } from './order.ts';
export type { Plan } from './plan.ts';
export {
  hasMark,
  isExcluded,
  isOwnedBy,
  isPruneDisabled,
  ownerLabels,
  ssaPolicy,
  withOwnerLabels,
  type Owner,
  type SsaPolicy,
} from './policy.ts';
export { prune, PruneFailed, type PruneOptions } from './prune.ts';
export { applyStaged, diff } from './staged.ts';
export { HealthFailed, kstatusReader, waitForHealth, waitForTermination, type HealthOptions, type HealthReader } from './wait.ts';
