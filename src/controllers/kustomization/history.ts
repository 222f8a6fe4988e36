import { createHmac } from 'node:crypto';

import { formatDuration } from '../../base/world/index.ts';
import { stringifyJson, type KubeObject } from '../../kube/objects/index.ts';
import { conditionTime } from '../../kube/runtime/index.ts';
import type { HistoryEntry } from './model.ts';
import { originRevisionOf, type Pass } from './pass.ts';

const LONGEST_HISTORY = 5;

/**
 * Names the built objects. They hold decrypted values, so the digest is keyed: without the key nobody who reads
 * the status can check a guess (BY-16).
 */
export function historyDigest(pass: Pass, objects: readonly KubeObject[]): string {
  const key = pass.controls.historyKey.reveal();
  return `hmac-sha256:${createHmac('sha256', key).update(stringifyJson(objects)).digest('hex')}`;
}

/** Puts the outcome of this reconciliation into `status.history` (flux/KS-09). Called only for reconciliations with news. */
export function recordHistory(pass: Pass, outcome: string): void {
  if (pass.digest === undefined) return;
  const { clock } = pass.controls.world;
  const now = conditionTime(clock.now());
  const origin = originRevisionOf(pass.artifact);
  const entry: HistoryEntry = {
    digest: pass.digest(),
    firstReconciled: now,
    lastReconciled: now,
    lastReconciledDuration: formatDuration(clock.monotonic() - pass.started),
    lastReconciledStatus: outcome,
    totalReconciliations: 1,
    metadata: { revision: pass.artifact?.revision ?? '', ...(origin === undefined ? {} : { originRevision: origin }) },
  };
  pass.draft.set({ history: upsertHistory(pass.draft.current.history ?? [], entry) });
}

/** The history with an entry merged on digest and status, newest first, five at most. */
export function upsertHistory(history: readonly HistoryEntry[], entry: HistoryEntry): HistoryEntry[] {
  const isSame = (old: HistoryEntry): boolean => old.digest === entry.digest && old.lastReconciledStatus === entry.lastReconciledStatus;
  const old = history.find(isSame);
  const merged =
    old === undefined
      ? entry
      : { ...entry, firstReconciled: old.firstReconciled, totalReconciliations: old.totalReconciliations + entry.totalReconciliations };
  return [merged, ...history.filter((other) => !isSame(other))].slice(0, LONGEST_HISTORY);
}
