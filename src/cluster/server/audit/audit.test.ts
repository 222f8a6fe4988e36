import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import type { UserInfo } from '../../../kube/client/index.ts';
import { testCluster, type TestCluster } from '../testing.ts';
import { auditFile, parseAuditPolicy, type AuditEvent, type AuditPolicy, type AuditSink } from './index.ts';

const alice: UserInfo = { username: 'alice', groups: ['dev', 'system:authenticated'] };
const MARKER = 'TOP-SECRET-VALUE';
const SECRETS = '/api/v1/namespaces/default/secrets';

let api: TestCluster | undefined;
afterEach(() => api?.close());

async function recorded(policy?: AuditPolicy): Promise<{ api: TestCluster; take: () => AuditEvent[] }> {
  let events: AuditEvent[] = [];
  const sink: AuditSink = { write: (event) => void events.push(event) };
  api = await testCluster({ authorization: 'rbac', audit: { sink, ...(policy === undefined ? {} : { policy }) } });
  return {
    api,
    take: () => {
      const taken = events;
      events = [];
      return taken;
    },
  };
}

const policyOf = (rules: readonly object[], more: object = {}): AuditPolicy =>
  parseAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, ...more });

describe('audit', () => {
  it('AUD-01: who did what to which object, when, and whether it was allowed', async () => {
    const { api, take } = await recorded();
    await api.post(SECRETS, { metadata: { name: 's' } }, { headers: { 'user-agent': 'test/1' } });
    await api.get(`${SECRETS}/s?pretty=true`, { user: alice });
    const [created, refused] = take();
    expect(created).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      stage: 'ResponseComplete',
      requestURI: SECRETS,
      verb: 'create',
      user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      userAgent: 'test/1',
      sourceIPs: ['127.0.0.1'],
      objectRef: { resource: 'secrets', namespace: 'default', name: 's', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    });
    expect(created?.['requestReceivedTimestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(refused).toMatchObject({
      verb: 'get',
      requestURI: `${SECRETS}/s?pretty=true`,
      objectRef: { name: 's' },
      responseStatus: { status: 'Failure', reason: 'Forbidden', code: 403 },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    });
  });

  it('AUD-01: the id of the record is answered, and taken from the client when it sent one', async () => {
    const { api, take } = await recorded();
    const given = await api.get(SECRETS, { headers: { 'audit-id': 'mine-1' } });
    const made = await api.get(SECRETS);
    expect(given.headers['audit-id']).toBe('mine-1');
    expect(made.headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(take().map(({ auditID }) => auditID)).toEqual(['mine-1', made.headers['audit-id']]);
    const unrecorded = await testCluster();
    expect((await unrecorded.get(SECRETS)).headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
    await unrecorded.close();
  });

  it('AUD-01 and AUTHN-04: the caller, and whom it impersonated', async () => {
    const { api, take } = await recorded();
    await api.get(SECRETS, { headers: { 'impersonate-user': 'bob', 'impersonate-group': 'ops' } });
    expect(take()).toMatchObject([
      { user: { username: 'admin' }, impersonatedUser: { username: 'bob', groups: ['ops', 'system:authenticated'] } },
    ]);
    await api.get(SECRETS);
    expect(take()[0]).not.toHaveProperty('impersonatedUser');
  });

  it('AUD-01: a watch is recorded when it starts and when it ends', async () => {
    const { api, take } = await recorded();
    const watch = await api.watch(SECRETS);
    await watch.take();
    expect(take().map(({ stage, verb }) => [stage, verb])).toEqual([['ResponseStarted', 'watch']]);
    watch.stop();
    await api.settle();
    expect(take().map(({ stage }) => stage)).toEqual(['ResponseComplete']);
  });

  it('AUD-01: what the server failed at is a panic', async () => {
    const events: AuditEvent[] = [];
    let isBroken = false;
    api = await testCluster({
      audit: { sink: { write: (event) => void events.push(event) } },
      authorize: () => {
        if (isBroken) throw new Error(MARKER);
        return { allowed: true };
      },
    });
    isBroken = true;
    expect((await api.get(SECRETS)).status).toBe(500);
    expect(events).toMatchObject([{ stage: 'Panic', responseStatus: { code: 500, reason: 'InternalError' } }]);
    expect(JSON.stringify(events)).not.toContain(MARKER);
  });

  it('AUD-01 and RBAC-05: the reason of the decision; uid and version that were sent', async () => {
    const { api, take } = await recorded(policyOf([{ level: 'Request', verbs: ['get', 'update'] }], { omitStages: ['RequestReceived'] }));
    await api.post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'b' },
      subjects: [{ kind: 'User', name: 'alice', apiGroup: 'rbac.authorization.k8s.io' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    });
    const { body } = await api.post(SECRETS, { metadata: { name: 's' } });
    await api.put(`${SECRETS}/s`, body, { user: alice });
    const { uid, resourceVersion } = body.metadata;
    expect(take()).toMatchObject([
      {
        objectRef: { name: 's', uid, resourceVersion },
        annotations: {
          'authorization.k8s.io/reason': 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "cluster-admin" to User "alice"',
        },
      },
    ]);
  });

  it('AUD-01: a credential that nobody knows', async () => {
    const { api, take } = await recorded();
    await api.raw({ url: SECRETS, headers: { authorization: `Bearer ${MARKER}` } }, { remote: true });
    const events = take();
    expect(events).toMatchObject([{ stage: 'ResponseStarted', user: { username: '' }, responseStatus: { code: 401 } }]);
    expect(JSON.stringify(events)).not.toContain(MARKER);
  });

  it('AUD-02: by default no content of Secrets, ConfigMaps, token requests and reviews, whatever is done', async () => {
    const { api, take } = await recorded();
    const value = Buffer.from(MARKER).toString('base64');
    await api.post(SECRETS, { metadata: { name: 's' }, data: { k: value } });
    await api.patch(`${SECRETS}/s`, 'merge', { stringData: { k: MARKER } });
    await api.get(SECRETS);
    await api.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'c' }, data: { k: MARKER } });
    await api.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: MARKER } });
    const { body } = await api.post('/api/v1/namespaces/default/serviceaccounts/default/token', {});
    const { token } = body.status as unknown as { token: string };
    const events = take();
    expect(events.map(({ level }) => level)).toEqual(['Metadata', 'Metadata', 'Metadata', 'Metadata', 'Metadata', 'Metadata']);
    const text = JSON.stringify(events);
    for (const secret of [MARKER, value, token]) expect(text).not.toContain(secret);
  });

  it('AUD-02: objects by level, without managed fields when the policy says so, and stages left out', async () => {
    const rules = [
      { level: 'Request', resources: [{ group: '', resources: ['configmaps'], resourceNames: ['quiet'] }] },
      {
        level: 'RequestResponse',
        resources: [{ group: '', resources: ['configmaps'] }],
        omitManagedFields: true,
        omitStages: ['RequestReceived'],
      },
    ];
    const { api, take } = await recorded(policyOf(rules));
    await api.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'c' }, data: { a: '1' } });
    expect(take()).toMatchObject([{ requestObject: { data: { a: '1' } }, responseObject: { data: { a: '1' }, metadata: { name: 'c' } } }]);
    await api.patch('/api/v1/namespaces/default/configmaps/c', 'merge', { data: { a: '2' } });
    expect(JSON.stringify(take())).not.toContain('managedFields');
    await api.patch('/api/v1/namespaces/default/configmaps/quiet', 'merge', { data: { a: '2' } });
    const quiet = take();
    expect(quiet.map(({ stage }) => stage)).toEqual(['RequestReceived', 'ResponseComplete']);
    expect(quiet[1]).toMatchObject({ requestObject: { data: { a: '2' } } });
    expect(quiet[1]).not.toHaveProperty('responseObject');
    await api.get(SECRETS);
    expect(take()).toEqual([]);
  });

  it.each([
    ['a user', { users: ['alice'] }, true],
    ['another user', { users: ['bob'] }, false],
    ['a group', { userGroups: ['ops', 'dev'] }, true],
    ['a verb', { verbs: ['list'] }, false],
    ['a namespace', { namespaces: ['default'] }, true],
    ['another namespace', { namespaces: ['a'] }, false],
    ['a subresource', { resources: [{ group: 'apps', resources: ['deployments/scale'] }] }, true],
    ['a subresource of everything', { resources: [{ group: 'apps', resources: ['*/scale'] }] }, true],
    ['everything of a resource', { resources: [{ group: 'apps', resources: ['deployments/*'] }] }, true],
    ['the resource without its subresource', { resources: [{ group: 'apps', resources: ['deployments'] }] }, false],
    ['a group of resources', { resources: [{ group: 'apps' }] }, true],
    ['another group of resources', { resources: [{ group: '' }] }, false],
    ['a name', { resources: [{ group: 'apps', resources: ['*'], resourceNames: ['d'] }] }, true],
    ['a path', { nonResourceURLs: ['*'] }, false],
  ])('AUD-02: the first rule that matches decides: %s', async (_title, rule, matches) => {
    const { api, take } = await recorded(policyOf([{ level: 'Metadata', omitStages: ['RequestReceived'], ...rule }]));
    await api.get('/apis/apps/v1/namespaces/default/deployments/d/scale', { user: alice });
    expect(take()).toHaveLength(matches ? 1 : 0);
  });

  it('AUD-02: a policy that makes no sense is refused with what is wrong', () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [{}, 'expected apiVersion'],
      [{ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [] }, 'rules: expected at least one'],
      [{ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'All' }] }, 'rules[0].level'],
      [
        { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None', namespaces: ['a'], nonResourceURLs: ['*'] }] },
        'rules[0].nonResourceURLs',
      ],
    ];
    for (const [value, text] of cases) expect(() => parseAuditPolicy(value)).toThrow(text);
  });

  it('AUD-01: a file of lines that only its owner can read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-'));
    const path = join(folder, 'audit.log');
    writeFileSync(path, '', { mode: 0o644 });
    api = await testCluster({ audit: { sink: auditFile(path) } });
    await api.get(SECRETS);
    await api.get('/version');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as AuditEvent).requestURI)).toEqual([SECRETS]);
    rmSync(folder, { recursive: true });
  });

  it('a sink that fails changes no answer', async () => {
    const sink: AuditSink = {
      write: () => {
        throw new Error('disk full');
      },
    };
    api = await testCluster({ audit: { sink } });
    expect((await api.get(SECRETS)).status).toBe(200);
  });
});
