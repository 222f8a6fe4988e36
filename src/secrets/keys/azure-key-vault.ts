import { SottoError } from '../../base/errors/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import { causeCode } from './aws-client.ts';
import { azureSecrets, azureToken } from './azure-token.ts';
import type { AzureCredentials } from './credentials.ts';
import {
  decodeBase64,
  decodeWrapped,
  failureOfStatus,
  invalidKeyId,
  missingCredentials,
  notMine,
  opened,
  readJsonAnswer,
  recordOf,
  serviceError,
  textOf,
  withDeadline,
  type ServiceCall,
} from './key-service.ts';
import type { Credentials, KeyContext, MasterKey, Unwrapped } from './types.ts';

const SERVICE = 'Azure Key Vault';
const API_VERSION = '7.4';
const ALGORITHM = 'RSA-OAEP-256';
const KEY_URL = /^(https:\/\/[^/?#@\s]+)\/keys\/([^/?#\s]+)(?:\/([^/?#\s]*))?$/;
const VAULT_URL = /^https:\/\/[^/?#@\s]+$/;
const NAME = /^[A-Za-z0-9-]+$/;

/** What each vault asked for when it was first called with these credentials. */
const scopes = new WeakMap<AzureCredentials, Map<string, string>>();

/** What identifies a key version. */
export interface AzureKeyFields {
  /** `https://<vault>` */
  readonly vaultUrl: string;
  readonly name: string;
  /** Empty or missing: the current version is looked up when wrapping, and recorded. */
  readonly version?: string;
}

/**
 * A master key in Azure Key Vault. `enc` is base64url without padding of an RSA-OAEP-256 ciphertext. Follows
 * sops:azkv/keysource.go. Tokens come from Azure's SDK; the two calls are made directly, because the SDK's CryptographyClient
 * first fetches the key on every use, which needs another permission and fails for expired keys that the service still opens.
 *
 * After a wrap `display` and `fields` name the version that was used.
 *
 * @throws (wrap, unwrap) SottoError KEY_ID_INVALID, KEY_CREDENTIALS_MISSING, KEY_SERVICE_*, KEY_UNAVAILABLE, KEY_WRAPPED_INVALID
 */
export function azureKeyVaultKey({ vaultUrl: given, name, version: initial = '' }: AzureKeyFields): MasterKey {
  const vaultUrl = given.replace(/\/+$/, '');
  let version = initial;
  const current = (): Required<AzureKeyFields> => ({ vaultUrl, name, version });
  return {
    type: 'azure_kv',
    get display() {
      return displayOf(current());
    },
    get fields() {
      return { name, vault_url: given, version };
    },
    wrap: async (dataKey, credentials, context) => {
      const wrapped = await wrap(current(), dataKey, credentials, context);
      version = wrapped.version;
      return wrapped.enc;
    },
    unwrap: (wrapped, credentials, context) => unwrap(current(), wrapped, credentials, context),
  };
}

/**
 * The parts of `https://<vault>/keys/<name>[/<version>]`.
 *
 * @throws SottoError KEY_ID_INVALID
 */
export function parseAzureKeyUrl(url: string): Required<AzureKeyFields> {
  const [, vaultUrl, name, version = ''] = KEY_URL.exec(url) ?? [];
  if (vaultUrl === undefined || name === undefined) throw invalidKeyId(SERVICE, url, 'https://<vault>/keys/<name>[/<version>]');
  return { vaultUrl, name, version };
}

function displayOf({ vaultUrl, name, version }: Required<AzureKeyFields>): string {
  return `${vaultUrl}/keys/${name}/${version}`;
}

async function wrap(
  key: Required<AzureKeyFields>,
  dataKey: Sensitive<Uint8Array>,
  { azure }: Credentials,
  context: KeyContext,
): Promise<{ readonly enc: string; readonly version: string }> {
  check(key);
  if (azure === undefined) throw missingCredentials(SERVICE, displayOf(key));
  const value = Buffer.from(dataKey.reveal()).toString('base64url');
  const call = callOn(key, azure, value);
  return withDeadline(context, call, async (signal) => {
    const exchange = vaultExchange(key, azure, call, context, signal);
    const version = key.version === '' ? await currentVersion(key, exchange, call) : key.version;
    const answer = await exchange('POST', `${key.name}/${version}/encrypt`, { alg: ALGORITHM, value });
    if (answer === undefined) throw missingCredentials(SERVICE, displayOf(key));
    const enc = textOf(answer, 'value');
    if (decodeBase64(enc, 'url') === undefined) throw serviceError(call, 'failed', 'the answer has no value in base64url');
    return { enc, version };
  });
}

async function currentVersion(key: Required<AzureKeyFields>, exchange: Exchange, call: ServiceCall): Promise<string> {
  const answer = await exchange('GET', `${key.name}/`);
  if (answer === undefined) throw missingCredentials(SERVICE, displayOf(key));
  const [, , , version = ''] = KEY_URL.exec(textOf(recordOf(answer['key']), 'kid')) ?? [];
  if (!NAME.test(version)) throw serviceError(call, 'failed', 'the answer names no key version');
  return version;
}

async function unwrap(key: Required<AzureKeyFields>, wrapped: string, { azure }: Credentials, context: KeyContext): Promise<Unwrapped> {
  if (azure === undefined) return notMine('no Azure credentials were given');
  check(key);
  const call = callOn(key, azure, wrapped);
  decodeWrapped(wrapped, 'url', call);
  return withDeadline(context, call, async (signal) => {
    const exchange = vaultExchange(key, azure, call, context, signal);
    const answer = await exchange('POST', `${key.name}/${key.version}/decrypt`, { alg: ALGORITHM, value: wrapped });
    if (answer === undefined) return notMine('no Azure credentials were found');
    const plaintext = decodeBase64(textOf(answer, 'value').replaceAll('=', ''), 'url');
    if (plaintext === undefined) throw serviceError(call, 'failed', 'the answer has no value in base64url');
    return opened(plaintext);
  });
}

/** The parts become a host and a path: nothing in a file may bend them. */
function check(key: Required<AzureKeyFields>): void {
  if (VAULT_URL.test(key.vaultUrl) && NAME.test(key.name) && (key.version === '' || NAME.test(key.version))) return;
  throw invalidKeyId(SERVICE, displayOf(key), 'https://<vault>/keys/<name>[/<version>]');
}

function callOn(key: Required<AzureKeyFields>, azure: AzureCredentials, value: string): ServiceCall {
  return { service: SERVICE, key: displayOf(key), secrets: [value, ...azureSecrets(azure)] };
}

/** One call below `/keys/`; undefined when no identity is there. */
type Exchange = (
  method: 'GET' | 'POST',
  path: string,
  body?: Readonly<Record<string, string>>,
) => Promise<Readonly<Record<string, unknown>> | undefined>;

function vaultExchange(
  { vaultUrl }: Required<AzureKeyFields>,
  azure: AzureCredentials,
  call: ServiceCall,
  { world }: KeyContext,
  signal: AbortSignal,
): Exchange {
  const send = async (method: 'GET' | 'POST', path: string, token: string | undefined, body: string | undefined): Promise<Response> => {
    const headers = { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    const content = body === undefined ? { headers } : { headers: { ...headers, 'content-type': 'application/json' }, body };
    try {
      return await world.fetch(`${vaultUrl}/keys/${path}?api-version=${API_VERSION}`, { method, redirect: 'error', signal, ...content });
    } catch (error) {
      if (signal.aborted) throw error;
      throw serviceError(call, 'unreachable', causeCode(error));
    }
  };
  const learnScope = async (method: 'GET' | 'POST', path: string): Promise<string> => {
    // Asked without token and body first, as Azure's own clients do: the answer says for whom the token must be.
    const challenge = await send(method, path, undefined, method === 'POST' ? '{}' : undefined);
    await challenge.body?.cancel();
    if (challenge.status !== 401)
      throw serviceError(call, failureOfStatus(challenge.status), `status ${challenge.status} instead of a challenge`);
    return scopeOf(challenge.headers.get('www-authenticate') ?? '', vaultUrl, call);
  };
  return async (method, path, body) => {
    const known = scopes.get(azure) ?? new Map<string, string>();
    scopes.set(azure, known);
    const scope = known.get(vaultUrl) ?? (await learnScope(method, path));
    known.set(vaultUrl, scope);
    const token = await azureToken(azure, scope, call, world, signal);
    if (token === undefined) return undefined;
    const response = await send(method, path, token.reveal(), body === undefined ? undefined : JSON.stringify(body));
    const answer = await readJsonAnswer(response, call);
    if (response.ok) return answer;
    if (response.status === 401) known.delete(vaultUrl);
    const { code, message } = recordOf(answer['error']);
    const said = [`status ${response.status}`, code, message].filter((part) => typeof part === 'string').join(': ');
    throw serviceError({ ...call, secrets: [...call.secrets, token] }, failureOfStatus(response.status), said);
  };
}

/**
 * The scope that a challenge asks for. It must belong to the vault's own domain: otherwise a file could name a host that
 * asks for a token for something else.
 */
function scopeOf(challenge: string, vaultUrl: string, call: ServiceCall): string {
  const parameter = (name: string): string | undefined => new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.[1];
  const resource = parameter('resource');
  const scope = parameter('scope') ?? (resource === undefined ? undefined : `${resource.replace(/\/+$/, '')}/.default`);
  const host = scope !== undefined && URL.canParse(scope) ? new URL(scope).hostname : undefined;
  if (scope === undefined || host === undefined || !new URL(vaultUrl).hostname.endsWith(`.${host}`)) {
    throw new SottoError('KEY_SERVICE_FAILED', `${SERVICE} asks for a token for another domain than its own (key ${call.key})`);
  }
  return scope;
}
