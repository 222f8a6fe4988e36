/**
 * The state of the embedded cluster: one append-only table of revisions in SQLite (or nowhere, for clusters in
 * memory), the current objects and the recent history in memory. Knows keys and revisions, nothing of kinds.
 *
 * @module
 */
export { fileJournal, KEPT_REVISIONS, memoryJournal } from './journal.ts';
export { HISTORY_EVENTS, HISTORY_MS } from './history.ts';
export { decodeJson, encodeJson } from './json.ts';
export { keyOf } from './objects.ts';
export { decodeSnapshot, encodeSnapshot, restoreDatabase, snapshotJournal, snapshotOf, type Snapshot } from './snapshot.ts';
export { createStore } from './store.ts';
export type { Journal, Row, Store, StoreEvent, StoreKey } from './types.ts';
