import type { KeyManagementServiceClient } from '@google-cloud/kms';
import type { AuthClient } from 'google-auth-library';

import { SottoError } from '../../base/errors/index.ts';
import type { GcpCredentials } from './credentials.ts';
import { failureOfStatus, recordOf, serviceError, textOf, type ServiceCall, type ServiceFailure } from './key-service.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const DEFAULT_UNIVERSE = 'googleapis.com';
const IDLE_MS = 30_000;
/** Types of credentials documents that hold their secret themselves and lead nowhere else. */
const SELF_CONTAINED = new Set(['service_account', 'authorized_user']);

/** A client with the headers it needs on top of what the SDK adds. */
export interface GcpClient {
  readonly client: KeyManagementServiceClient;
  /** A plain channel to a loopback address carries no call credentials: the token travels as a header. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
}

/** Channels are kept as long as their credentials are. */
const clients = new WeakMap<GcpCredentials, Promise<GcpClient>>();

/** The SDK's client for these credentials. @throws SottoError KEY_CREDENTIALS_INVALID, KEY_ID_INVALID */
export function gcpClient(gcp: GcpCredentials): Promise<GcpClient> {
  const known = clients.get(gcp) ?? makeClient(gcp);
  clients.set(gcp, known);
  known.catch(() => clients.delete(gcp));
  return known;
}

async function makeClient(gcp: GcpCredentials): Promise<GcpClient> {
  const [{ KeyManagementServiceClient }, authClient] = await Promise.all([import('@google-cloud/kms'), makeAuthClient(gcp)]);
  const { host, port, isPlain } = parseEndpoint(gcp.endpoint);
  const isRest = gcp.clientType === 'rest';
  const client = new KeyManagementServiceClient({
    // an endpoint stands for its universe, as upstream has it
    universeDomain: host === undefined ? (gcp.universeDomain ?? DEFAULT_UNIVERSE) : DEFAULT_UNIVERSE,
    fallback: isRest,
    authClient: authClient as never,
    ...(host === undefined ? {} : { apiEndpoint: host }),
    ...(port === undefined ? {} : { port }),
    ...(isPlain && isRest ? { protocol: 'http' } : {}),
    ...(isPlain && !isRest ? { sslCreds: await plainChannel() } : {}),
    'grpc.client_idle_timeout_ms': IDLE_MS,
  });
  const needsHeaders = isPlain && !isRest;
  return { client, headers: async () => (needsHeaders ? Object.fromEntries(await authClient.getRequestHeaders()) : {}) };
}

async function plainChannel() {
  const { credentials } = await import('@grpc/grpc-js');
  return credentials.createInsecure() as never;
}

/** The SDK never looks for credentials by itself: where it finds none it leaves a rejection that nobody handles. */
async function makeAuthClient(gcp: GcpCredentials): Promise<AuthClient> {
  const { GoogleAuth, JWT, OAuth2Client } = await import('google-auth-library');
  if (gcp.json !== undefined) {
    const client = new GoogleAuth({ scopes: SCOPE }).fromJSON(checkedDocument(gcp));
    // a key of its own can sign what the service accepts, without asking the token endpoint first
    if (client instanceof JWT) Object.assign(client, { useJWTAccessWithScope: true, scopes: [SCOPE] });
    return client;
  }
  if (gcp.accessToken !== undefined) {
    const client = new OAuth2Client();
    client.setCredentials({ access_token: gcp.accessToken.reveal() });
    return client;
  }
  const { tokenSource } = gcp;
  if (tokenSource === undefined) return new GoogleAuth({ scopes: SCOPE }).getClient();
  const client = new OAuth2Client();
  // expired at once: the source decides how long a token lives
  client.refreshHandler = async () => ({ access_token: (await tokenSource()).reveal(), expiry_date: 1 });
  return client;
}

function checkedDocument({ json, trusted }: GcpCredentials): Readonly<Record<string, unknown>> {
  const document = parseDocument(json?.reveal() ?? '');
  const type = textOf(document, 'type');
  if (trusted === true || SELF_CONTAINED.has(type)) return document;
  throw new SottoError('KEY_CREDENTIALS_INVALID', `GCP credentials of type ${JSON.stringify(type.slice(0, 40))} are not accepted here`, {
    hint: 'use a service_account key: other types make this program read files or call addresses that the document names',
  });
}

function parseDocument(text: string): Readonly<Record<string, unknown>> {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    // the parser's message quotes the document
    throw new SottoError('KEY_CREDENTIALS_INVALID', 'the GCP credentials are no JSON document');
  }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function parseEndpoint(endpoint = ''): { readonly host?: string; readonly port?: number; readonly isPlain: boolean } {
  if (endpoint === '') return { isPlain: false };
  const text = /^https?:\/\//.test(endpoint) ? endpoint : `https://${endpoint}`;
  if (!URL.canParse(text)) throw new SottoError('KEY_CREDENTIALS_INVALID', 'the GCP KMS endpoint is neither host, host:port nor URL');
  const { hostname, port, protocol } = new URL(text);
  const isPlain = protocol === 'http:';
  if (isPlain && !LOOPBACK.test(hostname)) throw new SottoError('KEY_CREDENTIALS_INVALID', 'the GCP KMS endpoint must use https');
  return { host: hostname, isPlain, ...(port === '' ? {} : { port: Number(port) }) };
}

/** Status codes of gRPC, and their names, which REST answers carry. */
const STATUSES: readonly (readonly [code: number, name: string, failure: ServiceFailure])[] = [
  [3, 'INVALID_ARGUMENT', 'wrapped-invalid'],
  [4, 'DEADLINE_EXCEEDED', 'busy'],
  [5, 'NOT_FOUND', 'no-key'],
  [7, 'PERMISSION_DENIED', 'denied'],
  [8, 'RESOURCE_EXHAUSTED', 'throttled'],
  [9, 'FAILED_PRECONDITION', 'no-key'],
  [13, 'INTERNAL', 'busy'],
  [14, 'UNAVAILABLE', 'unreachable'],
  [16, 'UNAUTHENTICATED', 'denied'],
];
const NO_TOKEN = /Getting metadata from plugin failed|invalid_grant|invalid_client|unauthorized_client/;
const LOWEST_HTTP_STATUS = 100;

/** True when the ambient chain found nothing. */
export function hasNoCredentials(error: unknown): boolean {
  return error instanceof Error && /Could not load the default credentials/.test(error.message);
}

/** The SDK's error as one of ours. */
export function gcpFailure(error: unknown, call: ServiceCall): Error {
  if (error instanceof SottoError) return error;
  const said = error instanceof Error ? error.message : '';
  const { status, message } = answerIn(said);
  const code = recordOf(error)['code'];
  if (NO_TOKEN.test(said)) return serviceError(call, 'denied', message);
  const known = STATUSES.find(([number, name]) => name === status || number === code);
  if (known !== undefined) return serviceError(call, known[2], message);
  if (typeof code !== 'number') return serviceError(call, 'unreachable', typeof code === 'string' ? code : '');
  return serviceError(call, code < LOWEST_HTTP_STATUS ? 'failed' : failureOfStatus(code), message);
}

/** Over REST the SDK's message is the body of the answer. */
function answerIn(said: string): { readonly status: string; readonly message: string } {
  if (!said.startsWith('{')) return { status: '', message: said };
  try {
    const answer = recordOf(recordOf(JSON.parse(said))['error']);
    return { status: textOf(answer, 'status'), message: textOf(answer, 'message') };
  } catch {
    // some other text that begins with a brace
    return { status: '', message: said };
  }
}
