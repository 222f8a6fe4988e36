import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ObjectRef } from '../objects/index.ts';
import { inventoryIdOf, inventoryOf, mergeEntries, parseInventoryId, staleEntries } from './inventory.ts';

describe('inventory identifiers', () => {
  const table: [string, ObjectRef, string][] = [
    ['a core object', { apiVersion: 'v1', kind: 'Secret', namespace: 'apps', name: 'db' }, 'apps_db__Secret'],
    ['a grouped object', { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'apps', name: 'web' }, 'apps_web_apps_Deployment'],
    ['a cluster-scoped object', { apiVersion: 'v1', kind: 'Namespace', name: 'apps' }, '_apps__Namespace'],
    [
      'a role with colons in its name',
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'system:a:b' },
      '_system__a__b_rbac.authorization.k8s.io_ClusterRole',
    ],
  ];

  it.each(table)('flux/SSA-12: %s is written and read back', (_, ref, id) => {
    expect(inventoryIdOf(ref)).toBe(id);
    expect(parseInventoryId(id, ref.apiVersion.split('/').at(-1) ?? '')).toEqual(ref);
  });

  it('flux/SSA-12: every object survives being written and read', () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);
    const ref = fc.record({
      namespace: fc.option(label),
      name: label,
      group: fc.option(label),
      kind: fc.stringMatching(/^[A-Z][A-Za-z]{0,12}$/),
    });
    fc.assert(
      fc.property(ref, ({ namespace, name, group, kind }) => {
        const whole = { apiVersion: group === null ? 'v1' : `${group}/v1`, kind, name, ...(namespace === null ? {} : { namespace }) };
        expect(parseInventoryId(inventoryIdOf(whole), 'v1')).toEqual(whole);
      }),
    );
  });

  it.each(['', 'a', 'a_b', 'a_b_c'])('refuses %j, which names no object', (id) => {
    expect(() => parseInventoryId(id, 'v1')).toThrow('unable to parse stored object metadata');
  });

  it('flux/SSA-12: a changed version is the same object, and merging keeps the first', () => {
    const [old, next] = [
      inventoryOf([
        { apiVersion: 'batch/v1beta1', kind: 'CronJob', namespace: 'a', name: 'x' },
        { apiVersion: 'v1', kind: 'Secret', namespace: 'a', name: 'gone' },
      ]),
      inventoryOf([{ apiVersion: 'batch/v1', kind: 'CronJob', namespace: 'a', name: 'x' }]),
    ];
    expect(staleEntries(old, next)).toEqual([{ id: 'a_gone__Secret', v: 'v1' }]);
    expect(mergeEntries(next, old)).toEqual([
      { id: 'a_x_batch_CronJob', v: 'v1' },
      { id: 'a_gone__Secret', v: 'v1' },
    ]);
  });
});
