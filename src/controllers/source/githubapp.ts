import { createPrivateKey } from 'node:crypto';

import { messageOf } from '../../base/errors/index.ts';
import { boundedCache, type Cache } from '../../base/cache/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import type { World } from '../../base/world/index.ts';
import { digestOf } from '../../fetch/artifact/index.ts';
import { isJsonObject } from '../../kube/objects/index.ts';
import { SourceFailure } from './failure.ts';
import type { SecretData } from './secret-data.ts';

const DEFAULT_API = 'https://api.github.com';
const USERNAME = 'x-access-token';
/** Clocks differ: a token counts from this many seconds ago … */
const ISSUED_BEFORE_SECONDS = 30;
/** … for this many seconds. */
const LIFETIME_SECONDS = 120;
/** The part of an installation token's life in which it is used again. */
const USED_LIFE = 0.8;
const MAX_TOKENS = 100;

interface Token {
  readonly token: Sensitive<string>;
  readonly usableUntil: number;
}

/** Tokens of GitHub App installations, kept for most of their life. */
export interface GithubApp {
  /** The user name and password that git uses. @throws SourceFailure */
  credentials(secret: SecretData, signal: AbortSignal): Promise<{ kind: 'basic'; username: string; password: Sensitive<string> }>;
}

/**
 * Authenticates as a GitHub App: a short JWT signed with the app's key is exchanged for an installation token
 * (parity c5, GitHub App flow).
 */
export function githubApp(world: World): GithubApp {
  const tokens: Cache<string, Token> = boundedCache({ maxEntries: MAX_TOKENS, clock: world.clock });
  return {
    credentials: async (secret, signal) => {
      const app = appFrom(secret);
      // The key takes part, so that whoever lacks it never gets a token that another tenant fetched.
      const key = digestOf(Buffer.from([app.api, app.id, app.installation, app.owner, app.key.reveal()].join('\n')));
      const cached = tokens.get(key);
      if (cached !== undefined && cached.usableUntil > world.clock.now()) return basic(cached.token);
      const fresh = await exchange(app, world, signal);
      tokens.set(key, fresh);
      return basic(fresh.token);
    },
  };
}

function basic(password: Sensitive<string>): { kind: 'basic'; username: string; password: Sensitive<string> } {
  return { kind: 'basic', username: USERNAME, password };
}

interface App {
  readonly api: string;
  readonly id: string;
  readonly key: Sensitive<string>;
  /** One of these two is set, the other is empty. */
  readonly installation: string;
  readonly owner: string;
}

function appFrom(secret: SecretData): App {
  const text = (key: string): string => secret.get(key)?.reveal() ?? '';
  const [id, installation, owner] = [text('githubAppID'), text('githubAppInstallationID'), text('githubAppInstallationOwner')];
  const key = secret.get('githubAppPrivateKey');
  if (id === '' || key === undefined) throw missingData();
  if ((installation === '') === (owner === '')) {
    throw invalid(`secret '${secret.label}' must have exactly one of 'githubAppInstallationID' and 'githubAppInstallationOwner'`);
  }
  if (secret.has('ca.crt')) throw invalid(`secret '${secret.label}': 'ca.crt' for a GitHub App is not supported by this version of sotto`);
  const api = (text('githubAppBaseURL') || DEFAULT_API).replace(/\/+$/, '');
  if (URL.parse(api)?.protocol !== 'https:') throw invalid(`secret '${secret.label}': 'githubAppBaseURL' is no valid https URL`);
  return { api, id, key, installation, owner };
}

function missingData(): SourceFailure {
  return new SourceFailure(
    'InvalidProviderConfiguration',
    'secretRef with github app data must be specified when provider is set to github',
  );
}

function invalid(message: string, cause?: unknown): SourceFailure {
  return new SourceFailure('AuthenticationFailed', `failed to configure authentication options: ${message}`, { cause });
}

async function exchange(app: App, world: World, signal: AbortSignal): Promise<Token> {
  const ask = async (method: 'GET' | 'POST', path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const headers = {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${await signedClaim(app, world)}`,
      'user-agent': 'sotto',
    };
    try {
      const response = await world.fetch(`${app.api}${path}`, { method, headers, signal, redirect: 'error' });
      const body: unknown = await response.json();
      return { status: response.status, body: isJsonObject(body) ? body : {} };
    } catch (cause) {
      throw invalid(`the GitHub API cannot be reached: ${messageOf(cause)}`, cause);
    }
  };
  const installation = app.installation === '' ? await installationOf(app.owner, ask) : app.installation;
  const { status, body } = await ask('POST', `/app/installations/${encodeURIComponent(installation)}/access_tokens`);
  const { token, expires_at: expiresAt } = body;
  if (status !== 201 || typeof token !== 'string' || typeof expiresAt !== 'string') {
    throw invalid(`GitHub refused an installation token with status ${status}`);
  }
  const now = world.clock.now();
  return { token: new Sensitive(token), usableUntil: now + USED_LIFE * (Date.parse(expiresAt) - now) };
}

/** An owner is an organisation or a user. */
async function installationOf(
  owner: string,
  ask: (method: 'GET', path: string) => Promise<{ status: number; body: Record<string, unknown> }>,
): Promise<string> {
  for (const kind of ['orgs', 'users']) {
    const { status, body } = await ask('GET', `/${kind}/${encodeURIComponent(owner)}/installation`);
    const { id } = body;
    if (status === 200 && (typeof id === 'number' || typeof id === 'string')) return String(id);
  }
  throw invalid(`the GitHub App is not installed for '${owner}'`);
}

/** A JSON Web Token, RS256, that says who the app is. */
async function signedClaim(app: App, world: World): Promise<string> {
  const { SignJWT } = await world.outside(() => import('jose'));
  const issuedAt = Math.floor(world.clock.now() / 1000) - ISSUED_BEFORE_SECONDS;
  const claim = new SignJWT().setProtectedHeader({ alg: 'RS256', typ: 'JWT' }).setIssuer(app.id);
  claim.setIssuedAt(issuedAt).setExpirationTime(issuedAt + LIFETIME_SECONDS);
  try {
    return await world.outside(() => claim.sign(createPrivateKey(app.key.reveal())));
  } catch {
    // The library's error may quote the key.
    throw invalid("'githubAppPrivateKey' is no RSA private key in PEM form");
  }
}
