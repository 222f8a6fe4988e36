import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ApiResponse } from '../../../kube/client/index.ts';
import { testCluster, type TestCluster } from '../testing.ts';

const ACCOUNT = '/api/v1/namespaces/a/serviceaccounts/robot';
const ISSUER = 'https://kubernetes.default.svc.cluster.local';

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
  await api.post('/api/v1/namespaces', { metadata: { name: 'a' } });
  await api.post('/api/v1/namespaces/a/serviceaccounts', { metadata: { name: 'robot' } });
});
afterEach(() => api.close());

interface TokenStatus {
  readonly token: string;
  readonly expirationTimestamp: string;
}

const request = (spec: object = {}): ReturnType<TestCluster['post']> => api.post(`${ACCOUNT}/token`, { spec });
const statusOf = ({ body }: { body: unknown }): TokenStatus => (body as { status: TokenStatus }).status;
const tokenFor = async (spec: object = {}): Promise<string> => statusOf(await request(spec)).token;
const uidOf = async (url: string): Promise<string> => (await api.get(url)).body.metadata.uid ?? '';
const whoami = async (token: string): Promise<{ status: number; user: unknown }> => {
  const response: ApiResponse = await api.raw(
    {
      url: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: { kind: 'json', value: {} },
    },
    { remote: true },
  );
  const body = (response.body.kind === 'json' ? response.body.value : {}) as { status?: { userInfo?: unknown } };
  return { status: response.status, user: body.status?.userInfo };
};
const review = async (spec: object): Promise<Record<string, unknown>> =>
  (await api.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec })).body.status as unknown as Record<string, unknown>;
const pod = (name: string, more: object = {}): ReturnType<TestCluster['post']> =>
  api.post('/api/v1/namespaces/a/pods', { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...more } });

describe('token requests', () => {
  it('TOK-01: a token with the claims of Kubernetes, for an hour and the API', async () => {
    const answer = await request();
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ kind: 'TokenRequest', spec: { audiences: [ISSUER], expirationSeconds: 3600 } });
    const { token, expirationTimestamp } = statusOf(answer);
    const claims = decodeJwt(token);
    const now = Math.floor(api.world.clock.now() / 1000);
    expect(claims).toEqual({
      iss: ISSUER,
      sub: 'system:serviceaccount:a:robot',
      aud: [ISSUER],
      iat: now,
      nbf: now,
      exp: now + 3600,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      'kubernetes.io': { namespace: 'a', serviceaccount: { name: 'robot', uid: await uidOf(ACCOUNT) } },
    });
    expect(Date.parse(expirationTimestamp) / 1000).toBe(now + 3600);
    expect(decodeProtectedHeader(token).kid).toMatch(/^[\w-]{43}$/);
  });

  it.each([
    ['too short a time', { expirationSeconds: 599 }, 422, 'may not specify a duration less than 10 minutes'],
    ['too long a time', { expirationSeconds: 2 ** 32 + 1 }, 422, 'may not specify a duration larger than 2^32 seconds'],
    [
      'a kind that cannot be bound to',
      { boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' } },
      400,
      'cannot bind token to object of type /v1, Kind=ConfigMap',
    ],
    ['a Pod that is not there', { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'x' } }, 404, 'pods "x" not found'],
    [
      'a Pod of another account',
      { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'other' } },
      400,
      'different serviceaccount name',
    ],
    [
      'another uid',
      { boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 's', uid: 'nope' } },
      409,
      'does not match the UID in record',
    ],
  ])('TOK-01: refused: %s', async (_title, spec, status, message) => {
    await pod('other');
    await api.post('/api/v1/namespaces/a/secrets', { metadata: { name: 's' } });
    const answer = await request(spec);
    expect([answer.status, answer.body.message]).toEqual([status, expect.stringContaining(message)]);
  });

  it('TOK-01: other verbs are refused, and an account that is not there', async () => {
    expect((await api.get(`${ACCOUNT}/token`)).status).toBe(405);
    expect((await api.post('/api/v1/namespaces/a/serviceaccounts/nobody/token', {})).body.message).toBe(
      'serviceaccounts "nobody" not found',
    );
  });

  it('TOK-01: bound to a Pod: its name and uid, and its node', async () => {
    await api.post('/api/v1/nodes', { metadata: { name: 'n' } });
    await pod('p', { serviceAccountName: 'robot', nodeName: 'n' });
    const token = await tokenFor({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } });
    const [podUid, nodeUid] = [await uidOf('/api/v1/namespaces/a/pods/p'), await uidOf('/api/v1/nodes/n')];
    expect(decodeJwt(token)['kubernetes.io']).toMatchObject({ pod: { name: 'p', uid: podUid }, node: { name: 'n', uid: nodeUid } });
    expect((await whoami(token)).user).toMatchObject({
      extra: {
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': [podUid],
        'authentication.kubernetes.io/node-name': ['n'],
        'authentication.kubernetes.io/node-uid': [nodeUid],
      },
    });
  });
});

it('TOK-01 and TOK-02: bound to a Node, as long as it is there', async () => {
  await api.post('/api/v1/nodes', { metadata: { name: 'n' } });
  const token = await tokenFor({ boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: 'n' } });
  expect(decodeJwt(token)['kubernetes.io']).toMatchObject({ node: { name: 'n', uid: await uidOf('/api/v1/nodes/n') } });
  expect((await whoami(token)).status).toBe(201);
  await api.del('/api/v1/nodes/n');
  expect((await whoami(token)).status).toBe(401);
});

describe('tokens as credentials', () => {
  it('TOK-02 and AUTHN-02: the account as a user, with its groups and the id of the token', async () => {
    const token = await tokenFor();
    expect(await whoami(token)).toEqual({
      status: 201,
      user: {
        username: 'system:serviceaccount:a:robot',
        uid: await uidOf(ACCOUNT),
        groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${decodeJwt(token).jti}`] },
      },
    });
  });

  it('TOK-02: not when it is over, altered, for another audience, or of another cluster', async () => {
    const token = await tokenFor({ expirationSeconds: 600 });
    const [head = '', body = '', signature = ''] = token.split('.');
    const other = await testCluster({ seed: 2 });
    const altered = `${head}.${Buffer.from(Buffer.from(body, 'base64url').toString().replaceAll('robot', 'admin')).toString('base64url')}.${signature}`;
    expect((await whoami(altered)).status).toBe(401);
    expect((await whoami(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`)).status).toBe(401);
    expect((await whoami(await tokenFor({ audiences: ['vault'] }))).status).toBe(401);
    await other.post('/api/v1/namespaces', { metadata: { name: 'a' } });
    await other.post('/api/v1/namespaces/a/serviceaccounts', { metadata: { name: 'robot' } });
    expect((await whoami(statusOf(await other.post(`${ACCOUNT}/token`, {})).token)).status).toBe(401);
    await other.close();
    expect((await whoami(token)).status).toBe(201);
    await api.settle(11 * 60_000 + 1000);
    expect((await whoami(token)).status).toBe(401);
  });

  it('TOK-02: not when the account, or what it is bound to, is gone or another of the same name', async () => {
    await api.post('/api/v1/namespaces/a/secrets', { metadata: { name: 's' } });
    const bound = await tokenFor({ boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 's' } });
    const plain = await tokenFor();
    expect((await whoami(bound)).status).toBe(201);
    await api.del('/api/v1/namespaces/a/secrets/s');
    await api.post('/api/v1/namespaces/a/secrets', { metadata: { name: 's' } });
    expect((await whoami(bound)).status).toBe(401);
    expect((await whoami(plain)).status).toBe(201);
    await api.del(ACCOUNT);
    await api.post('/api/v1/namespaces/a/serviceaccounts', { metadata: { name: 'robot' } });
    expect((await whoami(plain)).status).toBe(401);
  });

  it('TOK-02: an object counts as gone a minute after its deletion began', async () => {
    await api.post('/api/v1/namespaces/a/secrets', { metadata: { name: 's', finalizers: ['x.io/f'] } });
    const token = await tokenFor({ boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 's' } });
    await api.del('/api/v1/namespaces/a/secrets/s');
    await api.settle(50_000);
    expect((await whoami(token)).status).toBe(201);
    await api.settle(15_000);
    expect((await whoami(token)).status).toBe(401);
  });
});

describe('reviews of tokens', () => {
  it('TOK-03: whose it is and for which of the audiences', async () => {
    const token = await tokenFor({ audiences: ['vault', 'other'] });
    expect(await review({ token, audiences: ['vault', 'third'] })).toMatchObject({
      authenticated: true,
      audiences: ['vault'],
      user: { username: 'system:serviceaccount:a:robot', uid: await uidOf(ACCOUNT) },
    });
    expect(await review({ token })).toMatchObject({ authenticated: false });
    expect(await review({ token: await tokenFor() })).toMatchObject({ authenticated: true, audiences: [ISSUER] });
  });

  it('TOK-03: a bad token is an answer, not an error', async () => {
    const answer = await api.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'x' } });
    expect(answer.status).toBe(201);
    expect(answer.body.status).toMatchObject({ authenticated: false, error: expect.stringContaining('invalid bearer token') as string });
    expect((await api.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: {} })).status).toBe(400);
  });
});

describe('what others check tokens by', () => {
  it('OIDC-01: discovery names the issuer, and the published keys verify', async () => {
    const discovery = await api.get('/.well-known/openid-configuration');
    expect(discovery.body).toEqual({
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    });
    const keys = await api.get('/openid/v1/jwks');
    expect(keys.headers['content-type']).toBe('application/jwk-set+json');
    expect(JSON.stringify(keys.body)).not.toContain('"d"');
    const set = createLocalJWKSet(keys.body as unknown as JSONWebKeySet);
    const currentDate = new Date(api.world.clock.now());
    const { payload } = await jwtVerify(await tokenFor({ audiences: ['sts'] }), set, { issuer: ISSUER, audience: 'sts', currentDate });
    expect(payload.sub).toBe('system:serviceaccount:a:robot');
  });

  it('TOK-02: the signing key is kept private, and tokens outlive a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokens-'));
    const keyPath = join(folder, 'pki', 'sa.key');
    const databasePath = join(folder, 'cluster.db');
    const first = await testCluster({ tokens: { keyPath }, databasePath });
    const { token } = statusOf(await first.post('/api/v1/namespaces/default/serviceaccounts/default/token', {}));
    await first.close();
    expect(statSync(keyPath).mode & 0o777).toBe(0o600);
    expect(readFileSync(keyPath, 'utf8')).toContain('PRIVATE KEY');
    const second = await testCluster({ tokens: { keyPath }, databasePath });
    const { body } = await second.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } });
    expect(body.status).toMatchObject({ authenticated: true });
    await second.close();
    rmSync(folder, { recursive: true });
  });
});
