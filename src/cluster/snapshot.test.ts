import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemEntropy, systemWorld } from '../base/world/index.ts';
import { connect } from '../kube/client/index.ts';
import { testCluster, type TestCluster } from './server/testing.ts';
import { createCluster } from './server/index.ts';
import { forkCluster, restoreDataDirectory, snapshotCluster, snapshotDataDirectory } from './snapshot.ts';

const world = systemWorld();
const entropy = systemEntropy;
const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' }, stringData: { k: 'marker-of-the-test' } };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-snapshot-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a snapshot', () => {
  it('of a running cluster becomes a cluster with the same objects and revisions', async () => {
    const source = await createCluster({ world, entropy });
    await connect(source.handle).create(secret);
    const file = join(folder, 'cluster.snapshot');
    const revision = await snapshotCluster(source, file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = source.store.list('secrets');
    await source.close();
    const target = join(folder, 'target');
    expect(await restoreDataDirectory(target, file)).toBe(revision);
    const restored = await createCluster({ world, entropy, databasePath: join(target, 'cluster.db') });
    expect(restored.store.list('secrets')).toEqual(before);
    expect(restored.store.revision).toBeGreaterThanOrEqual(revision);
    expect(restored.store.oldest('secrets')).toBe(revision);
    await restored.close();
    await expect(restoreDataDirectory(target, file)).rejects.toMatchObject({ code: 'CLUSTER_DATABASE_EXISTS' });
    expect(await snapshotDataDirectory(target, join(folder, 'again'), world.clock)).toBeGreaterThanOrEqual(revision);
  });

  it('of a cluster that runs elsewhere, of nothing, and a damaged one are refused without quoting Secrets', async () => {
    const path = join(folder, 'cluster.db');
    await expect(snapshotDataDirectory(folder, join(folder, 'x'), world.clock)).rejects.toMatchObject({ code: 'CLUSTER_DATABASE_MISSING' });
    const source = await createCluster({ world, entropy, databasePath: path });
    await connect(source.handle).create(secret);
    await expect(snapshotDataDirectory(folder, join(folder, 'x'), world.clock)).rejects.toMatchObject({ code: 'CLUSTER_DATA_LOCKED' });
    const file = join(folder, 'cluster.snapshot');
    await snapshotCluster(source, file);
    await source.close();
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -30));
    const broken = await restoreDataDirectory(join(folder, 'target'), file).catch((error: unknown) => error);
    expect(broken).toMatchObject({ code: 'CLUSTER_SNAPSHOT_INVALID' });
    expect(String(broken)).not.toContain('marker');
  });
});

describe('a fork', () => {
  it('starts as its original and goes its own way', async () => {
    const source = await createCluster({ world, entropy });
    await connect(source.handle).create(secret);
    const fork = await forkCluster(source, { world, entropy });
    const key = { resource: 'secrets', namespace: 'default', name: 's' };
    expect(fork.store.get(key)).toEqual(source.store.get(key));
    await connect(fork.handle).delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 's' });
    expect(fork.store.get(key)).toBeUndefined();
    expect(source.store.get(key)).toBeDefined();
    await fork.close();
    await source.close();
  });
});

describe('the cluster at a revision', () => {
  let api: TestCluster;
  afterEach(() => api.close());

  it('is read below /at/REVISION as it was, and cannot be written or watched', async () => {
    api = await testCluster();
    const path = '/api/v1/namespaces/default/configmaps';
    const made = await api.post(path, { metadata: { name: 'x' }, data: { a: '1' } });
    const then = made.body.metadata.resourceVersion ?? '';
    await api.patch(`${path}/x`, 'merge', { data: { a: '2' } });
    await api.post(path, { metadata: { name: 'y' } });
    expect((await api.get(`/at/${then}${path}/x`)).body['data']).toEqual({ a: '1' });
    expect((await api.get(`${path}/x`)).body['data']).toEqual({ a: '2' });
    const list = (await api.get(`/at/${then}${path}`)).body;
    expect(list.items.map(({ metadata }) => metadata.name)).not.toContain('y');
    expect(list.metadata.resourceVersion).toBe(then);
    await api.del(`${path}/x`);
    expect((await api.get(`/at/${then}${path}/x`)).status).toBe(200);
    expect((await api.get(`/at/${then}${path}/y`)).status).toBe(404);
    expect((await api.get(`/at/${then}/api/v1`)).body['kind']).toBe('APIResourceList');
    expect((await api.post(`/at/${then}${path}`, { metadata: { name: 'z' } })).status).toBe(405);
    expect((await api.get(`/at/${then}${path}?watch=true`)).status).toBe(405);
    expect((await api.get(`/at/999999${path}`)).status).toBe(504);
  });
});
