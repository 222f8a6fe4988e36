/**
 * The controller runtime: informers, work queues, back-off, conditions, events, leader election.
 *
 * @module
 */
export type { Controller, Outcome, Request, Watch, WatchMapping } from './types.ts';
