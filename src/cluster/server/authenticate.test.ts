import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { UserInfo } from '../../kube/client/index.ts';
import type { ApiResponse } from '../../kube/client/index.ts';
import type { Attributes } from '../registry/index.ts';
import { testCluster, type TestCluster } from './testing.ts';

const REVIEW = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const asked: Attributes[] = [];
let refuse: (attributes: Attributes) => boolean = () => false;

let api: TestCluster;
beforeEach(async () => {
  asked.length = 0;
  refuse = () => false;
  api = await testCluster({
    authenticators: [(token) => (token === 'good' ? { username: 'alice', groups: ['team'] } : undefined)],
    authorize: (attributes) => {
      asked.push(attributes);
      return { allowed: !refuse(attributes), reason: 'because' };
    },
  });
  asked.length = 0;
});
afterEach(() => api.close());

const whoami = (headers: Record<string, string>, user?: UserInfo): Promise<ApiResponse> =>
  api.raw(
    { url: REVIEW, method: 'POST', headers, body: { kind: 'json', value: {} }, ...(user === undefined ? {} : { user }) },
    { remote: true },
  );
const valueOf = ({ body }: ApiResponse): unknown => (body.kind === 'json' ? body.value : undefined);
const userOf = (response: ApiResponse): unknown => (valueOf(response) as { status: { userInfo: unknown } }).status.userInfo;

describe('authentication', () => {
  it('AUTHN-02 and TOK-04: a bearer token that is known, in the group of authenticated users', async () => {
    const answer = await whoami({ authorization: 'Bearer good' });
    expect(answer.status).toBe(201);
    expect(userOf(answer)).toEqual({ username: 'alice', groups: ['team', 'system:authenticated'] });
  });

  it('AUTHN-03: nobody is anonymous, a bad credential is 401', async () => {
    expect(userOf(await whoami({}))).toEqual({ username: 'system:anonymous', groups: ['system:unauthenticated'] });
    for (const authorization of ['Bearer bad', 'Basic eDp5', 'Bearer']) {
      const answer = await whoami({ authorization });
      expect(valueOf(answer)).toMatchObject({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
    }
  });

  it('AUTHN-01: the user that the transport authenticated', async () => {
    expect(userOf(await whoami({}, { username: 'bob', groups: ['ops'] }))).toEqual({
      username: 'bob',
      groups: ['ops', 'system:authenticated'],
    });
  });
});

describe('impersonation', () => {
  const good = { authorization: 'Bearer good' };

  it('AUTHN-04: user, groups, uid and extra, each asked for', async () => {
    const answer = await whoami({
      ...good,
      'impersonate-user': 'carol',
      'impersonate-group': 'a, b',
      'impersonate-uid': '7',
      'impersonate-extra-acme.com%2fproject': 'x',
    });
    expect(userOf(answer)).toEqual({
      username: 'carol',
      uid: '7',
      groups: ['a', 'b', 'system:authenticated'],
      extra: { 'acme.com/project': ['x'] },
    });
    expect(
      asked
        .filter(({ verb }) => verb === 'impersonate')
        .map(({ user, group, resource, subresource, name }) => [user.username, group, resource, subresource, name]),
    ).toEqual([
      ['alice', '', 'users', '', 'carol'],
      ['alice', '', 'groups', '', 'a'],
      ['alice', '', 'groups', '', 'b'],
      ['alice', 'authentication.k8s.io', 'uids', '', '7'],
      ['alice', 'authentication.k8s.io', 'userextras', 'acme.com/project', 'x'],
    ]);
    expect(asked.at(-1)?.user.username).toBe('carol');
  });

  it('AUTHN-04: a service account gets its groups; it is asked for as such', async () => {
    const answer = await whoami({ ...good, 'impersonate-user': 'system:serviceaccount:ns:sa' });
    expect(userOf(answer)).toEqual({
      username: 'system:serviceaccount:ns:sa',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
    });
    expect(asked[0]).toMatchObject({ resource: 'serviceaccounts', namespace: 'ns', name: 'sa' });
    expect(userOf(await whoami({ ...good, 'impersonate-user': 'system:anonymous' }))).toMatchObject({ groups: ['system:unauthenticated'] });
  });

  it('AUTHN-04: groups without a user are 400, a refused piece is 403', async () => {
    expect(valueOf(await whoami({ ...good, 'impersonate-group': 'a' }))).toMatchObject({ code: 400 });
    refuse = ({ resource }) => resource === 'groups';
    expect(valueOf(await whoami({ ...good, 'impersonate-user': 'carol', 'impersonate-group': 'a' }))).toMatchObject({
      code: 403,
      message: 'groups "a" is forbidden: User "alice" cannot impersonate resource "groups" in API group "" at the cluster scope: because',
    });
  });
});

describe('authorization', () => {
  it('403 names user, verb, resource and scope, escapes, and must not be sniffed', async () => {
    refuse = () => true;
    const answer = await api.raw(
      { url: '/apis/apps/v1/namespaces/x/deployments/d/status', user: { username: '<b>', groups: [] } },
      { remote: true },
    );
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(valueOf(answer)).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message:
        'deployments.apps "d" is forbidden: User "&lt;b&gt;" cannot get resource "deployments/status" in API group "apps" in the namespace "x": because',
    });
    const document = await api.raw({ url: '/metrics', user: { username: 'u', groups: [] } }, { remote: true });
    expect(valueOf(document)).toMatchObject({ message: 'forbidden: User "u" cannot get path "/metrics": because' });
  });

  it('REST-01: a list that pins a name asks for that name', async () => {
    await api.get('/api/v1/namespaces/default/secrets?fieldSelector=metadata.name=s');
    expect(asked.at(-1)).toMatchObject({ verb: 'list', resource: 'secrets', name: 's' });
  });

  it('apiserver/SSA-01 and REST-05: creating by apply or PUT asks for create as well', async () => {
    refuse = ({ verb }) => verb === 'create';
    const applied = await api.patch('/api/v1/namespaces/default/configmaps/c?fieldManager=x', 'apply', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c' },
    });
    expect(applied.status).toBe(403);
    const put = await api.put('/apis/coordination.k8s.io/v1/namespaces/default/leases/l', { metadata: { name: 'l' } });
    expect(put.status).toBe(403);
  });

  it('RBAC-05: reviews ask the authorizer about oneself or somebody else', async () => {
    refuse = ({ user, resource }) => user.username === 'dave' && resource === 'secrets';
    const attributes = { resourceAttributes: { verb: 'get', resource: 'secrets', namespace: 'x' } };
    const self = await api.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: attributes });
    expect(self).toMatchObject({ status: 201, body: { status: { allowed: true } } });
    const other = await api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec: { ...attributes, user: 'dave' } });
    expect(other.body['status']).toMatchObject({ allowed: false, reason: 'because' });
    expect((await api.get('/apis/authorization.k8s.io/v1/subjectaccessreviews')).status).toBe(405);
    const rules = await api.post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: { namespace: 'x' } });
    expect(rules.body['status']).toMatchObject({
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      incomplete: false,
    });
  });
});

describe('without an authorizer of its own', () => {
  it('authenticated users may do everything, nobody only reads public documents', async () => {
    const plain = await testCluster();
    const asNobody = (url: string): Promise<ApiResponse> => plain.raw({ url }, { remote: true });
    expect((await asNobody('/api/v1/namespaces')).status).toBe(403);
    expect((await asNobody('/apis')).status).toBe(403);
    expect((await asNobody('/version')).status).toBe(200);
    expect((await plain.raw({ url: '/api/v1/namespaces', user: { username: 'u', groups: [] } }, { remote: true })).status).toBe(200);
    // In process, a caller that says nothing is the administrator.
    expect((await plain.get('/api/v1/namespaces')).status).toBe(200);
    await plain.close();
  });
});
