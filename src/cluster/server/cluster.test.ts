import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { apiErrors } from '../../kube/objects/index.ts';
import { statusResponse } from './represent.ts';
import { testCluster, type TestCluster } from './testing.ts';

const PATH = '/api/v1/namespaces/default/configmaps';

describe('an embedded cluster', () => {
  it('EMB-01: several are independent; after close nothing answers and watches end', async () => {
    const [one, two] = [await testCluster(), await testCluster()];
    await one.post(PATH, { metadata: { name: 'c' } });
    expect((await two.get(`${PATH}/c`)).status).toBe(404);
    const watch = await one.watch(PATH);
    await one.close();
    await watch.take();
    expect(watch.ended()).toBe(true);
    await expect(one.get(PATH)).rejects.toMatchObject({ code: 'CLUSTER_CONNECTION_LOST' });
    expect((await two.get(PATH)).status).toBe(200);
    await two.close();
  });

  it('EMB-01: the same seed takes the same steps, names, uids and times included', async () => {
    const run = async (seed: number): Promise<string> => {
      const api = await testCluster({ seed });
      const watch = await api.watch('/api/v1/configmaps');
      await api.post('/api/v1/namespaces', { metadata: { name: 'n' } });
      await Promise.all([1, 2, 3].map(() => api.post('/api/v1/namespaces/n/configmaps', { metadata: { generateName: 'c-' } })));
      await api.settle(60_000);
      await api.del('/api/v1/namespaces/n');
      await api.settle();
      const frames = await watch.take();
      await api.close();
      return JSON.stringify(frames);
    };
    const first = await run(7);
    expect(await run(7)).toBe(first);
    expect(await run(8)).not.toBe(first);
  });

  it('STORE-01: a cluster goes on where it was: objects, resourceVersions, CRDs, half-done deletions', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cluster-'));
    const databasePath = join(folder, 'cluster.db');
    const first = await testCluster({ databasePath });
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    await first.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'widgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    });
    await first.post('/apis/example.com/v1/namespaces/default/widgets', {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'w' },
    });
    await first.post('/api/v1/namespaces', { metadata: { name: 'going' } });
    await first.post('/api/v1/namespaces/going/configmaps', { metadata: { name: 'c', finalizers: ['example.com/hold'] } });
    await first.del('/api/v1/namespaces/going');
    await first.settle();
    const { body } = await first.get('/apis/example.com/v1/namespaces/default/widgets/w');
    await first.close();

    const second = await testCluster({ databasePath, seed: 2 });
    expect((await second.get('/apis/example.com/v1/namespaces/default/widgets/w')).body).toEqual(body);
    const watch = await second.watch(`/apis/example.com/v1/widgets?resourceVersion=${Number(body.metadata.resourceVersion) - 1}`);
    expect((await watch.take()).map(({ type }) => type)).toEqual(['ADDED']);
    watch.stop();
    await second.patch('/api/v1/namespaces/going/configmaps/c', 'merge', { metadata: { finalizers: null } });
    await second.settle();
    expect((await second.get('/api/v1/namespaces/going')).status).toBe(404);
    await second.close();
    rmSync(folder, { recursive: true });
  });
});

describe('injected faults', () => {
  const faulty = (verdicts: readonly (string | number)[]): Promise<TestCluster> => {
    const left = [...verdicts];
    return testCluster({
      intercept: ({ method }) => {
        const verdict = method === 'POST' ? left.shift() : undefined;
        if (typeof verdict === 'number')
          return statusResponse(apiErrors.of(verdict, 'TooManyRequests', 'slow down', { retryAfterSeconds: 3 }).status);
        return verdict === 'drop' || verdict === 'drop-response' ? verdict : 'pass';
      },
    });
  };

  it('an answer in the server’s place, a request that is lost, an answer that is lost', async () => {
    const api = await faulty([429, 'drop', 'drop-response', 'pass']);
    const made = (name: string): ReturnType<TestCluster['post']> => api.post(PATH, { metadata: { name } });
    expect(await made('a')).toMatchObject({ status: 429, headers: { 'retry-after': '3' } });
    await expect(made('b')).rejects.toMatchObject({ code: 'CLUSTER_CONNECTION_LOST', retry: true });
    await expect(made('c')).rejects.toMatchObject({ code: 'CLUSTER_CONNECTION_LOST' });
    expect((await made('d')).status).toBe(201);
    const statuses = await Promise.all(['a', 'b', 'c', 'd'].map(async (name) => (await api.get(`${PATH}/${name}`)).status));
    expect(statuses).toEqual([404, 404, 200, 200]);
    await api.close();
  });
});
