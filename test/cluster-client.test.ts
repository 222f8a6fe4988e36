/**
 * One suite for every way to reach a cluster: in this process, over HTTPS with a token, over HTTPS with a client
 * certificate. What controllers rely on holds for all of them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { noLog } from '../src/base/log/index.ts';
import { systemEntropy, systemWorld } from '../src/base/world/index.ts';
import { ADMIN, createCluster, serve, type EmbeddedCluster, type ServedCluster } from '../src/cluster/index.ts';
import { connect, httpsHandle, isKindNotServed, listAll, type Cluster, type WatchEvent } from '../src/kube/client/index.ts';
import {
  apiErrors,
  isConflict,
  isExpired,
  isNotFound,
  reasonOf,
  sottoCrds,
  type GitRepository,
  type KubeObject,
  type ObjectRef,
} from '../src/kube/objects/index.ts';
import { informers } from '../src/kube/runtime/index.ts';

const world = systemWorld();
const SECRETS = { apiVersion: 'v1', kind: 'Secret' };
const NAMESPACES = { apiVersion: 'v1', kind: 'Namespace' };

/** A kubeconfig that logs in with a certificate. */
function certificateKubeconfig(served: ServedCluster, pair: { certificate: string; key: string }): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: served.url, 'certificate-authority-data': base64(served.certificateAuthority) } }],
    users: [{ name: 'u', user: { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key) } }],
  });
}

/** A watch with this selector is answered by {@link expiringWatch}. */
const EXPIRED = 'fault=expired';

/** What a server sends whose history has been compacted away under a watch. */
async function* expiringWatch(): AsyncGenerator<unknown> {
  yield { type: 'BOOKMARK', object: { ...SECRETS, metadata: { resourceVersion: '1' } } };
  yield { type: 'ERROR', object: apiErrors.expired('too old resource version').status };
}

let embedded: EmbeddedCluster;
let served: ServedCluster;

beforeAll(async () => {
  embedded = await createCluster({
    world,
    entropy: systemEntropy,
    intercept: ({ query }) =>
      query.get('labelSelector') === EXPIRED ? { status: 200, headers: {}, body: { kind: 'stream', frames: expiringWatch() } } : 'pass',
  });
  served = await serve(embedded, { port: 0, world, entropy: systemEntropy });
  const admin = connect(embedded.handle, { user: ADMIN });
  for (const crd of sottoCrds()) await admin.create(crd);
});

afterAll(async () => {
  await served.close();
  await embedded.close();
});

const ways: [name: string, namespace: string, reach: () => Promise<Cluster>][] = [
  ['in process', 'local', async () => connect(embedded.handle, { user: ADMIN })],
  ['over HTTPS with a token', 'token', async () => connect(await httpsHandle({ kubeconfig: { text: served.kubeconfig.reveal() }, world }))],
  [
    'over HTTPS with a client certificate',
    'certificate',
    async () => {
      const pair = await served.issueClient('cert-admin', ['system:masters']);
      return connect(await httpsHandle({ kubeconfig: { text: certificateKubeconfig(served, pair) }, world }));
    },
  ],
];

describe.each(ways)('a cluster %s', (_name, namespace, reach) => {
  let cluster: Cluster;
  const secret = (name: string, fields: Partial<KubeObject> = {}): KubeObject => ({ ...SECRETS, metadata: { name, namespace }, ...fields });
  const refTo = (name: string): ObjectRef => ({ ...SECRETS, namespace, name });

  beforeAll(async () => {
    cluster = await reach();
    await cluster.create({ ...NAMESPACES, metadata: { name: namespace } });
  });

  it('knows what is served', async () => {
    expect(await cluster.resourceFor(SECRETS)).toMatchObject({ plural: 'secrets', namespaced: true });
    expect(await cluster.resourceFor(NAMESPACES)).toMatchObject({ plural: 'namespaces', namespaced: false });
    const kustomization = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
    await expect.poll(async () => (await cluster.resourceFor(kustomization))?.subresources).toEqual(['status']);
    expect(await cluster.resourceFor({ apiVersion: 'example.com/v1', kind: 'None' })).toBeUndefined();
    await expect(cluster.list({ apiVersion: 'example.com/v1', kind: 'None' })).rejects.toSatisfy(isKindNotServed);
  });

  it('creates, reads, updates, deletes', async () => {
    const created = await cluster.create(secret('crud', { data: { k: 'dg==' } }));
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(created).toMatchObject({ type: 'Opaque', data: { k: 'dg==' } });
    expect(await cluster.get(refTo('crud'))).toEqual(created);
    const updated = await cluster.update({ ...created, data: { k: 'eA==' } });
    expect(updated['data']).toEqual({ k: 'eA==' });
    await expect(cluster.update({ ...created, data: {} })).rejects.toSatisfy(isConflict);
    await expect(cluster.create(secret('crud'))).rejects.toSatisfy((error) => reasonOf(error) === 'AlreadyExists');
    await expect(cluster.delete(refTo('crud'), { preconditions: { uid: 'other' } })).rejects.toSatisfy(isConflict);
    await cluster.delete(refTo('crud'));
    await expect(cluster.get(refTo('crud'))).rejects.toSatisfy(isNotFound);
    expect(await cluster.find(refTo('crud'))).toBeUndefined();
    await expect(cluster.delete(refTo('crud'))).rejects.toSatisfy(isNotFound);
  });

  it('answers frozen objects', async () => {
    const created = await cluster.create(secret('frozen', { data: { k: '' } }));
    const { items } = await cluster.list(SECRETS, { namespace });
    for (const object of [created, await cluster.get(refTo('frozen')), ...items]) {
      expect(Object.isFrozen(object)).toBe(true);
      expect(Object.isFrozen(object.metadata)).toBe(true);
    }
  });

  it('names objects', async () => {
    const { metadata } = await cluster.create({ ...SECRETS, metadata: { generateName: 'made-', namespace } });
    expect(metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
  });

  it('patches in three ways', async () => {
    await cluster.create(secret('patched', { data: { a: '', b: '' } }));
    const merged = await cluster.patch(refTo('patched'), 'merge', { data: { a: null } });
    expect(merged['data']).toEqual({ b: '' });
    const jsonPatched = await cluster.patch(refTo('patched'), 'json', [{ op: 'add', path: '/data/c', value: 'eA==' }]);
    expect(jsonPatched['data']).toEqual({ b: '', c: 'eA==' });
    const strategic = await cluster.patch(refTo('patched'), 'strategic', { metadata: { labels: { l: '1' } } });
    expect(strategic.metadata.labels).toEqual({ l: '1' });
    await expect(cluster.patch(refTo('patched'), 'json', [{ op: 'test', path: '/data/c', value: 'no' }])).rejects.toSatisfy(
      (error) => reasonOf(error) === 'Invalid',
    );
  });

  it('applies on the server, with owners and conflicts', async () => {
    const applied = await cluster.apply(secret('applied', { data: { k: 'dg==' } }), { fieldManager: 'one' });
    expect(applied.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([['one', 'Apply']]);
    const other = secret('applied', { data: { k: 'eA==' } });
    await expect(cluster.apply(other, { fieldManager: 'two' })).rejects.toSatisfy(isConflict);
    expect((await cluster.apply(other, { fieldManager: 'two', force: true }))['data']).toEqual({ k: 'eA==' });
  });

  it('tries writes without doing them', async () => {
    const tried = await cluster.create(secret('dry'), { dryRun: true });
    expect(tried.metadata.uid).toBeDefined();
    expect(await cluster.find(refTo('dry'))).toBeUndefined();
    await cluster.create(secret('wet'));
    await cluster.delete(refTo('wet'), { dryRun: true });
    expect(await cluster.find(refTo('wet'))).toBeDefined();
  });

  it('validates fields strictly when asked', async () => {
    await expect(cluster.create(secret('strict', { odd: 1 }), { fieldValidation: 'Strict' })).rejects.toThrow(/odd/);
  });

  it('SRC-01: writes the status of a custom resource through its subresource alone', async () => {
    const repository: GitRepository = {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'fleet', namespace },
      spec: { url: 'https://example.com/fleet', interval: '1m' },
    };
    const created = await cluster.create(repository);
    expect(created['spec']).toMatchObject({ timeout: '60s' });
    expect(created['status']).toEqual({ observedGeneration: -1 });
    const ref = { apiVersion: repository.apiVersion, kind: repository.kind, namespace, name: 'fleet' };
    const patched = await cluster.patch(
      ref,
      'merge',
      { spec: { interval: '2m' }, status: { observedGeneration: 1 } },
      { subresource: 'status' },
    );
    expect(patched['status']).toEqual({ observedGeneration: 1 });
    expect(patched['spec']).toMatchObject({ interval: '1m' });
    await expect(
      cluster.create({ ...repository, metadata: { name: 'bad', namespace }, spec: { url: 'x', interval: '1d' } }),
    ).rejects.toSatisfy((error) => reasonOf(error) === 'Invalid');
  });

  it('lists with selectors, in pages', async () => {
    for (let i = 0; i < 5; i++)
      await cluster.create(secret(`page-${i}`, { metadata: { name: `page-${i}`, namespace, labels: { page: 'yes' } } }));
    const selected = { namespace, labelSelector: 'page=yes' };
    const first = await cluster.list(SECRETS, { ...selected, limit: 2 });
    expect(first.items).toHaveLength(2);
    const second = await cluster.list(SECRETS, { ...selected, limit: 10, continue: first.continue ?? '' });
    expect([...first.items, ...second.items].map(({ metadata }) => metadata.name)).toEqual([
      'page-0',
      'page-1',
      'page-2',
      'page-3',
      'page-4',
    ]);
    expect(second.continue).toBeUndefined();
    const all = await listAll(cluster, SECRETS, selected);
    expect(all.items.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual(Array.from({ length: 5 }, () => 'v1 Secret'));
    const byField = await cluster.list(SECRETS, { namespace, fieldSelector: 'metadata.name=page-3' });
    expect(byField.items.map(({ metadata }) => metadata.name)).toEqual(['page-3']);
  });

  it('watches from a version on, until the loop is left', async () => {
    const { resourceVersion } = await cluster.list(SECRETS, { namespace });
    await cluster.create(secret('watched'));
    await cluster.patch(refTo('watched'), 'merge', { data: { k: '' } });
    await cluster.delete(refTo('watched'));
    const events: WatchEvent[] = [];
    for await (const event of cluster.watch(SECRETS, { namespace, resourceVersion, fieldSelector: 'metadata.name=watched' })) {
      events.push(event);
      if (events.length === 3) break;
    }
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    expect(events.every(({ object }) => object.kind === 'Secret' && Object.isFrozen(object))).toBe(true);
  });

  it('ends a watch by its signal and by its time-out', async () => {
    const stop = new AbortController();
    const { resourceVersion } = await cluster.list(SECRETS, { namespace });
    const stopped = Array.fromAsync(cluster.watch(SECRETS, { namespace, resourceVersion, signal: stop.signal }));
    const timedOut = Array.fromAsync(cluster.watch(SECRETS, { namespace, resourceVersion, timeoutSeconds: 1 }));
    stop.abort();
    expect(await stopped).toEqual([]);
    expect(await timedOut).toEqual([]);
  });

  it('throws the error that the server sends within a watch', async () => {
    const seen: string[] = [];
    const watching = async (): Promise<void> => {
      for await (const { type } of cluster.watch(SECRETS, { namespace, labelSelector: EXPIRED })) seen.push(type);
    };
    await expect(watching()).rejects.toSatisfy(isExpired);
    expect(seen).toEqual(['BOOKMARK']);
  });

  it('acts as somebody else', async () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const who = async (as: Cluster) =>
      ((await as.request('POST', path, review))['status'] as { userInfo: { username: string; groups: string[] } }).userInfo;
    expect(await who(cluster.as('jane', ['a', 'b']))).toMatchObject({ username: 'jane', groups: ['a', 'b', 'system:authenticated'] });
    expect((await who(cluster.as('system:serviceaccount:n:sa'))).groups).toContain('system:serviceaccounts:n');
    expect((await who(cluster)).groups).toContain('system:masters');
  });

  it('answers raw requests and their errors', async () => {
    expect(await cluster.request('GET', '/version')).toHaveProperty('gitVersion');
    expect(await cluster.request('GET', '/api/v1?timeout=5s')).toMatchObject({ kind: 'APIResourceList' });
    await expect(cluster.request('GET', '/apis/none.example.com/v1')).rejects.toSatisfy(isNotFound);
  });

  it('keeps an informer up to date across dropped connections', async () => {
    const stop = new AbortController();
    const set = informers({ cluster, world, log: noLog });
    const followed = set.for({ ...SECRETS, namespace, labelSelector: 'followed=yes' });
    const running = set.run(stop.signal);
    await followed.settled;
    const create = (name: string) => cluster.create(secret(name, { metadata: { name, namespace, labels: { followed: 'yes' } } }));
    const names = (): unknown[] => followed.list().map(({ metadata }) => metadata.name);
    await create('one');
    await expect.poll(names).toEqual(['one']);
    await expect.poll(() => embedded.dropWatches()).toBeGreaterThan(0);
    await create('two');
    await cluster.delete(refTo('one'));
    await expect.poll(names, { timeout: 10_000 }).toEqual(['two']);
    stop.abort();
    await running;
  });
});

it('refuses a server whose certificate another authority signed', async () => {
  const other = await createCluster({ world, entropy: systemEntropy });
  const impostor = await serve(other, { port: 0, world, entropy: systemEntropy });
  const text = served.kubeconfig.reveal().replaceAll(served.url, impostor.url);
  const cluster = connect(await httpsHandle({ kubeconfig: { text }, world }));
  await expect(cluster.request('GET', '/version')).rejects.toMatchObject({ code: 'KUBE_UNREACHABLE', retry: true });
  await impostor.close();
  await other.close();
});
