import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { UserInfo } from '../../kube/client/index.ts';
import { testCluster, type TestCluster } from './testing.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
const GROUP = 'rbac.authorization.k8s.io';
const alice: UserInfo = { username: 'alice', groups: ['dev', 'system:authenticated'] };
const robot: UserInfo = { username: 'system:serviceaccount:a:robot', groups: ['system:serviceaccounts', 'system:authenticated'] };

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster({ authorization: 'rbac' });
  for (const name of ['a', 'b']) await api.post('/api/v1/namespaces', { metadata: { name } });
});
afterEach(() => api.close());

type Rule = Readonly<Record<string, readonly string[]>>;

const secretsRule = (...verbs: string[]): Rule => ({ apiGroups: [''], resources: ['secrets'], verbs });
const asAlice = { kind: 'User', name: 'alice', apiGroup: GROUP };

async function must(answer: Promise<{ status: number; body: unknown }>): Promise<void> {
  const { status, body } = await answer;
  expect([200, 201], JSON.stringify(body)).toContain(status);
}
const clusterRole = (name: string, rules: readonly Rule[], more: object = {}, user?: UserInfo): ReturnType<TestCluster['post']> =>
  api.post(`${RBAC}/clusterroles`, { metadata: { name, ...more }, rules }, user === undefined ? {} : { user });
const role = (namespace: string, name: string, rules: readonly Rule[], user?: UserInfo): ReturnType<TestCluster['post']> =>
  api.post(`${RBAC}/namespaces/${namespace}/roles`, { metadata: { name }, rules }, user === undefined ? {} : { user });
const bind = (
  namespace: string,
  name: string,
  ref: readonly [kind: string, name: string],
  subject: object = asAlice,
  user?: UserInfo,
): ReturnType<TestCluster['post']> =>
  api.post(
    namespace === '' ? `${RBAC}/clusterrolebindings` : `${RBAC}/namespaces/${namespace}/rolebindings`,
    { metadata: { name }, subjects: [subject], roleRef: { apiGroup: GROUP, kind: ref[0], name: ref[1] } },
    user === undefined ? {} : { user },
  );

/** What a SubjectAccessReview says. */
async function may(user: UserInfo, attributes: Readonly<Record<string, string>>): Promise<{ allowed: boolean; reason?: string }> {
  const kind = 'path' in attributes ? 'nonResourceAttributes' : 'resourceAttributes';
  const { body } = await api.post(`${AUTHORIZATION}/subjectaccessreviews`, {
    spec: { user: user.username, groups: user.groups, [kind]: attributes },
  });
  return body.status as unknown as { allowed: boolean; reason?: string };
}

describe('evaluation', () => {
  const CASES: readonly (readonly [string, Rule, Readonly<Record<string, string>>, boolean])[] = [
    ['the verb, group and resource', secretsRule('get'), { verb: 'get', resource: 'secrets', name: 'x' }, true],
    ['another verb', secretsRule('get'), { verb: 'list', resource: 'secrets' }, false],
    ['another group', secretsRule('get'), { verb: 'get', group: 'apps', resource: 'secrets' }, false],
    ['every verb', secretsRule('*'), { verb: 'deletecollection', resource: 'secrets' }, true],
    ['a resource does not cover its subresources', secretsRule('*'), { verb: 'get', resource: 'secrets', subresource: 'x' }, false],
    ['every resource', { apiGroups: [''], resources: ['*'], verbs: ['get'] }, { verb: 'get', resource: 'pods', subresource: 'log' }, true],
    [
      'one subresource of every resource',
      { apiGroups: ['apps'], resources: ['*/scale'], verbs: ['get'] },
      { verb: 'get', group: 'apps', resource: 'deployments', subresource: 'scale' },
      true,
    ],
    [
      'one subresource is not the resource',
      { apiGroups: ['apps'], resources: ['*/scale'], verbs: ['get'] },
      { verb: 'get', group: 'apps', resource: 'deployments' },
      false,
    ],
    ['a name', { ...secretsRule('get'), resourceNames: ['x'] }, { verb: 'get', resource: 'secrets', name: 'x' }, true],
    ['another name', { ...secretsRule('get'), resourceNames: ['x'] }, { verb: 'get', resource: 'secrets', name: 'y' }, false],
    ['a name does not cover a list', { ...secretsRule('list'), resourceNames: ['x'] }, { verb: 'list', resource: 'secrets' }, false],
    ['a name does not cover a creation', { ...secretsRule('*'), resourceNames: ['x'] }, { verb: 'create', resource: 'secrets' }, false],
    [
      'a name does not cover a collection',
      { ...secretsRule('*'), resourceNames: ['x'] },
      { verb: 'deletecollection', resource: 'secrets' },
      false,
    ],
    ['a name does not cover a watch', { ...secretsRule('*'), resourceNames: ['x'] }, { verb: 'watch', resource: 'secrets' }, false],
    ['every path', { nonResourceURLs: ['*'], verbs: ['*'] }, { verb: 'post', path: '/anything/at/all' }, true],
    ['paths are no resources', { nonResourceURLs: ['*'], verbs: ['*'] }, { verb: 'get', resource: 'secrets' }, false],
    ['resources are no paths', { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, { verb: 'get', path: '/metrics' }, false],
    ['a path', { nonResourceURLs: ['/metrics'], verbs: ['get'] }, { verb: 'get', path: '/metrics' }, true],
    ['a path by its start', { nonResourceURLs: ['/logs/*'], verbs: ['get'] }, { verb: 'get', path: '/logs/a/b' }, true],
    ['another path', { nonResourceURLs: ['/metrics'], verbs: ['get'] }, { verb: 'get', path: '/metrics/x' }, false],
  ];
  it.each(CASES)('RBAC-01: %s', async (_title, rule, attributes, allowed) => {
    await must(clusterRole('r', [rule]));
    expect((await may(alice, attributes)).allowed).toBe(false);
    await must(bind('', 'b', ['ClusterRole', 'r']));
    expect((await may(alice, attributes)).allowed).toBe(allowed);
  });

  it('RBAC-01: a binding of a namespace holds there, and never for paths', async () => {
    await must(clusterRole('r', [secretsRule('get'), { nonResourceURLs: ['*'], verbs: ['get'] }]));
    await must(bind('a', 'b', ['ClusterRole', 'r']));
    expect((await may(alice, { verb: 'get', resource: 'secrets', namespace: 'a' })).allowed).toBe(true);
    expect((await may(alice, { verb: 'get', resource: 'secrets', namespace: 'b' })).allowed).toBe(false);
    expect((await may(alice, { verb: 'get', resource: 'secrets' })).allowed).toBe(false);
    expect((await may(alice, { verb: 'get', path: '/metrics' })).allowed).toBe(false);
  });

  it('RBAC-01: a list of one name by a field selector is allowed by that name', async () => {
    await must(role('a', 'r', [{ ...secretsRule('list', 'watch'), resourceNames: ['x'] }]));
    await must(bind('a', 'b', ['Role', 'r']));
    const list = (query: string): Promise<number> =>
      api.get(`/api/v1/namespaces/a/secrets${query}`, { user: alice }).then(({ status }) => status);
    expect([await list(''), await list('?fieldSelector=metadata.name=x'), await list('?fieldSelector=metadata.name=y')]).toEqual([
      403, 200, 403,
    ]);
  });

  it.each([
    ['a user', alice, { kind: 'User', name: 'alice', apiGroup: GROUP }, true],
    ['a group', alice, { kind: 'Group', name: 'dev', apiGroup: GROUP }, true],
    ['a user is not a group', alice, { kind: 'Group', name: 'alice', apiGroup: GROUP }, false],
    ['a service account of the binding’s namespace', robot, { kind: 'ServiceAccount', name: 'robot' }, true],
    ['a service account of another namespace', robot, { kind: 'ServiceAccount', name: 'robot', namespace: 'b' }, false],
  ] as const)('RBAC-02: %s', async (_title, user, subject, allowed) => {
    await must(role('a', 'r', [secretsRule('get')]));
    await api.post(`${RBAC}/namespaces/a/rolebindings`, {
      metadata: { name: 'b' },
      subjects: [subject],
      roleRef: { apiGroup: GROUP, kind: 'Role', name: 'r' },
    });
    expect((await may(user, { verb: 'get', resource: 'secrets', namespace: 'a' })).allowed).toBe(allowed);
  });

  it('RBAC-01: bindings of the cluster are asked before those of the namespace', async () => {
    await must(role('a', 'r', [secretsRule('get')]));
    await must(bind('a', 'near', ['Role', 'r']));
    await must(clusterRole('r', [secretsRule('get')]));
    await must(bind('', 'far', ['ClusterRole', 'r']));
    expect((await may(alice, { verb: 'get', resource: 'secrets', namespace: 'a' })).reason).toContain('ClusterRoleBinding "far"');
  });

  it('RBAC-02: a service account in a binding of the cluster needs its namespace', async () => {
    await must(clusterRole('r', [secretsRule('get')]));
    const { status, body } = await bind('', 'b', ['ClusterRole', 'r'], { kind: 'ServiceAccount', name: 'robot' });
    expect([status, body.details?.causes?.[0]?.field]).toEqual([422, 'subjects[0].namespace']);
    await must(bind('', 'b', ['ClusterRole', 'r'], { kind: 'ServiceAccount', name: 'robot', namespace: 'a' }));
    expect((await may(robot, { verb: 'get', resource: 'secrets', namespace: 'b' })).allowed).toBe(true);
  });

  it('RBAC-01: refusals and missing roles in the text of kube-apiserver', async () => {
    await must(bind('a', 'b', ['Role', 'gone']));
    const { body, status } = await api.get('/api/v1/namespaces/a/secrets/x', { user: alice });
    expect(status).toBe(403);
    expect(body.message).toBe(
      `secrets "x" is forbidden: User "alice" cannot get resource "secrets" in API group "" in the namespace "a": RBAC: role.${GROUP} "gone" not found`,
    );
  });
});

describe('escalation', () => {
  beforeEach(async () => {
    await must(
      clusterRole('rbac', [
        { apiGroups: [GROUP], resources: ['roles', 'rolebindings', 'clusterroles'], verbs: ['create', 'update', 'patch', 'get'] },
      ]),
    );
    await must(bind('', 'rbac', ['ClusterRole', 'rbac']));
    await must(role('a', 'reader', [secretsRule('get')]));
    await must(bind('a', 'reader', ['Role', 'reader']));
  });

  it('RBAC-03: a role may hold what its author has, and no more', async () => {
    await must(role('a', 'ok', [secretsRule('get')], alice));
    const more = await role(
      'a',
      'more',
      [secretsRule('get', 'list', 'watch'), { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] }],
      alice,
    );
    expect(more.status).toBe(403);
    expect(more.body.message).toBe(
      `roles.${GROUP} "more" is forbidden: user "alice" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n` +
        '{APIGroups:[""], Resources:["secrets"], Verbs:["list" "watch"]}\n{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}',
    );
    const wider = await api.patch(`${RBAC}/namespaces/a/roles/ok`, 'merge', { rules: [secretsRule('*')] }, { user: alice });
    expect(wider.status).toBe(403);
    expect(wider.body.message).toContain('{APIGroups:[""], Resources:["secrets"], Verbs:["*"]}');
  });

  it('RBAC-03: the verb escalate lifts that; so does the group of administrators', async () => {
    await must(role('a', 'free', [{ apiGroups: [GROUP], resources: ['roles'], verbs: ['escalate'] }]));
    await must(bind('a', 'free', ['Role', 'free']));
    await must(role('a', 'more', [secretsRule('*')], alice));
    await must(role('b', 'more', [secretsRule('*')], { username: 'root', groups: ['system:masters'] }));
    expect((await role('b', 'other', [secretsRule('*')], alice)).status).toBe(403);
  });

  it('RBAC-03: a binding needs the role’s permissions, or the verb bind', async () => {
    await must(role('a', 'writer', [secretsRule('update')]));
    await must(bind('a', 'again', ['Role', 'reader'], asAlice, alice));
    const refused = await bind('a', 'w', ['Role', 'writer'], asAlice, alice);
    expect(refused.body.message).toContain('{APIGroups:[""], Resources:["secrets"], Verbs:["update"]}');
    expect(refused.status).toBe(403);
    const missing = await bind('a', 'w', ['Role', 'nowhere'], asAlice, alice);
    expect([missing.status, missing.body.message]).toEqual([404, `roles.${GROUP} "nowhere" not found`]);
    await must(role('a', 'binder', [{ apiGroups: [GROUP], resources: ['roles'], verbs: ['bind'], resourceNames: ['writer'] }]));
    await must(bind('a', 'binder', ['Role', 'binder']));
    await must(bind('a', 'w', ['Role', 'writer'], asAlice, alice));
  });

  it('RBAC-03: an aggregation rule needs everything', async () => {
    const { status, body } = await api.post(
      `${RBAC}/clusterroles`,
      { metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { x: 'y' } }] }, rules: [] },
      { user: alice },
    );
    expect(status).toBe(403);
    expect(body.message).toContain('{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}');
  });

  it('RBAC-03: finalizers and owners may be written without the permissions', async () => {
    await must(role('a', 'writer', [secretsRule('update')]));
    const url = `${RBAC}/namespaces/a/roles/writer`;
    await must(api.patch(url, 'merge', { metadata: { finalizers: ['x.io/f'] } }, { user: alice }));
    expect((await api.patch(url, 'merge', { metadata: { labels: { a: 'b' } } }, { user: alice })).status).toBe(403);
  });

  it('RBAC-03: a roleRef never changes', async () => {
    const patch = { roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: 'view' } };
    const { status, body } = await api.patch(`${RBAC}/namespaces/a/rolebindings/reader`, 'merge', patch);
    expect(status).toBe(422);
    expect(body.details?.causes?.[0]?.field).toBe('roleRef');
  });
});

describe('what every cluster has', () => {
  it('RBAC-04: the roles, their bindings, and rules gathered by label', async () => {
    await api.settle(1000);
    const { body } = await api.get(`${RBAC}/clusterroles`);
    const rulesOf = (name: string): string =>
      JSON.stringify(body.items.find(({ metadata }) => metadata.name === name)?.['rules'] ?? 'missing');
    expect(body.items.map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining([
        'cluster-admin',
        'admin',
        'edit',
        'view',
        'system:discovery',
        'system:basic-user',
        'system:public-info-viewer',
      ]),
    );
    expect(rulesOf('view')).toContain('configmaps');
    expect(rulesOf('view')).not.toContain('secrets');
    expect(rulesOf('edit')).toContain('secrets');
    expect(rulesOf('admin')).toContain('rolebindings');
    await must(bind('a', 'b', ['ClusterRole', 'admin']));
    const levels = [
      { verb: 'get', resource: 'configmaps', namespace: 'a' },
      { verb: 'create', resource: 'secrets', namespace: 'a' },
      { verb: 'create', group: GROUP, resource: 'roles', namespace: 'a' },
    ];
    for (const level of levels) expect((await may(alice, level)).allowed).toBe(true);
    expect((await may(alice, { verb: 'get', path: '/version' })).allowed).toBe(true);
    expect((await may(alice, { verb: 'get', path: '/metrics' })).allowed).toBe(false);
  });

  it('RBAC-04: a role that comes or goes changes what is gathered', async () => {
    await must(
      clusterRole('widgets', [{ apiGroups: ['x.io'], resources: ['widgets'], verbs: ['get'] }], {
        labels: { [`${GROUP}/aggregate-to-view`]: 'true' },
      }),
    );
    await api.settle(1000);
    const gathered = async (name: string): Promise<string> => JSON.stringify((await api.get(`${RBAC}/clusterroles/${name}`)).body['rules']);
    for (const name of ['view', 'edit', 'admin']) expect(await gathered(name)).toContain('widgets');
    await api.del(`${RBAC}/clusterroles/widgets`);
    await api.settle(1000);
    for (const name of ['view', 'edit', 'admin']) expect(await gathered(name)).not.toContain('widgets');
  });
});

describe('what a restart does', () => {
  it('RBAC-04: what was taken from default roles comes back, unless their owner says no', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rbac-'));
    const databasePath = join(folder, 'cluster.db');
    const first = await testCluster({ databasePath });
    const own = { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } };
    await first.patch(`${RBAC}/clusterroles/system:basic-user`, 'merge', { rules: [secretsRule('get')] });
    await first.patch(`${RBAC}/clusterroles/system:discovery`, 'merge', { metadata: own, rules: [] });
    await first.patch(`${RBAC}/clusterrolebindings/system:discovery`, 'merge', { subjects: [asAlice] });
    await first.del(`${RBAC}/clusterrolebindings/cluster-admin`);
    await first.close();
    const second = await testCluster({ databasePath });
    const rulesOf = async (name: string): Promise<string> =>
      JSON.stringify((await second.get(`${RBAC}/clusterroles/${name}`)).body['rules'] ?? []);
    expect(await rulesOf('system:basic-user')).toContain('selfsubjectaccessreviews');
    expect(await rulesOf('system:basic-user')).toContain('secrets');
    expect(await rulesOf('system:discovery')).toBe('[]');
    const binding = await second.get(`${RBAC}/clusterrolebindings/system:discovery`);
    expect(binding.body['subjects']).toEqual([asAlice, { kind: 'Group', name: 'system:authenticated', apiGroup: GROUP }]);
    expect((await second.get(`${RBAC}/clusterrolebindings/cluster-admin`)).status).toBe(200);
    await second.close();
    rmSync(folder, { recursive: true });
  });
});

describe('reviews', () => {
  beforeEach(async () => {
    await must(role('a', 'reader', [secretsRule('get')]));
    await must(bind('a', 'reader', ['Role', 'reader']));
    await must(bind('a', 'robots', ['Role', 'reader'], { kind: 'ServiceAccount', name: 'robot' }));
    await must(clusterRole('nodes', [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]));
    await must(bind('', 'nodes', ['ClusterRole', 'nodes'], { kind: 'Group', name: 'dev', apiGroup: GROUP }));
  });

  it('RBAC-05: the reason names binding, role and subject', async () => {
    expect(await may(alice, { verb: 'get', resource: 'secrets', namespace: 'a' })).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "reader/a" of Role "reader" to User "alice"',
    });
    expect((await may(robot, { verb: 'get', resource: 'secrets', namespace: 'a' })).reason).toBe(
      'RBAC: allowed by RoleBinding "robots/a" of Role "reader" to ServiceAccount "robot/a"',
    );
    expect((await may(alice, { verb: 'get', resource: 'nodes' })).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "nodes" of ClusterRole "nodes" to Group "dev"',
    );
    expect(await may(alice, { verb: 'list', resource: 'secrets', namespace: 'a' })).toEqual({ allowed: false });
  });

  it('RBAC-05: of oneself, of a namespace, and all that one may do', async () => {
    const spec = { resourceAttributes: { verb: 'get', resource: 'secrets', namespace: 'a' } };
    const self = await api.post(`${AUTHORIZATION}/selfsubjectaccessreviews`, { spec }, { user: alice });
    expect([self.status, self.body.status]).toEqual([201, expect.objectContaining({ allowed: true })]);
    const local = `${AUTHORIZATION}/namespaces/a/localsubjectaccessreviews`;
    expect((await api.post(local, { spec: { ...spec, user: 'alice' } })).body.status).toMatchObject({ allowed: true });
    const other = { resourceAttributes: { ...spec.resourceAttributes, namespace: 'b' }, user: 'alice' };
    expect((await api.post(local, { spec: other })).status).toBe(422);
    expect((await api.post(`${AUTHORIZATION}/subjectaccessreviews`, { spec: { user: 'alice' } })).status).toBe(422);
    const rules = await api.post(`${AUTHORIZATION}/selfsubjectrulesreviews`, { spec: { namespace: 'a' } }, { user: alice });
    expect(rules.status).toBe(201);
    const status = rules.body.status as unknown as { resourceRules: object[]; nonResourceRules: object[]; incomplete: boolean };
    expect(status.incomplete).toBe(false);
    expect(status.resourceRules).toContainEqual(secretsRule('get'));
    expect(status.resourceRules).toContainEqual({ apiGroups: [''], resources: ['nodes'], verbs: ['get'] });
    expect(JSON.stringify(status.nonResourceRules)).toContain('/version');
  });

  it('an explanation names every binding, and what each rule lacks, when it is asked for', async () => {
    const url = '/api/v1/namespaces/a/secrets';
    const refused = await api.get(url, { user: alice, headers: { 'sotto-explain': 'true' } });
    expect(refused.status).toBe(403);
    const explanation = JSON.parse(refused.headers['sotto-explain'] ?? '') as {
      allowed: boolean;
      grants: { binding: string; rules: object[] }[];
    };
    expect(explanation.allowed).toBe(false);
    expect(explanation.grants).toContainEqual({
      binding: 'RoleBinding "reader/a" of Role "reader" to User "alice"',
      rules: [{ rule: secretsRule('get'), fails: 'verbs' }],
    });
    expect((await api.get(`${url}?sotto-explain`)).headers['sotto-explain']).toContain('system:masters');
    expect((await api.get(url, { user: alice })).headers['sotto-explain']).toBeUndefined();
  });
});
