/** Entra ID and a Key Vault on a loopback port, reached under their own names through a rewriting fetch, for tests. */
import { constants, createHash, generateKeyPairSync, privateDecrypt, publicEncrypt, X509Certificate } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { systemWorld, type Fetch } from '../../base/world/index.ts';

export interface FakeAzure {
  readonly fetch: Fetch;
  /** `METHOD host/path` of every request, with `+token` when it carried one. */
  readonly calls: string[];
  /** Forms that were posted to the token endpoint. */
  readonly logins: URLSearchParams[];
  /** Key version → key. The last one is current. */
  readonly versions: readonly string[];
  /** What the challenge says instead of the vault's own resource. */
  challenge: string | undefined;
  failNext: { readonly status: number; readonly code: string; readonly message: string } | undefined;
  close(): Promise<void>;
}

export const VAULT = 'https://team.vault.azure.net';
export const TENANT = '11111111-2222-3333-4444-555555555555';
export const CLIENT = '66666666-7777-8888-9999-000000000000';
export const CLIENT_SECRET = 'not~a.real-client-secret';
const TOKEN = 'not-a-real-azure-token';

export async function startFakeAzure(): Promise<FakeAzure> {
  const versions = ['0000000000000000000000000000000a', '0000000000000000000000000000000b'];
  const keys = new Map(versions.map((version) => [version, generateKeyPairSync('rsa', { modulusLength: 2048 })]));
  const calls: string[] = [];
  const logins: URLSearchParams[] = [];
  const state: Pick<FakeAzure, 'challenge' | 'failNext'> = { challenge: undefined, failNext: undefined };
  const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };

  const login = (host: string, path: string, body: string): { status: number; json: unknown } => {
    const base = `https://${host}/${TENANT}`;
    if (path.includes('/discovery/instance'))
      return { status: 200, json: { tenant_discovery_endpoint: `${base}/v2.0/.well-known/openid-configuration`, metadata: [] } };
    if (path.includes('openid-configuration')) {
      return {
        status: 200,
        json: {
          token_endpoint: `${base}/oauth2/v2.0/token`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          issuer: `${base}/v2.0`,
          jwks_uri: `${base}/keys`,
        },
      };
    }
    const form = new URLSearchParams(body);
    logins.push(form);
    const isGood = form.get('client_id') === CLIENT && (form.get('client_secret') === CLIENT_SECRET || form.has('client_assertion'));
    if (isGood) return { status: 200, json: { token_type: 'Bearer', expires_in: 3600, access_token: TOKEN } };
    return {
      status: 401,
      json: {
        error: 'invalid_client',
        error_description: `AADSTS7000215: Invalid client secret ${form.get('client_secret')} provided.`,
        error_codes: [7000215],
      },
    };
  };

  const vault = (method: string, path: string, body: string): { status: number; json: unknown } => {
    const [, name, version = '', action = ''] = /^\/keys\/([^/?]+)\/?([^/?]*)\/?([a-z]*)\?api-version=7\.4$/.exec(path) ?? [];
    const failure = state.failNext;
    state.failNext = undefined;
    if (failure !== undefined) return { status: failure.status, json: { error: { code: failure.code, message: failure.message } } };
    if (name !== 'sops') return { status: 404, json: { error: { code: 'KeyNotFound', message: 'no such key' } } };
    const used = version === '' ? (versions.at(-1) ?? '') : version;
    const pair = keys.get(used);
    if (pair === undefined) return { status: 404, json: { error: { code: 'KeyNotFound', message: 'no such version' } } };
    const kid = `${VAULT}/keys/sops/${used}`;
    if (method === 'GET') return { status: 200, json: { key: { kid, kty: 'RSA' } } };
    const { alg, value = '' } = JSON.parse(body) as { alg?: string; value?: string };
    if (alg !== 'RSA-OAEP-256') return { status: 400, json: { error: { code: 'BadParameter', message: 'alg' } } };
    try {
      const bytes = Buffer.from(value, 'base64url');
      const result =
        action === 'encrypt'
          ? publicEncrypt({ key: pair.publicKey, ...oaep }, bytes)
          : privateDecrypt({ key: pair.privateKey, ...oaep }, bytes);
      return { status: 200, json: { kid, value: result.toString('base64url') } };
    } catch {
      return { status: 400, json: { error: { code: 'BadParameter', message: `cannot open ${value}` } } };
    }
  };

  const answer = (request: IncomingMessage, body: string): { status: number; json: unknown; challenge?: string } => {
    const [, host = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const token = request.headers.authorization;
    calls.push(`${request.method} ${host}${path.replace(/\?.*/, '')}${token === undefined ? '' : ' +token'}`);
    if (!host.endsWith('.vault.azure.net')) return login(host, path, body);
    if (token === `Bearer ${TOKEN}`) return vault(request.method ?? '', path, body);
    const challenge =
      state.challenge ?? `Bearer authorization="https://login.microsoftonline.com/${TENANT}", resource="https://vault.azure.net"`;
    return { status: 401, json: { error: { code: 'Unauthorized' } }, challenge };
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status, json, challenge } = answer(request, Buffer.concat(chunks).toString());
      const headers = { 'content-type': 'application/json', ...(challenge === undefined ? {} : { 'www-authenticate': challenge }) };
      response.writeHead(status, headers).end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    fetch: (url: string | URL, init?: RequestInit) => systemWorld().fetch(String(url).replace('https://', `${base}/`), init),
    calls,
    logins,
    versions,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** The hash by which an assertion names its certificate. */
export function thumbprint(certificate: string): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url');
}
