import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../kube/objects/index.ts';
import { shortRevision, standingOf } from './state.ts';

const kustomization = (spec: object, status: object, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'a', namespace: 'n', generation: 2, annotations },
  spec: { sourceRef: { kind: 'GitRepository', name: 'src' }, ...spec },
  status,
});
const ready = (status: string, reason: string, message = ''): object => ({
  observedGeneration: 2,
  conditions: [{ type: 'Ready', status, reason, message, lastTransitionTime: '' }],
});

describe('where a Kustomization stands', () => {
  it.each([
    ['fresh', kustomization({}, { observedGeneration: -1 }), 'working', 'waiting to be reconciled'],
    ['under way', kustomization({}, ready('Unknown', 'Progressing', 'Building')), 'working', 'Building'],
    ['done', kustomization({}, ready('True', 'ReconciliationSucceeded')), 'ready', ''],
    [
      'done, but for an older generation',
      kustomization({}, { ...ready('True', 'ReconciliationSucceeded'), observedGeneration: 1 }),
      'working',
      'waiting to be reconciled',
    ],
    [
      'asked to run again',
      kustomization({}, ready('True', 'x'), { 'reconcile.fluxcd.io/requestedAt': 'now' }),
      'working',
      'waiting to be reconciled',
    ],
    ['failed', kustomization({}, ready('False', 'BuildFailed', 'no')), 'failed', 'no'],
    ['suspended', kustomization({ suspend: true }, ready('False', 'BuildFailed', 'no')), 'suspended', ''],
    [
      'waiting for another',
      kustomization({ dependsOn: [{ name: 'b' }] }, ready('False', 'DependencyNotReady', "dependency 'n/b' is not ready")),
      'waiting',
      'waits for n/b',
    ],
    [
      'waiting for its source',
      kustomization({}, ready('False', 'ArtifactFailed', 'Source artifact not found, retrying in 30s')),
      'waiting',
      'waits for GitRepository src',
    ],
  ])('%s', (_name, object, state, why) => {
    expect(standingOf(object)).toMatchObject({ key: 'Kustomization/n/a', state, why });
  });
});

it.each([
  ['main@sha1:3f9c1e2a3f9c1e2a3f9c1e2a3f9c1e2a3f9c1e2a', 'main@3f9c1e2'],
  ['sha1:3f9c1e2a3f9c1e2a3f9c1e2a3f9c1e2a3f9c1e2a', '3f9c1e2'],
  ['', ''],
])('TRM-05: %s is shown as %s', (revision, short) => {
  expect(shortRevision(revision)).toBe(short);
});
