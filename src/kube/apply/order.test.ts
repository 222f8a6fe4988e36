import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../objects/index.ts';
import { sortForApply, sortForDelete, stagesOf } from './order.ts';

function object(apiVersion: string, kind: string, name = 'a', namespace?: string): KubeObject {
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

const text = (objects: readonly KubeObject[]): string[] =>
  objects.map((o) => [o.kind, o.metadata.namespace, o.metadata.name].filter(Boolean).join('/'));

describe('the order of kinds', () => {
  const shuffled = [
    object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'),
    object('apps/v1', 'Deployment', 'b', 'x'),
    object('zeta.dev/v1', 'Alpha'),
    object('alpha.dev/v1', 'Zeta'),
    object('alpha.dev/v1', 'Beta'),
    object('v1', 'Secret', 'b', 'x'),
    object('v1', 'Secret', 'a', 'y'),
    object('v1', 'Secret', 'a', 'x'),
    object('v1', 'Namespace', 'x'),
    object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
    object('v1', 'ServiceAccount', 'a', 'x'),
  ];

  it('flux/SSA-04: applies by the table, unknown kinds by group and kind, ties by namespace and name, webhooks last', () => {
    expect(text(sortForApply(shuffled))).toEqual([
      'CustomResourceDefinition/a',
      'Namespace/x',
      'ServiceAccount/x/a',
      'Secret/x/a',
      'Secret/x/b',
      'Secret/y/a',
      'Deployment/x/b',
      'Beta/a',
      'Zeta/a',
      'Alpha/a',
      'MutatingWebhookConfiguration/a',
      'ValidatingWebhookConfiguration/a',
    ]);
  });

  it('flux/SSA-04: deletes in the reverse order', () => {
    expect(text(sortForDelete(shuffled))).toEqual(text(sortForApply(shuffled)).toReversed());
  });

  it('flux/SSA-03: cuts definitions, classes, custom kinds and the rest into stages, of which the first two are awaited', () => {
    const stages = stagesOf(
      [
        object('rbac.authorization.k8s.io/v1', 'Role'),
        object('v1', 'ConfigMap'),
        object('storage.k8s.io/v1', 'StorageClass'),
        object('rbac.authorization.k8s.io/v1', 'ClusterRole'),
        object('v1', 'Namespace'),
        object('example.dev/v1', 'Namespace'),
      ],
      [{ group: 'rbac.authorization.k8s.io', kind: 'Role' }],
    );
    expect(stages.map((stage) => [stage.name, stage.awaited, stage.objects.map((o) => `${o.apiVersion} ${o.kind}`)])).toEqual([
      ['definitions', true, ['v1 Namespace', 'rbac.authorization.k8s.io/v1 ClusterRole']],
      ['classes', true, ['storage.k8s.io/v1 StorageClass']],
      ['custom', false, ['rbac.authorization.k8s.io/v1 Role']],
      ['rest', false, ['example.dev/v1 Namespace', 'v1 ConfigMap']],
    ]);
  });
});
