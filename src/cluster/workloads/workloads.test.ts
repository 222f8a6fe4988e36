import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from '../server/testing.ts';

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
});
afterEach(() => api.close());

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const selector = { matchLabels: { app: 'x' } };

/** Creates an object and answers its status once everything has settled. */
const statusOf = async (path: string, spec: unknown): Promise<unknown> => {
  const made = await api.post(path, { metadata: { name: 'x' }, spec });
  expect(made.status).toBe(201);
  await api.settle();
  return (await api.get(`${path}/x`)).body['status'];
};

describe('SIM-01: the status of a healthy cluster', () => {
  it('a Deployment is available and has progressed, again after every change', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const status = await statusOf(path, { replicas: 2, selector, template });
    expect(status).toMatchObject({
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      conditions: [
        { type: 'Available', status: 'True' },
        { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
      ],
    });
    await api.patch(`${path}/x`, 'merge', { spec: { replicas: 0 } });
    await api.settle();
    const scaled = (await api.get(`${path}/x`)).body['status'];
    expect(scaled).toMatchObject({ observedGeneration: 2 });
    expect(scaled).not.toHaveProperty('readyReplicas');
    const { revision } = api.cluster.store;
    await api.settle(60_000);
    expect(api.cluster.store.revision).toBe(revision);
  });

  it.each([
    [
      '/apis/apps/v1/namespaces/default/statefulsets',
      { replicas: 2, serviceName: 's', selector, template },
      { readyReplicas: 2, currentRevision: 'x-1', updateRevision: 'x-1' },
    ],
    [
      '/apis/apps/v1/namespaces/default/daemonsets',
      { selector, template },
      { desiredNumberScheduled: 1, numberAvailable: 1, observedGeneration: 1 },
    ],
    ['/apis/apps/v1/namespaces/default/replicasets', { replicas: 3, selector, template }, { replicas: 3, availableReplicas: 3 }],
    [
      '/api/v1/namespaces/default/persistentvolumeclaims',
      { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] },
    ],
    [
      '/api/v1/namespaces/default/services',
      { type: 'LoadBalancer', ports: [{ port: 80 }] },
      { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    ],
  ])('%s', async (path, spec, expected) => {
    expect(await statusOf(path, spec)).toMatchObject(expected);
  });

  it('a Job completes; a suspended one says so and completes when resumed', async () => {
    const path = '/apis/batch/v1/namespaces/default/jobs';
    const job = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } };
    expect(await statusOf(path, { ...job, suspend: true })).toMatchObject({ conditions: [{ type: 'Suspended', status: 'True' }] });
    await api.settle(5_000);
    await api.patch(`${path}/x`, 'merge', { spec: { suspend: false } });
    await api.settle();
    const { body } = await api.get(`${path}/x`);
    expect(body['status']).toMatchObject({ succeeded: 1, startTime: '2026-01-01T00:00:05Z' });
    const conditions = (body['status'] as unknown as { conditions: { type: string; status: string }[] }).conditions.map(
      ({ type, status }) => `${type} ${status}`,
    );
    expect(conditions).toEqual(['Suspended False', 'SuccessCriteriaMet True', 'Complete True']);
  });
});

describe('service addresses', () => {
  const path = '/api/v1/namespaces/default/services';
  const make = (name: string, spec: Record<string, unknown>): ReturnType<TestCluster['post']> =>
    api.post(path, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });

  it('are allocated once, kept when omitted, and do not change', async () => {
    const { body } = await make('a', {});
    const spec = body['spec'] as { clusterIP: string };
    expect(spec).toMatchObject({ type: 'ClusterIP', clusterIPs: [spec.clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
    expect(spec.clusterIP).toMatch(/^10\.96\./);
    const put = await api.put(`${path}/a`, { metadata: { name: 'a' }, spec: { ports: [{ port: 81 }] } });
    expect(put.body['spec']).toMatchObject({ clusterIP: spec.clusterIP });
    const changed = await api.patch(`${path}/a`, 'merge', { spec: { clusterIP: '10.96.0.99', clusterIPs: null } });
    expect(changed.status).toBe(422);
    expect(changed.body.message).toContain('may not change once set');
    const taken = await make('b', { clusterIP: spec.clusterIP });
    expect(taken.body.message).toContain('provided IP is already allocated');
  });

  it('headless and external ones have none; node ports are allocated and kept', async () => {
    expect((await make('h', { clusterIP: 'None' })).body['spec']).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] });
    expect((await make('e', { type: 'ExternalName', externalName: 'x.y' })).body['spec']).not.toHaveProperty('clusterIP');
    const { body } = await make('n', { type: 'NodePort' });
    const [port] = (body['spec'] as { ports: { nodePort: number }[] }).ports;
    expect(port?.nodePort).toBeGreaterThanOrEqual(30_000);
    const put = await api.put(`${path}/n`, { metadata: { name: 'n' }, spec: { type: 'NodePort', ports: [{ port: 80 }] } });
    expect((put.body['spec'] as { ports: { nodePort: number }[] }).ports[0]?.nodePort).toBe(port?.nodePort);
  });
});
