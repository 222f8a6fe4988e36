import { afterEach, describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from '../server/testing.ts';
import type { WebhookHandler } from './index.ts';

interface Review {
  readonly request: { uid: string; object: { metadata: { labels?: Record<string, string> } } | null; [field: string]: unknown };
}
type Reply = (request: Review['request']) => Record<string, unknown>;

let api: TestCluster;
const seen: Review['request'][] = [];
afterEach(async () => {
  seen.length = 0;
  await api.close();
});

const handler =
  (reply: Reply): WebhookHandler =>
  (review) => {
    const { request } = review as Review;
    seen.push(request);
    return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: request.uid, allowed: true, ...reply(request) } };
  };
const patch = (...operations: unknown[]): Record<string, unknown> => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
const RULE = { operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };
const hook = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'h.example.com',
  clientConfig: { service: { namespace: 'default', name: 'hook', path: '/p' } },
  rules: [RULE],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
});
const path = '/apis/admissionregistration.k8s.io/v1';
const configure = async (kind: 'mutating' | 'validating', ...webhooks: unknown[]): Promise<void> => {
  const made = await api.post(`${path}/${kind}webhookconfigurations`, { metadata: { name: `a-${seen.length}` }, webhooks });
  expect(made.status, made.body.message).toBe(201);
};
const start = async (reply: Reply): Promise<void> => {
  api = await testCluster({ webhookServices: { 'default/hook': handler(reply) } });
};
const MAPS = '/api/v1/namespaces/default/configmaps';
const create = (name = 'x', query = '', labels: Record<string, string> = {}): ReturnType<TestCluster['post']> =>
  api.post(`${MAPS}${query}`, { metadata: { name, labels }, data: { a: 'b' } });

describe('ADM-01: mutating webhooks', () => {
  it('change the object by their patch, and see what is written', async () => {
    await start(() => patch({ op: 'add', path: '/data/added', value: 'yes' }));
    await configure('mutating', hook());
    expect((await create()).body['data']).toEqual({ a: 'b', added: 'yes' });
    expect(seen).toMatchObject([
      {
        operation: 'CREATE',
        kind: { group: '', version: 'v1', kind: 'ConfigMap' },
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        name: 'x',
        namespace: 'default',
        userInfo: { username: 'admin' },
        dryRun: false,
        oldObject: null,
        options: { kind: 'CreateOptions' },
      },
    ]);
    await api.patch(`${MAPS}/x`, 'merge', { data: { a: 'c' } });
    expect(seen[1]).toMatchObject({ operation: 'UPDATE', oldObject: { data: { a: 'b' } } });
  });

  it('one that wants it is asked again when a later one changed the object', async () => {
    await start(({ object }) =>
      patch({ op: 'add', path: '/metadata/labels', value: { n: String(Number(object?.metadata.labels?.['n'] ?? 0) + 1) } }),
    );
    await configure('mutating', hook({ reinvocationPolicy: 'IfNeeded' }), hook({ name: 'i.example.com' }));
    expect((await create()).body.metadata.labels).toEqual({ n: '3' });
    expect(seen).toHaveLength(3);
  });

  it('their warnings reach the client, and their own configurations are out of reach', async () => {
    await start(() => ({ warnings: ['mind this'] }));
    await configure('mutating', hook({ rules: [{ ...RULE, apiGroups: ['*'], resources: ['*/*'] }] }));
    expect((await create()).headers['warning']).toContain('mind this');
    await configure('validating', hook());
    expect(seen).toHaveLength(1);
  });
});

describe('ADM-01: validating webhooks', () => {
  it.each([
    [{ message: 'no', code: 403, reason: 'Forbidden' }, 403, 'admission webhook "h.example.com" denied the request: no', 'Forbidden'],
    [{ reason: 'Because' }, 400, 'admission webhook "h.example.com" denied the request: Because', 'Because'],
    [{ code: 200 }, 400, 'admission webhook "h.example.com" denied the request without explanation', undefined],
  ])('refuse with their own status: %j', async (status, code, message, reason) => {
    await start(() => ({ allowed: false, status }));
    await configure('validating', hook());
    const refused = await create();
    expect(refused).toMatchObject({ status: code, body: { message } });
    expect(refused.body.reason).toBe(reason);
    expect((await api.get(`${MAPS}/x`)).status).toBe(404);
  });

  it('see deletions only when they ask for them', async () => {
    await start(({ operation }) => ({ allowed: operation !== 'DELETE' }));
    await configure('validating', hook({ rules: [{ ...RULE, operations: ['DELETE'] }] }));
    expect((await create()).status).toBe(201);
    expect((await api.del(`${MAPS}/x`)).status).toBe(400);
    expect(seen).toMatchObject([{ operation: 'DELETE', object: null, oldObject: { data: { a: 'b' } } }]);
  });

  it('are chosen by selectors and match conditions', async () => {
    await start(() => ({ allowed: false }));
    await configure(
      'validating',
      hook({ objectSelector: { matchLabels: { check: 'yes' } }, matchConditions: [{ name: 'not-y', expression: "request.name != 'y'" }] }),
    );
    expect((await create('a')).status).toBe(201);
    expect((await create('y', '', { check: 'yes' })).status).toBe(201);
    expect((await create('z', '', { check: 'yes' })).status).toBe(400);
    await api.del(`${path}/validatingwebhookconfigurations/a-0`);
    await configure(
      'validating',
      hook({ namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['default'] }] } }),
    );
    expect((await create('b')).status).toBe(201);
  });

  it('a dry run asks only those without side effects', async () => {
    await start(() => ({}));
    await configure('validating', hook({ sideEffects: 'NoneOnDryRun' }));
    expect((await create('x', '?dryRun=All')).status).toBe(201);
    expect(seen).toMatchObject([{ dryRun: true }]);
  });

  it('another version of the resource is shown in the version that the rule names', async () => {
    await start(() => ({}));
    const rule = { operations: ['CREATE'], apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['horizontalpodautoscalers'] };
    await configure('validating', hook({ rules: [rule] }), hook({ name: 'exact.example.com', rules: [rule], matchPolicy: 'Exact' }));
    const made = await api.post('/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', {
      metadata: { name: 'x' },
      spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } },
    });
    expect(made.status, made.body.message).toBe(201);
    expect(seen).toMatchObject([{ kind: { version: 'v1' }, requestKind: { version: 'v2' }, object: { apiVersion: 'autoscaling/v1' } }]);
  });
});

describe('ADM-02: webhooks that cannot be called', () => {
  it('a service that nobody serves fails the write, or is ignored', async () => {
    api = await testCluster();
    await configure('validating', hook());
    const failed = await create();
    expect(failed).toMatchObject({ status: 500, body: { reason: 'InternalError' } });
    expect(failed.body.message).toBe(
      'Internal error occurred: failed calling webhook "h.example.com": failed to call webhook: Post "https://hook.default.svc:443/p?timeout=10s": service "hook" not found',
    );
    await api.patch(`${path}/validatingwebhookconfigurations/a-0`, 'json', [
      { op: 'add', path: '/webhooks/0/failurePolicy', value: 'Ignore' },
    ]);
    expect((await create()).status).toBe(201);
  });

  it('one that takes too long is given up on the clock of the world', async () => {
    api = await testCluster({ webhookServices: { 'default/hook': () => new Promise(() => {}) } });
    await configure('validating', hook({ timeoutSeconds: 3 }));
    const before = api.world.clock.now();
    const waiting = create();
    await api.settle(5_000);
    expect((await waiting).body.message).toContain('context deadline exceeded');
    expect(api.world.clock.now() - before).toBeLessThanOrEqual(5_000);
  });

  it('an answer for another request counts as a failure', async () => {
    await start(() => ({ uid: 'other' }));
    await configure('validating', hook());
    expect((await create()).body.message).toContain('failed calling webhook');
  });
});

describe('ADM-03: validating admission policies', () => {
  const policy = async (spec: Record<string, unknown>, binding: Record<string, unknown> = {}): Promise<void> => {
    const constraints = {
      resourceRules: [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
    };
    const made = await api.post(`${path}/validatingadmissionpolicies`, {
      metadata: { name: 'p' },
      spec: { matchConstraints: constraints, ...spec },
    });
    expect(made.status, made.body.message).toBe(201);
    const bound = await api.post(`${path}/validatingadmissionpolicybindings`, {
      metadata: { name: 'b' },
      spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
    });
    expect(bound.status, bound.body.message).toBe(201);
  };
  const validations = [{ expression: "object.data.a != 'b'" }];

  it('refuse what their expressions find', async () => {
    api = await testCluster();
    await policy({ validations });
    expect(await create()).toMatchObject({
      status: 422,
      body: {
        reason: 'Invalid',
        message: `configmaps "x" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.data.a != 'b'`,
      },
    });
    expect((await api.post('/api/v1/namespaces/default/secrets', { metadata: { name: 'x' } })).status).toBe(201);
  });

  it('compose variables, make messages, skip by conditions, and can only warn', async () => {
    api = await testCluster();
    await policy(
      {
        variables: [{ name: 'value', expression: 'object.data.a' }],
        matchConditions: [{ name: 'x', expression: "object.metadata.name != 'free'" }],
        validations: [{ expression: "variables.value == 'c'", messageExpression: "'it is ' + variables.value", reason: 'Forbidden' }],
      },
      { validationActions: ['Warn'] },
    );
    const warned = await create();
    expect(warned.status).toBe(201);
    expect(warned.headers['warning']).toContain('it is b');
    expect((await create('free')).headers['warning']).toBeUndefined();
  });

  it('take parameters, and say when there are none', async () => {
    api = await testCluster();
    await policy(
      { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, validations: [{ expression: 'object.data.a == params.data.wanted' }] },
      { paramRef: { name: 'limits', namespace: 'kube-system', parameterNotFoundAction: 'Deny' } },
    );
    expect((await create()).body.message).toContain('no params found');
    await api.del(`${path}/validatingadmissionpolicybindings/b`);
    await api.post('/api/v1/namespaces/kube-system/configmaps', { metadata: { name: 'limits' }, data: { wanted: 'b' } });
    await api.post(`${path}/validatingadmissionpolicybindings`, {
      metadata: { name: 'b' },
      spec: {
        policyName: 'p',
        validationActions: ['Deny'],
        paramRef: { name: 'limits', namespace: 'kube-system', parameterNotFoundAction: 'Deny' },
      },
    });
    expect((await create()).status).toBe(201);
  });

  it('an expression that fails refuses, unless failures are ignored', async () => {
    api = await testCluster();
    await policy({ validations: [{ expression: "object.data.missing == 'x'" }] });
    expect((await create()).body.message).toContain('resulted in error');
    await api.patch(`${path}/validatingadmissionpolicies/p`, 'merge', { spec: { failurePolicy: 'Ignore' } });
    expect((await create()).status).toBe(201);
  });
});
