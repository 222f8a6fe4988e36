/** A key service on a loopback port that checks Signature Version 4 as AWS does, for tests. */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { systemWorld } from '../../base/world/index.ts';

interface FakeUser {
  readonly secret: string;
  readonly token?: string;
}

interface FakeCall {
  readonly action: string;
  readonly user: string;
  readonly region: string;
  readonly service: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface FakeAws {
  readonly url: string;
  readonly calls: FakeCall[];
  /** Access key id → what it signs with. */
  readonly users: Map<string, FakeUser>;
  /** Answers the next call with this instead. */
  failNext: { readonly status: number; readonly type: string; readonly message: string } | undefined;
  close(): Promise<void>;
}

const hash = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The user whose secret made the signature; undefined when it was made otherwise. */
function signer(request: IncomingMessage, body: string, users: Map<string, FakeUser>) {
  const header = request.headers.authorization ?? '';
  const [, user = '', day = '', region = '', service = '', signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      header,
    ) ?? [];
  const known = users.get(user);
  const stamp = String(request.headers['x-amz-date']);
  const isFresh =
    stamp.startsWith(day) &&
    Math.abs(systemWorld().clock.now() - Date.parse(stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))) < 300_000;
  if (known === undefined || !isFresh || request.headers['x-amz-security-token'] !== known.token) return undefined;
  const headers = signed.split(';');
  if (!headers.includes('host') || !headers.includes('x-amz-date')) return undefined;
  const lines = headers.map((name) => `${name}:${String(request.headers[name]).trim().replaceAll(/ +/g, ' ')}\n`).join('');
  const canonical = [request.method, '/', '', lines, signed, hash(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', stamp, `${day}/${region}/${service}/aws4_request`, hash(canonical)].join('\n');
  const key = [region, service, 'aws4_request'].reduce<Uint8Array>((made, part) => hmac(made, part), hmac(`AWS4${known.secret}`, day));
  return hmac(key, text).toString('hex') === signature ? { user, region, service } : undefined;
}

class AwsError extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

export async function startFakeAws(): Promise<FakeAws> {
  const secret = randomBytes(32);
  const users = new Map<string, FakeUser>([['AKIDEXAMPLE', { secret: 'not-a-real-secret-access-key' }]]);
  const calls: FakeCall[] = [];
  const state: { failNext: FakeAws['failNext'] } = { failNext: undefined };
  const aad = (input: Readonly<Record<string, unknown>>): Buffer => {
    const context = Object.entries((input['EncryptionContext'] ?? {}) as Record<string, string>).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return Buffer.from(JSON.stringify([input['KeyId'], context]));
  };
  const actions: Record<string, (input: Readonly<Record<string, unknown>>) => unknown> = {
    Encrypt: (input) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', secret, iv).setAAD(aad(input));
      const body = Buffer.concat([cipher.update(Buffer.from(String(input['Plaintext']), 'base64')), cipher.final()]);
      return { KeyId: input['KeyId'], CiphertextBlob: Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64') };
    },
    Decrypt: (input) => {
      const blob = Buffer.from(String(input['CiphertextBlob']), 'base64');
      try {
        const decipher = createDecipheriv('aes-256-gcm', secret, blob.subarray(0, 12)).setAAD(aad(input)).setAuthTag(blob.subarray(12, 28));
        return {
          KeyId: input['KeyId'],
          Plaintext: Buffer.concat([decipher.update(blob.subarray(28)), decipher.final()]).toString('base64'),
        };
      } catch {
        throw new AwsError('InvalidCiphertextException', `cannot open ${String(input['CiphertextBlob'])}`);
      }
    },
  };
  const assumeRole = (form: URLSearchParams): string => {
    users.set('ASIAROLE', { secret: 'role-secret', token: 'role-session-token' });
    return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-session-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><Arn>${form.get('RoleArn')}</Arn><AssumedRoleId>x</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>`;
  };
  const answer = (request: IncomingMessage, body: string): { status: number; type: string; text: string } => {
    const isQuery = String(request.headers['content-type']).startsWith('application/x-www-form-urlencoded');
    const form = new URLSearchParams(isQuery ? body : '');
    const input = isQuery ? Object.fromEntries(form) : (JSON.parse(body) as Record<string, unknown>);
    const action = isQuery ? (form.get('Action') ?? '') : String(request.headers['x-amz-target']).replace('TrentService.', '');
    const who = signer(request, body, users);
    calls.push({ action, input, user: who?.user ?? '', region: who?.region ?? '', service: who?.service ?? '' });
    const json = 'application/x-amz-json-1.1';
    const failure = state.failNext;
    state.failNext = undefined;
    if (failure !== undefined)
      return { status: failure.status, type: json, text: JSON.stringify({ __type: failure.type, message: failure.message }) };
    if (who === undefined)
      return {
        status: 400,
        type: json,
        text: JSON.stringify({ __type: 'InvalidSignatureException', message: 'signature does not match' }),
      };
    if (isQuery) return { status: 200, type: 'text/xml', text: assumeRole(form) };
    try {
      return { status: 200, type: json, text: JSON.stringify(actions[action]?.(input)) };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return { status: 400, type: json, text: JSON.stringify({ __type: error.type, message: error.message }) };
    }
  };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status, type, text } = answer(request, Buffer.concat(chunks).toString());
      response.writeHead(status, { 'content-type': type }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    users,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  });
}
