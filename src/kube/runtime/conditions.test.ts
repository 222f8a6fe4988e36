import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Condition } from '../objects/index.ts';
import {
  conditionMessage,
  conditionTime,
  dropConditions,
  markCondition,
  markReconciling,
  markStalled,
  summarizeReady,
  type ConditionContext,
} from './conditions.ts';

const EARLY: ConditionContext = { generation: 1, now: conditionTime(Date.UTC(2026, 0, 1, 0, 0, 0, 999)) };
const LATE: ConditionContext = { generation: 2, now: '2026-01-01T01:00:00Z' };
const mark = (type: string, status: Condition['status'], reason = 'R', message = 'm') => ({ type, status, reason, message });
const list = (...marks: ReturnType<typeof mark>[]): Condition[] =>
  marks.reduce<Condition[]>((conditions, next) => markCondition(conditions, next, EARLY), []);

describe('markCondition', () => {
  it('keeps the transition time until status, reason or message change, but always moves the generation', () => {
    const before = list(mark('Ready', 'True'));
    expect(before[0]).toEqual({ ...mark('Ready', 'True'), lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 });
    expect(markCondition(before, mark('Ready', 'True'), LATE)[0]).toMatchObject({ lastTransitionTime: EARLY.now, observedGeneration: 2 });
    for (const changed of [mark('Ready', 'False'), mark('Ready', 'True', 'S'), mark('Ready', 'True', 'R', 'n')]) {
      expect(markCondition(before, changed, LATE)[0]?.lastTransitionTime).toBe(LATE.now);
    }
  });

  it('orders Stalled, Reconciling, Ready, then by type', () => {
    const types = ['Healthy', 'Ready', 'ArtifactInStorage', 'Reconciling', 'Stalled'];
    const sorted = list(...types.map((type) => mark(type, 'True')));
    expect(sorted.map(({ type }) => type)).toEqual(['Stalled', 'Reconciling', 'Ready', 'ArtifactInStorage', 'Healthy']);
  });

  it('does not change what it is given', () => {
    const before = Object.freeze(list(mark('Ready', 'True')));
    markCondition(before, mark('Ready', 'False'), LATE);
    expect(before[0]?.status).toBe('True');
  });
});

describe('Reconciling and Stalled', () => {
  it('exclude each other', () => {
    const reconciling = markReconciling(list(mark('Stalled', 'True')), 'Progressing', 'working', LATE);
    expect(reconciling.map(({ type }) => type)).toEqual(['Reconciling']);
    const stalled = markStalled(reconciling, 'URLInvalid', 'no', LATE);
    expect(stalled).toEqual([expect.objectContaining(mark('Stalled', 'True', 'URLInvalid', 'no')) as unknown]);
    expect(dropConditions(stalled, 'Stalled', 'Ready')).toEqual([]);
  });
});

describe('summarizeReady', () => {
  const SOURCE = {
    negative: ['StorageOperationFailed', 'FetchFailed', 'IncludeUnavailable', 'ArtifactOutdated', 'Stalled', 'Reconciling'],
    positive: ['ArtifactInStorage'],
    overriding: ['SourceVerified'],
  };
  const stored = mark('ArtifactInStorage', 'True', 'Succeeded', 'stored');
  const cases: [name: string, conditions: Condition[], status: Condition['status'], reason: string][] = [
    ['an artifact in storage is ready', list(stored), 'True', 'Succeeded'],
    ['a failure outweighs it', list(stored, mark('FetchFailed', 'True', 'GitOperationFailed')), 'False', 'GitOperationFailed'],
    [
      'the first failure of the list counts',
      list(mark('Reconciling', 'True', 'X'), mark('ArtifactOutdated', 'True', 'NewRevision')),
      'False',
      'NewRevision',
    ],
    ['a failure that is over does not count', list(stored, mark('FetchFailed', 'False', 'X')), 'True', 'Succeeded'],
    ['no artifact is not ready', list(mark('ArtifactInStorage', 'False', 'Missing')), 'False', 'Missing'],
    [
      'a failed verification overrides all',
      list(stored, mark('FetchFailed', 'True', 'X'), mark('SourceVerified', 'False', 'VerificationError')),
      'False',
      'VerificationError',
    ],
    ['a passed verification overrides nothing', list(stored, mark('SourceVerified', 'True', 'X')), 'True', 'Succeeded'],
  ];
  it.each(cases)('SRC-09: %s', (_name, conditions, status, reason) => {
    const ready = summarizeReady(conditions, SOURCE, LATE).find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ status, reason });
  });

  it('SRC-09: leaves Ready alone when nothing decides', () => {
    const before = list(mark('Ready', 'Unknown', 'Progressing'));
    expect(summarizeReady(before, SOURCE, LATE)).toEqual(before);
  });
});

describe('conditionMessage', () => {
  it('cuts at 32768 bytes, with three dots, never within a character', () => {
    expect(conditionMessage('x'.repeat(32_768))).toHaveLength(32_768);
    expect(conditionMessage('x'.repeat(32_769))).toBe(`${'x'.repeat(32_765)}...`);
    const cut = conditionMessage('€'.repeat(20_000));
    expect(cut.endsWith('€...')).toBe(true);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(32_768);
  });

  it('keeps every message that fits and never exceeds the limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 40_000 }), (text, length) => {
        const long = text.padEnd(length, text === '' ? 'é' : text);
        const cut = conditionMessage(long);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(32_768);
        expect(cut).not.toContain('\ufffd');
        if (Buffer.byteLength(long) <= 32_768) expect(cut).toBe(long);
      }),
      { numRuns: 50 },
    );
  });
});
