import type { Agent } from 'undici';

import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { causeCode } from './aws-client.ts';
import type { VaultCredentials, VaultTls } from './credentials.ts';
import { failureOfStatus, readJsonAnswer, recordOf, serviceError, textOf, type ServiceCall } from './key-service.ts';

/** One request to Vault. */
export interface VaultRequest {
  /** Base URL, from the file. */
  readonly address: string;
  /** Path below `/v1/`, segments not yet encoded. */
  readonly path: string;
  readonly token?: string;
  readonly body: Readonly<Record<string, string>>;
}

const agents = new WeakMap<VaultTls, Agent>();

/**
 * Sends one write and returns the answer's JSON. A standby's redirect is followed once, and only to an address that
 * the allow-list accepts and never from TLS to plain text, because the token goes along.
 *
 * @throws SottoError KEY_SERVICE_*, KEY_UNAVAILABLE, KEY_WRAPPED_INVALID
 */
export async function vaultWrite(
  request: VaultRequest,
  vault: VaultCredentials,
  call: ServiceCall,
  world: World,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const url = new URL(`${request.address}/v1/${encodePath(request.path, call)}`);
  const headers = {
    'content-type': 'application/json',
    'x-vault-request': 'true',
    ...(request.token === undefined ? {} : { 'x-vault-token': request.token }),
    ...(vault.namespace === undefined || vault.namespace === '' ? {} : { 'x-vault-namespace': vault.namespace }),
  };
  const init: RequestInit = { method: 'PUT', headers, body: JSON.stringify(request.body), redirect: 'manual', signal };
  const first = await send(url, init, vault, call, world);
  const target = redirectTarget(first, url);
  if (target === undefined) return answerOf(first, call);
  if (!isAllowed(target.origin, vault) || (url.protocol === 'https:' && target.protocol !== 'https:')) {
    throw serviceError(call, 'failed', `redirects to ${target.origin}, which is not allowed`);
  }
  return answerOf(await send(target, init, vault, call, world), call);
}

async function send(url: URL, init: RequestInit, { tls }: VaultCredentials, call: ServiceCall, world: World): Promise<Response> {
  try {
    if (tls === undefined || !hasSettings(tls)) return await world.fetch(url, init);
    const dispatcher = await agentFor(tls, world);
    const { fetch } = await world.outside(() => import('undici'));
    const options = { ...init, dispatcher } as Parameters<typeof fetch>[1];
    return await world.outside(() => fetch(url, options));
  } catch (error) {
    if (error instanceof SottoError || init.signal?.aborted === true) throw error;
    throw serviceError(call, 'unreachable', causeCode(error));
  }
}

function hasSettings({ skipVerify, ...others }: VaultTls): boolean {
  return skipVerify === true || Object.keys(others).length > 0;
}

async function agentFor(tls: VaultTls, world: World): Promise<Agent> {
  const known = agents.get(tls);
  if (known !== undefined) return known;
  const { Agent } = await world.outside(() => import('undici'));
  const agent = new Agent({
    connect: {
      rejectUnauthorized: tls.skipVerify !== true,
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key.reveal() }),
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    },
  });
  agents.set(tls, agent);
  return agent;
}

function redirectTarget(response: Response, from: URL): URL | undefined {
  if (![301, 302, 307, 308].includes(response.status)) return undefined;
  const location = response.headers.get('location');
  return location !== null && URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
}

async function answerOf(response: Response, call: ServiceCall): Promise<Readonly<Record<string, unknown>>> {
  const answer = await readJsonAnswer(response, call);
  if (response.ok) return answer;
  const errors = Array.isArray(answer['errors']) ? answer['errors'].filter((error) => typeof error === 'string') : [];
  throw serviceError(call, failureOfStatus(response.status), [`status ${response.status}`, ...errors].join(': '));
}

/** A dot segment would let a file reach another endpoint than transit's. */
function encodePath(path: string, call: ServiceCall): string {
  const segments = path.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new SottoError('KEY_ID_INVALID', `no ${call.service} key: the path of ${call.key} has an empty or a dot segment`);
  }
  return segments.map(encodeURIComponent).join('/');
}

/** Whether the token may go to an address: prefixes are compared with a slash appended on both sides. */
export function isAllowed(address: string, { allowList = 'all' }: VaultCredentials): boolean {
  if (typeof allowList === 'string') return allowList === 'all';
  const withSlash = (text: string): string => (text.endsWith('/') ? text : `${text}/`);
  return allowList.some((prefix) => withSlash(address).startsWith(withSlash(prefix)));
}

/** A text property of the `data` or `auth` of an answer. */
export function answerField(answer: Readonly<Record<string, unknown>>, part: 'data' | 'auth', name: string): string {
  return textOf(recordOf(answer[part]), name);
}
