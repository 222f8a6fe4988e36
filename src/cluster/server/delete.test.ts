import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from './testing.ts';

const PATH = '/api/v1/namespaces/default/configmaps';

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
});
afterEach(() => api.close());

const make = (metadata: Record<string, unknown> = {}): ReturnType<TestCluster['post']> =>
  api.post(PATH, { metadata: { name: 'c', ...metadata } });

describe('deletion', () => {
  it('DEL-01: options from body or query; preconditions that fail are 409', async () => {
    const { body } = await make();
    expect((await api.del(`${PATH}/c`, { preconditions: { uid: 'other' } })).body).toMatchObject({ code: 409, reason: 'Conflict' });
    expect((await api.del(`${PATH}/c`, { preconditions: { resourceVersion: '1' } })).status).toBe(409);
    expect((await api.del(`${PATH}/c`, { propagationPolicy: 'Background', orphanDependents: true })).status).toBe(422);
    expect((await api.del(`${PATH}/c?propagationPolicy=Sometimes`)).status).toBe(422);
    expect(
      (await api.del(`${PATH}/c`, { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: body.metadata.uid } })).status,
    ).toBe(200);
    expect((await api.del(`${PATH}/c`)).status).toBe(404);
  });

  it('DEL-02: finalizers keep a marked object until the last one goes; new ones are refused', async () => {
    await make({ finalizers: ['example.com/a', 'example.com/b'] });
    const watch = await api.watch(`${PATH}/c`);
    const marked = await api.del(`${PATH}/c`);
    expect(marked).toMatchObject({
      status: 200,
      body: { kind: 'ConfigMap', metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 } },
    });
    expect((await api.patch(`${PATH}/c`, 'merge', { metadata: { finalizers: ['example.com/a', 'example.com/c'] } })).status).toBe(422);
    expect((await api.patch(`${PATH}/c`, 'merge', { metadata: { finalizers: ['example.com/a'] } })).status).toBe(200);
    const last = await api.patch(`${PATH}/c`, 'merge', { metadata: { finalizers: null } });
    expect(last).toMatchObject({ status: 200, body: { metadata: { name: 'c' } } });
    expect((await api.get(`${PATH}/c`)).status).toBe(404);
    expect((await watch.take()).map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED']);
    watch.stop();
  });

  it('DEL-02: creating while an object is being deleted says so', async () => {
    await make({ finalizers: ['example.com/a'] });
    await api.del(`${PATH}/c`);
    expect((await make()).body.message).toBe('object is being deleted: configmaps "c" already exists');
  });

  it('DEL-03: a Status with details, or the object for some kinds', async () => {
    const { body } = await make();
    expect((await api.del(`${PATH}/c`)).body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'c', kind: 'configmaps', uid: body.metadata.uid },
    });
    await api.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'a' } });
    expect((await api.del('/api/v1/namespaces/default/serviceaccounts/a')).body.kind).toBe('ServiceAccount');
    await make({ finalizers: ['example.com/a'] });
    expect((await api.del(`${PATH}/c`, { orphanDependents: false })).status).toBe(202);
  });

  it.each([
    ['Orphan', ['example.com/a', 'orphan']],
    ['Foreground', ['example.com/a', 'foregroundDeletion']],
    ['Background', ['example.com/a']],
  ])('DEL-04: policy %s leaves the finalizers %j', async (propagationPolicy, expected) => {
    await make({ finalizers: ['example.com/a'] });
    expect((await api.del(`${PATH}/c`, { propagationPolicy })).body.metadata.finalizers).toEqual(expected);
  });

  it('DEL-04: Jobs orphan their dependents by default, with a warning', async () => {
    const jobs = '/apis/batch/v1/namespaces/default/jobs';
    await api.post(jobs, {
      metadata: { name: 'j' },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
    });
    const answer = await api.del(`${jobs}/j`);
    expect(answer.body.metadata.finalizers).toContain('orphan');
    expect(answer.headers['warning']).toContain('child pods are preserved by default when jobs are deleted');
  });

  it('DEL-05: a Pod on a node stays for its grace period; one that is not goes at once', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    await api.post(pods, { metadata: { name: 'free' }, spec });
    await api.del(`${pods}/free`);
    expect((await api.get(`${pods}/free`)).status).toBe(404);
    await api.post(pods, { metadata: { name: 'bound' }, spec: { ...spec, nodeName: 'n' } });
    const marked = await api.del(`${pods}/bound`);
    expect(marked.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30, deletionTimestamp: '2026-01-01T00:00:30Z' });
    const longer = await api.del(`${pods}/bound`, { gracePeriodSeconds: 60 });
    expect(longer.body.metadata.deletionGracePeriodSeconds).toBe(30);
    await api.del(`${pods}/bound`, { gracePeriodSeconds: 0 });
    expect((await api.get(`${pods}/bound`)).status).toBe(404);
    // Without it the kubelet's part is played a second later.
    await api.post(pods, { metadata: { name: 'left' }, spec: { ...spec, nodeName: 'n' } });
    await api.del(`${pods}/left`);
    await api.settle(500);
    expect((await api.get(`${pods}/left`)).status).toBe(200);
    await api.settle(1_000);
    expect((await api.get(`${pods}/left`)).status).toBe(404);
  });
});
