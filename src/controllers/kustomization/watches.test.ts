import { describe, expect, it } from 'vitest';

import type { Log } from '../../base/log/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import type { WatchMapping } from '../../kube/runtime/index.ts';
import { interrupts } from './interrupts.ts';
import type { Spec } from './model.ts';
import { kustomizationWatches } from './watches.ts';

function kustomization(name: string, spec: Partial<Spec> = {}, metadata: object = {}): KubeObject {
  const whole = { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'repo' }, ...spec };
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'flux-system', generation: 1, ...metadata },
    spec: whole,
  };
}

function source(revision: string, digest = 'sha256:1', name = 'repo'): KubeObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name, namespace: 'flux-system' },
    status: { artifact: { revision, digest } },
  };
}

function config(kind: 'Secret' | 'ConfigMap', name: string, resourceVersion: string, namespace = 'flux-system'): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name, namespace, resourceVersion } };
}

async function watching(...objects: KubeObject[]) {
  const logs: string[] = [];
  const log: Log = { debug: () => {}, info: () => {}, error: (message) => void logs.push(message), with: () => log };
  const watches = kustomizationWatches(['GitRepository'], log, interrupts());
  const send = async (kind: string, event: WatchMapping): Promise<string[]> => {
    const watch = watches.find((each) => each.kind === kind);
    return [...((await watch?.map(event)) ?? [])].map((request) => request.name);
  };
  for (const object of objects) await send('Kustomization', { type: 'ADDED', object });
  return { send, logs, watches };
}

describe('what wakes a Kustomization', () => {
  const own: [string, object, object, boolean][] = [
    ['a new generation', { generation: 2 }, {}, true],
    ['a request', { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } }, {}, true],
    ['its deletion', { deletionTimestamp: 'x' }, {}, true],
    ['its status alone', {}, { status: { conditions: [] } }, false],
    ['a label', { labels: { a: 'b' } }, {}, false],
  ];

  it.each(own)('flux/KS-07: %s', async (_, metadata, rest, isWoken) => {
    const { send } = await watching();
    const object = { ...kustomization('a', {}, metadata), ...rest };
    expect(await send('Kustomization', { type: 'MODIFIED', object, old: kustomization('a') })).toEqual(isWoken ? ['a'] : []);
  });

  it('flux/KS-07: a new revision of its source, in the order of dependencies', async () => {
    const { send } = await watching(
      kustomization('last', { dependsOn: [{ name: 'first' }] }),
      kustomization('other', { sourceRef: { kind: 'GitRepository', name: 'elsewhere' } }),
      kustomization('bucket', { sourceRef: { kind: 'Bucket', name: 'repo' } }),
      kustomization('first'),
    );
    expect(await send('GitRepository', { type: 'MODIFIED', object: source('2'), old: source('1') })).toEqual(['first', 'last']);
    expect(await send('GitRepository', { type: 'ADDED', object: source('2') })).toEqual(['first', 'last']);
  });

  it('flux/KS-07: the revision alone counts, not the digest', async () => {
    const { send } = await watching(kustomization('a'));
    expect(await send('GitRepository', { type: 'MODIFIED', object: source('1', 'sha256:2'), old: source('1') })).toEqual([]);
  });

  it('flux/KS-07: with a cycle nothing is woken, and the cycle is logged', async () => {
    const { send, logs } = await watching(
      kustomization('a', { dependsOn: [{ name: 'b' }] }),
      kustomization('b', { dependsOn: [{ name: 'a' }] }),
      kustomization('c'),
    );
    expect(await send('GitRepository', { type: 'ADDED', object: source('1') })).toEqual([]);
    expect(logs).toEqual(['circular dependency detected: flux-system/a -> flux-system/b -> flux-system/a']);
  });

  it('flux/KS-07: labelled Secrets and ConfigMaps that it reads', async () => {
    const { send, watches } = await watching(
      kustomization('keys', { decryption: { provider: 'sops', secretRef: { name: 'x' } } }),
      kustomization('vars', {
        postBuild: {
          substituteFrom: [
            { kind: 'ConfigMap', name: 'x' },
            { kind: 'Secret', name: 'y' },
          ],
        },
      }),
      kustomization('remote', { kubeConfig: { secretRef: { name: 'x' } } }),
    );
    expect(watches.filter((watch) => watch.apiVersion === 'v1').map((watch) => watch.labelSelector)).toEqual([
      'reconcile.fluxcd.io/watch=Enabled',
      'reconcile.fluxcd.io/watch=Enabled',
    ]);
    const change = (kind: 'Secret' | 'ConfigMap', name: string, namespace?: string) =>
      send(kind, { type: 'MODIFIED', object: config(kind, name, '2', namespace), old: config(kind, name, '1', namespace) });
    expect(await change('Secret', 'x')).toEqual(['keys', 'remote']);
    expect(await change('ConfigMap', 'x')).toEqual(['vars']);
    expect(await change('Secret', 'y')).toEqual(['vars']);
    expect(await change('Secret', 'x', 'default')).toEqual([]);
  });

  it('a Kustomization that is gone is not woken any more', async () => {
    const { send } = await watching(kustomization('a'));
    await send('Kustomization', { type: 'DELETED', object: kustomization('a') });
    expect(await send('GitRepository', { type: 'ADDED', object: source('1') })).toEqual([]);
  });
});
