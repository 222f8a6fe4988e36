import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from './testing.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const applied = (data: Record<string, string>): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c' },
  data,
});

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
});
afterEach(() => api.close());

describe('patches', () => {
  beforeEach(() => api.post(`${PATH}?fieldManager=maker`, { metadata: { name: 'c' }, data: { a: '1', b: '2' } }));

  it('PATCH-01: unknown media types are 415 with the list; parameters of the type do not matter', async () => {
    const answer = await api.patch(`${PATH}/c`, 'merge', {}, { headers: { 'content-type': 'text/plain' } });
    expect(answer).toMatchObject({ status: 415, body: { reason: 'UnsupportedMediaType' } });
    expect(answer.body.message).toContain('application/apply-patch+yaml');
    const charset = await api.patch(
      `${PATH}/c`,
      'merge',
      { data: { a: '3' } },
      { headers: { 'content-type': 'application/merge-patch+json; charset=utf-8' } },
    );
    expect(charset.status).toBe(200);
  });

  it('PATCH-02: a failing JSON patch operation is 422 with a fixed text, a malformed patch 400', async () => {
    const done = await api.patch(`${PATH}/c`, 'json', [{ op: 'replace', path: '/data/a', value: '9' }]);
    expect(done.body['data']).toEqual({ a: '9', b: '2' });
    const failing = await api.patch(`${PATH}/c`, 'json', [{ op: 'test', path: '/data/a', value: 'sesame' }]);
    expect(failing.body).toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: 'the server rejected our request due to an error in our request',
    });
    expect((await api.patch(`${PATH}/c`, 'json', [{ op: 'fly', path: '/' }])).status).toBe(400);
  });

  it('PATCH-03: merge patches delete with null; anything but an object is 400', async () => {
    expect((await api.patch(`${PATH}/c`, 'merge', { data: { a: null, c: '3' } })).body['data']).toEqual({ b: '2', c: '3' });
    expect((await api.patch(`${PATH}/c`, 'merge', [])).status).toBe(400);
  });

  it('PATCH-04 and PATCH-06: strategic patches merge lists by key; a missing key is 500 without reason', async () => {
    const template = {
      metadata: { labels: { app: 'x' } },
      spec: {
        containers: [
          { name: 'a', image: '1' },
          { name: 'b', image: '2' },
        ],
      },
    };
    const path = '/apis/apps/v1/namespaces/default/deployments';
    await api.post(path, { metadata: { name: 'd' }, spec: { selector: { matchLabels: { app: 'x' } }, template } });
    const patched = await api.patch(`${path}/d`, 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'b', image: '3' }] } } },
    });
    expect(patched.body['spec']).toMatchObject({
      template: {
        spec: {
          containers: [
            { name: 'a', image: '1' },
            { name: 'b', image: '3' },
          ],
        },
      },
    });
    const broken = await api.patch(`${path}/d`, 'strategic', { spec: { template: { spec: { containers: [{ image: '3' }] } } } });
    expect(broken.status).toBe(500);
    expect(broken.body).not.toHaveProperty('reason');
  });

  it('PATCH-05: patches of one moment all take effect; with a resourceVersion the later ones conflict', async () => {
    const all = await Promise.all(['x', 'y', 'z'].map((key) => api.patch(`${PATH}/c`, 'merge', { data: { [key]: '1' } })));
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { body } = await api.get(`${PATH}/c`);
    expect(body['data']).toEqual({ a: '1', b: '2', x: '1', y: '1', z: '1' });
    const { resourceVersion } = body.metadata;
    const pinned = await Promise.all(
      ['p', 'q'].map((key) => api.patch(`${PATH}/c`, 'merge', { metadata: { resourceVersion }, data: { [key]: '1' } })),
    );
    expect(pinned.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect((await api.patch(`${PATH}/nope`, 'merge', {})).status).toBe(404);
  });

  it('PATCH-05: two hundred patches of one moment all get through', async () => {
    const all = await Promise.all(Array.from({ length: 200 }, (_, i) => api.patch(`${PATH}/c`, 'merge', { data: { [`k${i}`]: '1' } })));
    expect(all.every(({ status }) => status === 200)).toBe(true);
    expect(Object.keys((await api.get(`${PATH}/c`)).body['data'] as object)).toHaveLength(202);
  });

  it('PATCH-06: a patch cannot rename, and force is for apply only', async () => {
    expect((await api.patch(`${PATH}/c`, 'merge', { metadata: { name: 'd' } })).status).toBe(400);
    const forced = await api.patch(`${PATH}/c?force=true`, 'merge', {});
    expect(forced.body.message).toBe('PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch');
  });
});

describe('server-side apply', () => {
  const apply = (data: Record<string, string>, manager = 'one', more = ''): ReturnType<TestCluster['patch']> =>
    api.patch(`${PATH}/c?fieldManager=${manager}${more}`, 'apply', applied(data));

  it('apiserver/SSA-01: creates with 201, updates with 200, needs a manager and the right kind', async () => {
    expect((await apply({ a: '1' })).status).toBe(201);
    expect((await apply({ a: '2' })).status).toBe(200);
    const nobody = await api.patch(`${PATH}/c`, 'apply', applied({ a: '1' }));
    expect(nobody.body.message).toBe('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch');
    expect((await api.patch(`${PATH}/c?fieldManager=x`, 'apply', { ...applied({}), kind: 'Secret' })).status).toBe(400);
    const managed = await api.patch(`${PATH}/c?fieldManager=x`, 'apply', { ...applied({}), metadata: { name: 'c', managedFields: [] } });
    expect(managed.body).toMatchObject({ code: 400, message: 'metadata.managedFields must be nil' });
    const gone = await api.patch(`${PATH}/d?fieldManager=x`, 'apply', { ...applied({}), metadata: { name: 'd', uid: 'other' } });
    expect(gone.status).toBe(409);
  });

  it('apiserver/SSA-01: a field that the schema lacks is 500 without reason, whatever fieldValidation says', async () => {
    const answer = await api.patch(`${PATH}/c?fieldManager=x&fieldValidation=Ignore`, 'apply', { ...applied({}), nope: 1 });
    expect(answer.status).toBe(500);
    expect(answer.body).not.toHaveProperty('reason');
    expect(answer.body.message).toBe(
      'failed to create typed patch object (default/c; /v1, Kind=ConfigMap): .nope: field not declared in schema',
    );
  });

  it('apiserver/SSA-03: a conflict names manager and field; force takes it; equal values are shared', async () => {
    await apply({ a: '1' });
    const conflict = await apply({ a: '2' }, 'two');
    expect(conflict.body).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' }] },
    });
    expect((await apply({ a: '1' }, 'two')).status).toBe(200);
    const forced = await apply({ a: '3' }, 'two', '&force=true');
    expect(forced.body['data']).toEqual({ a: '3' });
    expect(forced.body.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['two']);
  });

  it('apiserver/SSA-04: what a manager stops applying goes, unless another owns it', async () => {
    await apply({ a: '1', b: '1', c: '1' });
    await apply({ b: '1' }, 'two');
    expect((await apply({ a: '1' })).body['data']).toEqual({ a: '1', b: '1' });
  });

  it('apiserver/SSA-07: the same configuration again changes nothing', async () => {
    const first = await apply({ a: '1' });
    await api.settle(60_000);
    const second = await apply({ a: '1' });
    expect(second.body.metadata).toEqual(first.body.metadata);
  });

  it('apiserver/SSA-09: an apply to /status owns status only', async () => {
    const path = '/apis/apps/v1/namespaces/default/replicasets';
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await api.post(path, { metadata: { name: 'r' }, spec: { selector: { matchLabels: { app: 'x' } }, template } });
    await api.settle();
    const body = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'r' }, status: { replicas: 1, terminatingReplicas: 3 } };
    const { body: answered } = await api.patch(`${path}/r/status?fieldManager=s&force=true`, 'apply', body);
    const entry = answered.metadata.managedFields?.find(({ manager }) => manager === 's');
    expect(entry).toMatchObject({ operation: 'Apply', subresource: 'status' });
    expect(Object.keys(entry?.fieldsV1 ?? {})).toEqual(['f:status']);
  });

  it('apiserver/SSA-10 and apiserver/SSA-11: an empty list of managers clears tracking; the next apply names who was before', async () => {
    await apply({ a: '1' });
    const cleared = await api.patch(`${PATH}/c`, 'merge', { metadata: { managedFields: [] } });
    expect(cleared.body.metadata).not.toHaveProperty('managedFields');
    const again = await apply({ a: '1', b: '1' }, 'two');
    expect(again.body.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual([
      'two Apply',
      'before-first-apply Update',
    ]);
  });

  it('apiserver/SSA-16: what is posted as stringData is owned as data, what is applied as stringData stays so', async () => {
    const secrets = '/api/v1/namespaces/default/secrets';
    const posted = await api.post(secrets, { metadata: { name: 's' }, stringData: { a: 'x' } });
    expect(posted.body.metadata.managedFields?.[0]?.fieldsV1).toMatchObject({ 'f:data': { 'f:a': {} } });
    const config = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 't' }, stringData: { a: 'x' } };
    const made = await api.patch(`${secrets}/t?fieldManager=one`, 'apply', config);
    expect(made.body['data']).toEqual({ a: 'eA==' });
    expect(made.body.metadata.managedFields?.[0]?.fieldsV1).toMatchObject({ 'f:stringData': { 'f:a': {} } });
    const dropped = await api.patch(`${secrets}/t?fieldManager=one`, 'apply', { ...config, stringData: { b: 'y' } });
    expect(dropped.body['data']).toEqual({ a: 'eA==', b: 'eQ==' });
  });
});
