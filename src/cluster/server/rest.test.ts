import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from './testing.ts';

const SECRETS = '/api/v1/namespaces/default/secrets';
const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Record<string, string> = { a: '1' }): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
});
afterEach(() => api.close());

describe('paths and reading', () => {
  it('REST-01: namespaces/N/status is a subresource of the namespace, anything else after N a namespaced resource', async () => {
    expect((await api.get('/api/v1/namespaces/default/status')).body.kind).toBe('Namespace');
    expect((await api.get(CONFIGMAPS)).body.kind).toBe('ConfigMapList');
    expect((await api.get('/api/v1/nothings')).status).toBe(404);
    expect((await api.get('/apis/nope.io/v1/things')).body.message).toBe('the server could not find the requested resource');
    expect((await api.post('/api/v1/configmaps', configMap('x'))).status).toBe(404);
  });

  it('REST-02: GET answers the object, or 404 NotFound with details', async () => {
    await api.post(CONFIGMAPS, configMap('c'));
    expect((await api.get(`${CONFIGMAPS}/c?resourceVersion=0`)).body.metadata.name).toBe('c');
    const missing = await api.get(`${CONFIGMAPS}/nope`);
    expect(missing.status).toBe(404);
    expect(missing.body).toMatchObject({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'NotFound',
      message: 'configmaps "nope" not found',
      details: { name: 'nope', kind: 'configmaps' },
      code: 404,
    });
  });
});

describe('create', () => {
  it('REST-03: what belongs to the server is wiped and filled', async () => {
    const { status, body } = await api.post(CONFIGMAPS, {
      ...configMap('c'),
      metadata: {
        name: 'c',
        uid: 'mine',
        creationTimestamp: '2000-01-01T00:00:00Z',
        deletionTimestamp: '2000-01-01T00:00:00Z',
        selfLink: '/x',
      },
    });
    expect(status).toBe(201);
    expect(body.metadata).toMatchObject({ namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' });
    expect(body.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(body.metadata.deletionTimestamp).toBeUndefined();
    expect(body.metadata).not.toHaveProperty('selfLink');
  });

  it.each([
    [
      'another version',
      { ...configMap('c'), apiVersion: 'v2' },
      400,
      'the API version in the data (v2) does not match the expected API version (v1)',
    ],
    ['another kind', { ...configMap('c'), kind: 'Secret' }, 400, 'cannot be handled as a ConfigMap'],
    [
      'another namespace',
      { ...configMap('c'), metadata: { name: 'c', namespace: 'other' } },
      400,
      'the namespace of the provided object does not match',
    ],
    [
      'a resourceVersion',
      { ...configMap('c'), metadata: { name: 'c', resourceVersion: '5' } },
      500,
      'resourceVersion should not be set on objects to be created',
    ],
    ['no name', { ...configMap('c'), metadata: {} }, 422, 'metadata.name: Required value: name or generateName is required'],
    ['a name that is no DNS subdomain', configMap('A_b'), 422, 'metadata.name: Invalid value: "A_b"'],
    ['a list as body', [1], 400, 'expected an object'],
    ['data of a wrong type', { ...configMap('c'), data: { a: 1 } }, 400, 'data[a] has the wrong type'],
  ])('REST-03: %s is refused', async (_what, body, code, message) => {
    const answer = await api.post(CONFIGMAPS, body);
    expect(answer.status).toBe(code);
    expect(answer.body.message).toContain(message);
  });

  it('REST-03: an object that exists is 409 AlreadyExists', async () => {
    await api.post(CONFIGMAPS, configMap('c'));
    const answer = await api.post(CONFIGMAPS, configMap('c'));
    expect(answer).toMatchObject({ status: 409, body: { reason: 'AlreadyExists', message: 'configmaps "c" already exists' } });
  });

  it('REST-03: equal owner references are sent once, with a warning', async () => {
    const owner = {
      apiVersion: 'v1',
      kind: 'Namespace',
      name: 'default',
      uid: (await api.get('/api/v1/namespaces/default')).body.metadata.uid,
    };
    const answer = await api.post(CONFIGMAPS, { ...configMap('c'), metadata: { name: 'c', ownerReferences: [owner, owner] } });
    expect(answer.body.metadata.ownerReferences).toHaveLength(1);
    expect(answer.headers['warning']).toContain('duplicate entries');
  });

  it('REST-04: generateName cuts the base to 58 characters and adds five of the alphabet; a name wins over it', async () => {
    const long = 'x'.repeat(70);
    const answer = await api.post(CONFIGMAPS, { ...configMap(''), metadata: { generateName: long } });
    expect(answer.body.metadata.name).toMatch(new RegExp(`^x{58}[bcdfghjklmnpqrstvwxz2456789]{5}$`));
    const named = await api.post(CONFIGMAPS, { ...configMap(''), metadata: { generateName: 'g-', name: 'n' } });
    expect(named.body.metadata.name).toBe('n');
  });

  it('REST-07: dryRun=All goes through everything and stores nothing', async () => {
    const before = api.cluster.store.revision;
    const answer = await api.post(`${CONFIGMAPS}?dryRun=All`, configMap('c'));
    expect(answer.status).toBe(201);
    expect(answer.body.metadata.uid).toBeDefined();
    expect(answer.body.metadata.resourceVersion).toBeUndefined();
    expect(api.cluster.store.revision).toBe(before);
    expect((await api.get(`${CONFIGMAPS}/c`)).status).toBe(404);
    expect((await api.post(`${CONFIGMAPS}?dryRun=Some`, configMap('c'))).status).toBe(422);
    const made = await api.post(CONFIGMAPS, configMap('c'));
    const changed = await api.patch(`${CONFIGMAPS}/c?dryRun=All`, 'merge', { data: { a: '2' } });
    expect(changed.body.metadata.resourceVersion).toBe(made.body.metadata.resourceVersion);
    await api.del(`${CONFIGMAPS}/c`, { dryRun: ['All'] });
    expect((await api.get(`${CONFIGMAPS}/c`)).body['data']).toEqual({ a: '1' });
  });

  it('REST-08: an unknown field warns, is silent with Ignore, and is an error with Strict', async () => {
    const body = { ...configMap('c'), nope: 1 };
    const warned = await api.post(CONFIGMAPS, body);
    expect(warned.headers['warning']).toBe('299 - "unknown field \\"nope\\""');
    expect(warned.body).not.toHaveProperty('nope');
    expect(
      (await api.post(`${CONFIGMAPS}?fieldValidation=Ignore`, { ...body, metadata: { name: 'd' } })).headers['warning'],
    ).toBeUndefined();
    const strict = await api.post(`${CONFIGMAPS}?fieldValidation=Strict`, body);
    expect(strict.body).toMatchObject({
      code: 400,
      message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "nope"',
    });
    expect((await api.post(`${CONFIGMAPS}?fieldValidation=Maybe`, body)).status).toBe(422);
    const patched = await api.patch(`${CONFIGMAPS}/c?fieldValidation=Strict`, 'merge', { nope: 'sesame' });
    expect(patched.status).toBe(422);
    expect(JSON.stringify(patched.body)).not.toContain('sesame');
  });
});

describe('update', () => {
  it('REST-05: name and namespace must match the path, uid and resourceVersion the stored object', async () => {
    const { body: made } = await api.post(CONFIGMAPS, configMap('c'));
    expect((await api.put(`${CONFIGMAPS}/c`, configMap('d'))).status).toBe(400);
    const stale = await api.put(`${CONFIGMAPS}/c`, { ...made, metadata: { ...made.metadata, resourceVersion: '1' } });
    expect(stale.body).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "c": the object has been modified; please apply your changes to the latest version and try again',
    });
    expect((await api.put(`${CONFIGMAPS}/c`, { ...configMap('c'), metadata: { name: 'c', uid: 'other' } })).status).toBe(409);
    const free = await api.put(`${CONFIGMAPS}/c`, configMap('c', { b: '2' }));
    expect(free).toMatchObject({ status: 200, body: { data: { b: '2' }, metadata: { uid: made.metadata.uid } } });
    expect((await api.put(`${CONFIGMAPS}/nope`, configMap('nope'))).status).toBe(404);
    const marked = await api.put(`${CONFIGMAPS}/c`, {
      ...configMap('c'),
      metadata: { name: 'c', deletionTimestamp: '2026-01-01T00:00:00Z' },
    });
    expect(marked.status).toBe(422);
  });

  it('REST-05: a Lease is created by PUT, and needs a resourceVersion to be changed', async () => {
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l';
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec: { holderIdentity: 'a' } };
    const created = await api.put(path, lease);
    expect(created.status).toBe(201);
    const refused = await api.put(path, lease);
    expect(refused.body.message).toBe(
      'leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
    const taken = await api.put(path, { ...created.body, spec: { holderIdentity: 'b' } });
    expect(taken).toMatchObject({ status: 200, body: { spec: { holderIdentity: 'b' } } });
  });

  it('LEASE-01: two holders that race for a Lease: the second one loses by its resourceVersion', async () => {
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const { body: lease } = await api.post(path, { metadata: { name: 'l' }, spec: { holderIdentity: '' } });
    const [first, second] = await Promise.all([
      api.put(`${path}/l`, { ...lease, spec: { holderIdentity: 'a' } }),
      api.put(`${path}/l`, { ...lease, spec: { holderIdentity: 'b' } }),
    ]);
    expect([first.status, second.status].toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  it('REST-06: a write that changes nothing keeps the resourceVersion and tells no watcher', async () => {
    const { body: made } = await api.post(CONFIGMAPS, configMap('c'));
    const watch = await api.watch(`${CONFIGMAPS}?resourceVersion=${made.metadata.resourceVersion ?? ''}`);
    await api.settle(5_000);
    const same = await api.put(`${CONFIGMAPS}/c`, configMap('c'));
    expect(same.body.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const patched = await api.patch(`${CONFIGMAPS}/c`, 'merge', { data: { a: '1' } });
    expect(patched.body.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    expect(await watch.take()).toEqual([]);
    watch.stop();
  });

  it('REST-09: generation counts spec changes of workloads, also annotations of Deployments, and is absent elsewhere', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const made = await api.post(path, { metadata: { name: 'd' }, spec: { selector: { matchLabels: { app: 'x' } }, template } });
    expect(made.body.metadata.generation).toBe(1);
    expect((await api.patch(`${path}/d`, 'merge', { metadata: { labels: { a: 'b' } } })).body.metadata.generation).toBe(1);
    expect((await api.patch(`${path}/d`, 'merge', { metadata: { annotations: { a: 'b' } } })).body.metadata.generation).toBe(2);
    expect((await api.patch(`${path}/d`, 'merge', { spec: { replicas: 3 } })).body.metadata.generation).toBe(3);
    expect((await api.post(CONFIGMAPS, configMap('c'))).body.metadata).not.toHaveProperty('generation');
  });

  it('REST-10: the main endpoint ignores status, /status ignores everything else', async () => {
    const path = '/apis/apps/v1/namespaces/default/statefulsets';
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const made = await api.post(path, {
      metadata: { name: 's' },
      spec: { replicas: 0, serviceName: 's', selector: { matchLabels: { app: 'x' } }, template },
      status: { replicas: 77 },
    });
    expect(made.body['status']).not.toMatchObject({ replicas: 77 });
    await api.settle();
    const main = await api.patch(`${path}/s`, 'merge', { status: { replicas: 9 } });
    expect(main.body['status']).not.toMatchObject({ replicas: 9 });
    const status = await api.patch(`${path}/s/status`, 'merge', { spec: { replicas: 5 }, status: { currentReplicas: 4 } });
    expect(status.body['spec']).toMatchObject({ replicas: 0 });
    expect(status.body['status']).toMatchObject({ currentReplicas: 4 });
  });

  it('REST-11: /scale reads and changes the replicas', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await api.post(path, { metadata: { name: 'd' }, spec: { replicas: 2, selector: { matchLabels: { app: 'x' } }, template } });
    await api.settle();
    const scale = await api.get(`${path}/d/scale`);
    expect(scale.body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 2 },
      status: { replicas: 2, selector: 'app=x' },
    });
    expect((await api.patch(`${path}/d/scale`, 'merge', { spec: { replicas: 4 } })).body['spec']).toEqual({ replicas: 4 });
    expect((await api.put(`${path}/d/scale`, { spec: { replicas: 5 } })).body['spec']).toEqual({ replicas: 5 });
    expect((await api.get(`${path}/d`)).body['spec']).toMatchObject({ replicas: 5 });
    expect((await api.patch(`${path}/d/scale`, 'merge', { spec: { replicas: -1 } })).status).toBe(422);
  });

  it('REST-14: subresources that need a kubelet do not exist', async () => {
    await api.post('/api/v1/namespaces/default/pods', { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
    expect((await api.get('/api/v1/namespaces/default/pods/p/log')).status).toBe(404);
  });
});

describe('secrets and config maps', () => {
  it('SEC-01: stringData lands in data, the type is Opaque and does not change', async () => {
    const made = await api.post(SECRETS, { metadata: { name: 's' }, data: { a: 'eA==' }, stringData: { a: 'y', b: 'z' } });
    expect(made.body).toMatchObject({ type: 'Opaque', data: { a: 'eQ==', b: 'eg==' } });
    expect(made.body).not.toHaveProperty('stringData');
    const changed = await api.put(`${SECRETS}/s`, {
      metadata: { name: 's' },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': '', 'tls.key': '' },
    });
    expect(changed.status).toBe(422);
  });

  it('SEC-01: an immutable Secret keeps its data, its metadata stays editable', async () => {
    await api.post(SECRETS, { metadata: { name: 's' }, stringData: { a: 'sesame' }, immutable: true });
    const refused = await api.patch(`${SECRETS}/s`, 'merge', { stringData: { a: 'other' } });
    expect(refused.status).toBe(422);
    expect(refused.body.message).toContain('field is immutable when `immutable` is set');
    expect(JSON.stringify(refused.body)).not.toMatch(/sesame|other|c2VzYW1l/);
    expect((await api.patch(`${SECRETS}/s`, 'merge', { metadata: { labels: { a: 'b' } } })).status).toBe(200);
  });

  it('CM-01: keys of data and binaryData do not overlap', async () => {
    const answer = await api.post(CONFIGMAPS, { metadata: { name: 'c' }, data: { a: '1' }, binaryData: { a: 'eA==' } });
    expect(answer.status).toBe(422);
  });
});

describe('limits', () => {
  it('LIM-01: an object of more than 1.5 MiB is 413', async () => {
    const answer = await api.post(SECRETS, { metadata: { name: 's', labels: {} }, data: {}, type: 'x'.repeat(1_600_000) });
    expect(answer).toMatchObject({ status: 413, body: { reason: 'RequestEntityTooLarge' } });
  });

  it('apiserver/SSA-15: managed fields give way when they make an object too large', async () => {
    const data = Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`key-${'k'.repeat(15)}-${i}`, '']));
    const made = await api.post(CONFIGMAPS, configMap('c', data));
    expect(made.status).toBe(201);
    expect(made.body.metadata).toHaveProperty('managedFields');
    const more = Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`more-${'m'.repeat(15)}-${i}`, '']));
    const grown = await api.patch(`${CONFIGMAPS}/c`, 'merge', { data: more });
    expect(grown.status).toBe(200);
    expect(grown.body.metadata).not.toHaveProperty('managedFields');
  });
});

describe('bad input', () => {
  it('keys of prototypes are ordinary keys of data', async () => {
    const body: unknown = JSON.parse('{"metadata":{"name":"c"},"data":{"__proto__":"1","constructor":"2"}}');
    const made = await api.post(CONFIGMAPS, body);
    expect(made.status).toBe(201);
    expect(Object.keys(made.body['data'] as object)).toEqual(['__proto__', 'constructor']);
    const patch: unknown = JSON.parse('{"data":{"__proto__":null}}');
    const patched = await api.patch(`${CONFIGMAPS}/c`, 'merge', patch);
    expect(Object.keys(patched.body['data'] as object)).toEqual(['constructor']);
  });

  it('deep nesting is refused', async () => {
    let deep: unknown = 'x';
    for (let i = 0; i < 2000; i++) deep = { a: deep };
    expect((await api.post(CONFIGMAPS, { metadata: { name: 'c' }, deep })).status).toBe(400);
  });

  it('a method that makes no sense is 405', async () => {
    const answer = await api.post(`${CONFIGMAPS}/c`, configMap('c'));
    expect(answer).toMatchObject({ status: 405, body: { reason: 'MethodNotAllowed' } });
  });
});
