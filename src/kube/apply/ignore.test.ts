import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../objects/index.ts';
import { adoptIgnored, ignoredPointers, withoutPointers, type IgnoreTarget } from './ignore.ts';
import { matchesSelector } from './selector.ts';

const object: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web', tier: 'front' } },
  spec: {
    replicas: 1,
    list: [
      { name: 'a', value: 1 },
      { name: 'b', value: 2 },
    ],
  },
};

describe('ignored fields', () => {
  const targets: [string, IgnoreTarget | undefined, boolean][] = [
    ['no target', undefined, true],
    ['the kind', { kind: 'Deployment' }, true],
    ['a part of the kind', { kind: 'Deploy' }, false],
    ['an expression', { name: 'w.b', namespace: 'shop|market' }, true],
    ['another group', { group: 'batch' }, false],
    ['a label', { labelSelector: 'app in (web, api),!canary' }, true],
    ['a label that differs', { labelSelector: 'tier!=front' }, false],
    ['an annotation that is missing', { annotationSelector: 'x=y' }, false],
  ];

  it.each(targets)('flux/SSA-13: %s selects as it should', (_, target, matches) => {
    const rules = [{ paths: ['/spec/replicas'], ...(target === undefined ? {} : { target }) }];
    expect(ignoredPointers(object, rules).length).toBe(matches ? 1 : 0);
  });

  it('flux/SSA-13: pointers are unescaped, and what they name is not compared', () => {
    expect(ignoredPointers(object, [{ paths: ['/metadata/annotations/a~1b~0c'] }])).toEqual([['metadata', 'annotations', 'a/b~c']]);
    expect(
      withoutPointers(object, [
        ['spec', 'replicas'],
        ['spec', 'list', '1'],
      ])['spec'],
    ).toEqual({ list: [{ name: 'a', value: 1 }] });
  });

  it('flux/SSA-13: a field of another Apply manager is left out of the patch, any other takes the live value', () => {
    const live: KubeObject = {
      ...object,
      metadata: {
        ...object.metadata,
        managedFields: [
          {
            manager: 'hpa',
            operation: 'Apply',
            apiVersion: 'apps/v1',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:spec': { 'f:replicas': {}, 'f:list': { 'k:{"name":"b"}': { 'f:value': {} } } } },
          },
        ],
      },
      spec: {
        replicas: 5,
        list: [
          { name: 'a', value: 10 },
          { name: 'b', value: 20 },
        ],
      },
    };
    const adopted = adoptIgnored(
      object,
      live,
      [
        ['spec', 'replicas'],
        ['spec', 'list', '0', 'value'],
        ['spec', 'list', '1', 'value'],
      ],
      'kustomize-controller',
    );
    expect(adopted['spec']).toEqual({ list: [{ name: 'a', value: 10 }, { name: 'b' }] });
  });

  it('refuses what is no selector', () => {
    expect(() => matchesSelector('a b c', {})).toThrow('is not a label selector');
  });
});
