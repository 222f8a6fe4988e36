import { createVerify, generateKeyPairSync } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { messageOf } from '../../base/errors/index.ts';
import { virtualWorld, type Fetch, type VirtualWorld } from '../../base/world/index.ts';
import { githubApp, type GithubApp } from './githubapp.ts';
import { secretData, type SecretData } from './secret-data.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const { signal } = new AbortController();

function secretOf(data: Record<string, string>): SecretData {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  return secretData('flux-system/app', 'app', encoded);
}

const byId = { githubAppID: '12', githubAppPrivateKey: privateKey, githubAppInstallationID: '34' };
const byOwner = { githubAppID: '12', githubAppPrivateKey: privateKey, githubAppInstallationOwner: 'someone' };

interface Github {
  readonly world: VirtualWorld;
  readonly app: GithubApp;
  readonly calls: string[];
  readonly claims: { header: unknown; payload: { iat: number; exp: number; iss: string } }[];
}

/** A GitHub that knows one installation, of the user `someone`. */
function github(): Github {
  const [calls, claims]: [string[], Github['claims']] = [[], []];
  const respond = (status: number, body: unknown): Promise<Response> => Promise.resolve(new Response(JSON.stringify(body), { status }));
  const fetch: Fetch = (input, init) => {
    const url = new URL(String(input));
    calls.push(`${init?.method ?? 'GET'} ${url.href}`);
    const token = (new Headers(init?.headers).get('authorization') ?? '').replace('Bearer ', '');
    const [header = '', payload = '', signature = ''] = token.split('.');
    const isSigned = createVerify('RSA-SHA256').update(`${header}.${payload}`).verify(publicKey, signature, 'base64url');
    if (!isSigned) return respond(401, { message: 'bad credentials CANARY' });
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    claims.push({ header: read(header), payload: read(payload) as Github['claims'][number]['payload'] });
    if (url.pathname.endsWith('/users/someone/installation')) return respond(200, { id: 34 });
    if (!url.pathname.endsWith('/app/installations/34/access_tokens')) return respond(404, {});
    return respond(201, { token: `token-${calls.length}`, expires_at: new Date(world.clock.now() + 3_600_000).toISOString() });
  };
  const world = virtualWorld({ seed: 1, fetch });
  return { world, app: atOnce(githubApp(world), world), calls, claims };
}

/** Lets the world do what lies outside it until the answer is there; no time passes. */
function atOnce(app: GithubApp, world: VirtualWorld): GithubApp {
  return {
    credentials: async (...call) => {
      let isDone = false;
      const answer = app.credentials(...call).finally(() => (isDone = true));
      answer.catch(() => undefined);
      await world.run(0, () => isDone);
      return answer;
    },
  };
}

describe('githubApp', () => {
  it('GIT-08: exchanges a short signed claim for an installation token', async () => {
    const { app, calls, claims, world } = github();
    const credentials = await app.credentials(secretOf(byId), signal);
    expect(credentials).toMatchObject({ kind: 'basic', username: 'x-access-token' });
    expect(credentials.password.reveal()).toBe('token-1');
    expect(calls).toEqual(['POST https://api.github.com/app/installations/34/access_tokens']);
    const now = world.clock.now() / 1000;
    expect(claims).toEqual([{ header: { alg: 'RS256', typ: 'JWT' }, payload: { iat: now - 30, exp: now + 90, iss: '12' } }]);
  });

  it('GIT-08: looks an owner up as organisation, then as user, at the address of GitHub Enterprise', async () => {
    const { app, calls } = github();
    await app.credentials(secretOf({ ...byOwner, githubAppBaseURL: 'https://github.corp/api/v3/' }), signal);
    expect(calls).toEqual([
      'GET https://github.corp/api/v3/orgs/someone/installation',
      'GET https://github.corp/api/v3/users/someone/installation',
      'POST https://github.corp/api/v3/app/installations/34/access_tokens',
    ]);
  });

  it('GIT-08: keeps a token for 80 % of its life, and for this key only', async () => {
    const { app, calls, world } = github();
    await app.credentials(secretOf(byId), signal);
    await world.run(2_879_000);
    expect((await app.credentials(secretOf(byId), signal)).password.reveal()).toBe('token-1');
    await world.run(2000);
    expect((await app.credentials(secretOf(byId), signal)).password.reveal()).toBe('token-2');
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await expect(app.credentials(secretOf({ ...byId, githubAppPrivateKey: other }), signal)).rejects.toMatchObject({
      message: 'failed to configure authentication options: GitHub refused an installation token with status 401',
    });
    expect(calls).toHaveLength(3);
  });

  it.each<[string, Record<string, string>, string, string]>([
    [
      'no app data',
      { username: 'x' },
      'InvalidProviderConfiguration',
      'secretRef with github app data must be specified when provider is set to github',
    ],
    [
      'neither id nor owner',
      { githubAppID: '1', githubAppPrivateKey: privateKey },
      'AuthenticationFailed',
      "secret 'flux-system/app' must have exactly one of 'githubAppInstallationID' and 'githubAppInstallationOwner'",
    ],
    [
      'both id and owner',
      { ...byId, ...byOwner },
      'AuthenticationFailed',
      "must have exactly one of 'githubAppInstallationID' and 'githubAppInstallationOwner'",
    ],
    [
      'a key that is none',
      { ...byId, githubAppPrivateKey: 'CANARY' },
      'AuthenticationFailed',
      "'githubAppPrivateKey' is no RSA private key in PEM form",
    ],
    [
      'an address without TLS',
      { ...byId, githubAppBaseURL: 'http://github.corp' },
      'AuthenticationFailed',
      "'githubAppBaseURL' is no valid https URL",
    ],
    [
      'a CA of its own',
      { ...byId, 'ca.crt': 'x' },
      'AuthenticationFailed',
      "'ca.crt' for a GitHub App is not supported by this version of sotto",
    ],
    [
      'an owner without installation',
      { ...byOwner, githubAppInstallationOwner: 'nobody' },
      'AuthenticationFailed',
      "the GitHub App is not installed for 'nobody'",
    ],
  ])('GIT-08: %s is refused', async (_name, data, reason, message) => {
    const failure = await github()
      .app.credentials(secretOf(data), signal)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ reason });
    expect(messageOf(failure)).toContain(message);
    expect(messageOf(failure)).not.toContain('CANARY');
  });
});
