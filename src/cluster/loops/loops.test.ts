import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from '../server/testing.ts';

const PATH = '/api/v1/namespaces/default/configmaps';

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
});
afterEach(() => api.close());

interface Owner {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly block?: boolean;
}

const make = async (name: string, owners: readonly Owner[] = [], metadata: Record<string, unknown> = {}): Promise<string | undefined> => {
  const ownerReferences = owners.map(({ name: owner, uid, kind = 'ConfigMap', apiVersion = 'v1', block }) => ({
    apiVersion,
    kind,
    name: owner,
    uid,
    ...(block === undefined ? {} : { blockOwnerDeletion: block }),
  }));
  const answer = await api.post(PATH, { metadata: { name, ...metadata, ...(owners.length > 0 ? { ownerReferences } : {}) } });
  expect(answer.status).toBe(201);
  return answer.body.metadata.uid;
};
const exists = async (name: string): Promise<boolean> => (await api.get(`${PATH}/${name}`)).status === 200;

describe('garbage collection', () => {
  it('GC-01: dependents of a deleted owner go, those with a live owner keep only the live reference', async () => {
    const a = await make('a');
    const b = await make('b');
    await make('only-a', [{ name: 'a', uid: a }]);
    await make('both', [
      { name: 'a', uid: a },
      { name: 'b', uid: b },
    ]);
    await api.del(`${PATH}/a`);
    await api.settle();
    expect(await exists('only-a')).toBe(false);
    expect((await api.get(`${PATH}/both`)).body.metadata.ownerReferences).toMatchObject([{ name: 'b' }]);
  });

  it('GC-01: an owner that never existed counts as absent, by uid', async () => {
    await make('a');
    await make('orphaned', [{ name: 'a', uid: 'another-uid' }]);
    await api.settle();
    expect(await exists('orphaned')).toBe(false);
  });

  it('GC-01: a chain goes as a whole', async () => {
    const a = await make('a');
    const b = await make('b', [{ name: 'a', uid: a }]);
    await make('c', [{ name: 'b', uid: b }]);
    await api.del(`${PATH}/a`);
    await api.settle();
    expect([await exists('b'), await exists('c')]).toEqual([false, false]);
  });

  it('GC-01: an owner of a kind that is not served decides nothing', async () => {
    await make('c', [{ name: 'x', uid: 'u', apiVersion: 'example.com/v1', kind: 'Widget' }]);
    await api.settle(60_000);
    expect(await exists('c')).toBe(true);
  });

  it('GC-02: in the foreground the owner waits for dependents that block', async () => {
    const a = await make('a');
    await make('blocks', [{ name: 'a', uid: a, block: true }], { finalizers: ['example.com/hold'] });
    const marked = await api.del(`${PATH}/a`, { propagationPolicy: 'Foreground' });
    expect(marked.body.metadata.finalizers).toEqual(['foregroundDeletion']);
    await api.settle();
    expect(await exists('a')).toBe(true);
    expect((await api.get(`${PATH}/blocks`)).body.metadata.deletionTimestamp).toBeDefined();
    await api.patch(`${PATH}/blocks`, 'merge', { metadata: { finalizers: null } });
    await api.settle();
    expect([await exists('a'), await exists('blocks')]).toEqual([false, false]);
  });

  it('GC-02: dependents with dependents are deleted in the foreground too', async () => {
    const a = await make('a');
    const b = await make('b', [{ name: 'a', uid: a, block: true }]);
    await make('c', [{ name: 'b', uid: b, block: true }], { finalizers: ['example.com/hold'] });
    await api.del(`${PATH}/a`, { propagationPolicy: 'Foreground' });
    await api.settle();
    expect((await api.get(`${PATH}/b`)).body.metadata.finalizers).toEqual(['foregroundDeletion']);
    await api.patch(`${PATH}/c`, 'merge', { metadata: { finalizers: null } });
    await api.settle();
    expect([await exists('a'), await exists('b'), await exists('c')]).toEqual([false, false, false]);
  });

  it('GC-03: orphaning removes the reference and keeps the dependents', async () => {
    const a = await make('a');
    await make('kept', [{ name: 'a', uid: a }]);
    await api.del(`${PATH}/a`, { propagationPolicy: 'Orphan' });
    await api.settle();
    expect(await exists('a')).toBe(false);
    expect((await api.get(`${PATH}/kept`)).body.metadata).not.toHaveProperty('ownerReferences');
  });

  it('GC-04: a cluster-scoped dependent of a namespaced owner is never collected, one in another namespace is; both with an event', async () => {
    const uid = await make('a');
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid }];
    await api.post('/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'r', ownerReferences } });
    await api.post('/api/v1/namespaces/kube-public/configmaps', { metadata: { name: 'other', ownerReferences } });
    await api.settle();
    expect((await api.get('/apis/rbac.authorization.k8s.io/v1/clusterroles/r')).status).toBe(200);
    expect((await api.get('/api/v1/namespaces/kube-public/configmaps/other')).status).toBe(404);
    const events = await api.get('/api/v1/events?fieldSelector=reason=OwnerRefInvalidNamespace');
    expect(events.body.items).toMatchObject([{ type: 'Warning' }, { type: 'Warning' }]);
  });
});

describe('namespaces', () => {
  const widgets = '/api/v1/namespaces/team';
  beforeEach(() => api.post('/api/v1/namespaces', { metadata: { name: 'team' } }));

  it('NS-01: label, finalizer and phase at once; service account and root certificate shortly after', async () => {
    const { body } = await api.get(widgets);
    expect(body).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'team' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
    api.cluster.setRootCertificate('PEM');
    await api.settle();
    expect((await api.get(`${widgets}/serviceaccounts/default`)).status).toBe(200);
    expect((await api.get(`${widgets}/configmaps/kube-root-ca.crt`)).body['data']).toEqual({ 'ca.crt': 'PEM' });
    await api.del(`${widgets}/serviceaccounts/default`);
    await api.patch(`${widgets}/configmaps/kube-root-ca.crt`, 'merge', { data: { 'ca.crt': 'other' } });
    await api.settle();
    expect((await api.get(`${widgets}/serviceaccounts/default`)).status).toBe(200);
    expect((await api.get(`${widgets}/configmaps/kube-root-ca.crt`)).body['data']).toEqual({ 'ca.crt': 'PEM' });
  });

  it('NS-02: creating in a namespace that is missing is 404', async () => {
    const answer = await api.post('/api/v1/namespaces/nope/configmaps', { metadata: { name: 'c' } });
    expect(answer.body).toMatchObject({ code: 404, message: 'namespaces "nope" not found' });
  });

  it('NS-03: deletion empties the namespace and then removes it', async () => {
    await api.post(`${widgets}/configmaps`, { metadata: { name: 'c' } });
    await api.post(`${widgets}/secrets`, { metadata: { name: 's' } });
    const marked = await api.del(widgets);
    expect(marked.body).toMatchObject({ kind: 'Namespace', status: { phase: 'Terminating' } });
    await api.settle();
    expect((await api.get(widgets)).status).toBe(404);
    expect(api.cluster.store.list('configmaps', 'team')).toEqual([]);
    expect((await api.get('/api/v1/namespaces/default')).status).toBe(200);
  });

  it('NS-03: nothing new comes into a namespace that is being deleted; conditions say what holds it', async () => {
    await api.post(`${widgets}/configmaps`, { metadata: { name: 'c', finalizers: ['example.com/hold'] } });
    await api.del(widgets);
    await api.settle();
    const refused = await api.post(`${widgets}/configmaps`, { metadata: { name: 'd' } });
    expect(refused.body).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'configmaps "d" is forbidden: unable to create new content in namespace team because it is being terminated',
      details: { causes: [{ reason: 'NamespaceTerminating', message: 'namespace team is being terminated', field: 'metadata.namespace' }] },
    });
    const { body } = await api.get(widgets);
    const conditions = Object.fromEntries(
      (body['status'] as unknown as { conditions: { type: string; status: string; message: string }[] }).conditions.map((each) => [
        each.type,
        each,
      ]),
    );
    expect(conditions['NamespaceContentRemaining']).toMatchObject({
      status: 'True',
      message: 'Some resources are remaining: configmaps. has 1 resource instances',
    });
    expect(conditions['NamespaceFinalizersRemaining']).toMatchObject({
      status: 'True',
      message: 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    });
    expect(conditions['NamespaceDeletionContentFailure']).toMatchObject({ status: 'False' });
    await api.patch(`${widgets}/configmaps/c`, 'merge', { metadata: { finalizers: null } });
    await api.settle();
    expect((await api.get(widgets)).status).toBe(404);
  });

  it.each(['default', 'kube-system', 'kube-public'])('NS-04: %s is never deleted', async (name) => {
    expect((await api.del(`/api/v1/namespaces/${name}`)).body).toMatchObject({
      code: 403,
      message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    });
  });

  it('BOOT-01: a new cluster has its namespaces and the Service of the API', async () => {
    const { body } = await api.get('/api/v1/namespaces');
    expect(body.items.map((item) => item.metadata.name)).toEqual(['default', 'kube-node-lease', 'kube-public', 'kube-system', 'team']);
    expect((await api.get('/api/v1/namespaces/default/services/kubernetes')).body['spec']).toMatchObject({
      clusterIP: '10.96.0.1',
      ports: [{ port: 443 }],
    });
    await api.del('/api/v1/namespaces/default/services/kubernetes');
    await api.settle();
    expect((await api.get('/api/v1/namespaces/default/services/kubernetes')).status).toBe(200);
  });
});

describe('events', () => {
  const event = { involvedObject: { kind: 'Secret', namespace: 'default', name: 's' }, reason: 'R', message: 'm', type: 'Normal' };

  it('apiserver/EVT-01: core and events.k8s.io show the same events', async () => {
    await api.post('/api/v1/namespaces/default/events', { metadata: { name: 'e' }, ...event });
    const { body } = await api.get('/apis/events.k8s.io/v1/namespaces/default/events/e');
    expect(body).toMatchObject({ apiVersion: 'events.k8s.io/v1', regarding: { name: 's' }, note: 'm', reason: 'R' });
    await api.post('/apis/events.k8s.io/v1/namespaces/default/events', {
      metadata: { name: 'f' },
      regarding: { kind: 'Secret', namespace: 'default', name: 's' },
      note: 'n',
      reason: 'Q',
      action: 'A',
      type: 'Normal',
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'c',
      reportingInstance: 'i',
    });
    expect((await api.get('/api/v1/namespaces/default/events/f')).body).toMatchObject({
      involvedObject: { name: 's' },
      message: 'n',
      reportingComponent: 'c',
    });
    const selected = await api.get('/api/v1/events?fieldSelector=involvedObject.name=s,involvedObject.kind=Secret,reason=Q');
    expect(selected.body.items.map((item) => item.metadata.name)).toEqual(['f']);
    expect((await api.get('/apis/events.k8s.io/v1/events?fieldSelector=regarding.name=s')).body.items).toHaveLength(2);
  });

  it('apiserver/EVT-01: an event stands in the namespace of what it is about', async () => {
    const answer = await api.post('/api/v1/namespaces/kube-public/events', { metadata: { name: 'e' }, ...event });
    expect(answer.body.message).toContain('involvedObject.namespace: Invalid value: "default": does not match event.namespace');
    const cluster = { ...event, involvedObject: { kind: 'Node', name: 'n' } };
    expect((await api.post('/api/v1/namespaces/kube-public/events', { metadata: { name: 'e' }, ...cluster })).status).toBe(422);
    expect((await api.post('/api/v1/namespaces/default/events', { metadata: { name: 'e' }, ...cluster })).status).toBe(201);
  });

  it('apiserver/EVT-01: events go an hour after their last write', async () => {
    await api.post('/api/v1/namespaces/default/events', { metadata: { name: 'e' }, ...event });
    await api.settle(30 * 60_000);
    await api.patch('/api/v1/namespaces/default/events/e', 'merge', { count: 2 });
    await api.settle(45 * 60_000);
    expect((await api.get('/api/v1/namespaces/default/events/e')).status).toBe(200);
    await api.settle(20 * 60_000);
    expect((await api.get('/api/v1/namespaces/default/events/e')).status).toBe(404);
  });
});
