import { describe, expect, it } from 'vitest';

import { upsertHistory } from './history.ts';
import type { HistoryEntry } from './model.ts';

function entry(digest: string, status: string, at: string, total = 1): HistoryEntry {
  return {
    digest,
    firstReconciled: at,
    lastReconciled: at,
    lastReconciledDuration: '1s',
    lastReconciledStatus: status,
    totalReconciliations: total,
  };
}

describe('history', () => {
  it('flux/KS-09: an entry with the same digest and status is merged and comes first', () => {
    const history = upsertHistory([entry('b', 'ok', '2'), entry('a', 'ok', '1', 3)], entry('a', 'ok', '5'));
    expect(history).toEqual([{ ...entry('a', 'ok', '5', 4), firstReconciled: '1' }, entry('b', 'ok', '2')]);
  });

  it('flux/KS-09: another status of the same digest is another entry, and five are kept', () => {
    const outcomes = ['one', 'two', 'three', 'four', 'five', 'six'];
    const history = outcomes.reduce<HistoryEntry[]>((old, status, i) => upsertHistory(old, entry('a', status, String(i))), []);
    expect(history.map((each) => each.lastReconciledStatus)).toEqual(['six', 'five', 'four', 'three', 'two']);
  });
});
