/**
 * The controller runtime: informers, work queues, back-off, conditions, events, leader election. Everything runs on
 * {@link World}: under a virtual clock it takes the same steps for the same seed.
 *
 * A controller is a {@link Controller}; {@link runControllers} runs any number of them. Caches that a controller's mappings
 * read are made first with {@link informers} and passed to both.
 *
 * @module
 */
export { jitter, RETRY, type BackoffOptions } from './backoff.ts';
export {
  conditionMessage,
  conditionTime,
  dropConditions,
  markCondition,
  markReconciling,
  markStalled,
  summarizeReady,
  type ConditionContext,
  type ReadySummary,
} from './conditions.ts';
export { eventRecorder, type EventRecorder, type EventRecorderOptions, type EventType } from './events.ts';
export type { Informer, Selection } from './informer.ts';
export { informers, type Informers, type InformersOptions } from './informers.ts';
export { leaseName, type LeaderElectionOptions } from './leader.ts';
export { addFinalizer, mergePatchOf, patchStatus, removeFinalizer, type PatchOptions } from './patch.ts';
export { isReconcileTrigger, ownChanges, RECONCILE_REQUEST, reconcileRequestOf, requestFor } from './requests.ts';
export { runControllers, type ReconcileRecord, type RunControllersOptions } from './run.ts';
export type { Controller, Outcome, Request, Watch, WatchMapping } from './types.ts';
