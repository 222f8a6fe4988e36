import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../kube/objects/index.ts';
import { healthReader } from './expressions.ts';
import type { HealthCheckExpr } from './model.ts';

const otherwise = () => 'Terminating' as const;
const widget = (status: object, generation = 1): KubeObject => ({
  apiVersion: 'example.dev/v1',
  kind: 'Widget',
  metadata: { name: 'w', generation },
  status,
});
const CHECK: HealthCheckExpr = {
  apiVersion: 'example.dev/v1beta1',
  kind: 'Widget',
  inProgress: "status.phase == 'busy'",
  failed: "status.phase == 'broken'",
  current: "status.phase == 'done' || status.phase == 'broken'",
};

describe('health expressions', () => {
  const table: [string, KubeObject, string][] = [
    ['current', widget({ phase: 'done' }), 'Current'],
    ['failed comes before current', widget({ phase: 'broken' }), 'Failed'],
    ['in progress', widget({ phase: 'busy' }), 'InProgress'],
    ['nothing true means in progress', widget({ phase: 'other' }), 'InProgress'],
    ['an older generation means in progress', widget({ phase: 'done', observedGeneration: 1 }, 2), 'InProgress'],
    ['an observed generation that is no integer is passed over', widget({ phase: 'done', observedGeneration: 'x' }, 2), 'Current'],
    ['a missing field means unknown', widget({}), 'Unknown'],
    ['another kind is not concerned', { ...widget({ phase: 'done' }), kind: 'Gadget' }, 'Terminating'],
    ['another group is not concerned', { ...widget({ phase: 'done' }), apiVersion: 'v1' }, 'Terminating'],
  ];

  it.each(table)('flux/HLT-04: %s', (_, object, status) => {
    expect(healthReader([CHECK], otherwise)(object)).toBe(status);
  });

  it('flux/HLT-04: without a kind the whole group is meant, and a kind of its own wins', () => {
    const group: HealthCheckExpr = { apiVersion: 'example.dev/v1', current: 'false' };
    const reader = healthReader([group, CHECK], otherwise);
    expect(reader({ ...widget({ phase: 'done' }), kind: 'Gadget' })).toBe('InProgress');
    expect(reader(widget({ phase: 'done' }))).toBe('Current');
  });

  it.each([
    ['a kind given twice', [CHECK, { ...CHECK, apiVersion: 'example.dev/v1' }], 'duplicate'],
    ['a syntax error', [{ ...CHECK, current: 'status.' }], ''],
  ])('flux/HLT-04: %s is terminal', (_, exprs, text) => {
    expect(() => healthReader(exprs, otherwise)).toThrow(`Reconciliation failed terminally due to configuration error: ${text}`);
  });
});
