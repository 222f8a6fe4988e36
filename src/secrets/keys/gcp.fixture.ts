/** Cloud KMS on loopback ports, once as REST and once as gRPC, for tests. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';

export interface FakeGcp {
  readonly endpoint: string;
  readonly calls: { readonly action: string; readonly name: string; readonly authorization: string }[];
  /** Answers the next call with this instead. */
  failNext: { readonly code: number; readonly message: string } | undefined;
  close(): Promise<void>;
}

/** The fake "encrypts" by turning the bytes round. */
const flip = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes).toReversed();

const HTTP_STATUS: Readonly<Record<number, number>> = { 3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 14: 503, 16: 401 };
const NAMES: Readonly<Record<number, string>> = {
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  14: 'UNAVAILABLE',
  16: 'UNAUTHENTICATED',
};

const CODES = new Map<number, status>(
  [
    status.INVALID_ARGUMENT,
    status.NOT_FOUND,
    status.PERMISSION_DENIED,
    status.RESOURCE_EXHAUSTED,
    status.FAILED_PRECONDITION,
    status.UNAVAILABLE,
    status.UNAUTHENTICATED,
  ].map((code) => [code, code]),
);

export async function startFakeRest(accepts: (authorization: string) => boolean): Promise<FakeGcp> {
  const calls: FakeGcp['calls'] = [];
  const state: { failNext: FakeGcp['failNext'] } = { failNext: undefined };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const [, name = '', action = ''] = /^\/v1\/(.+):(encrypt|decrypt)\?/.exec(decodeURIComponent(request.url ?? '')) ?? [];
      const authorization = request.headers.authorization ?? '';
      calls.push({ action, name, authorization });
      const failure = accepts(authorization) ? state.failNext : { code: 16, message: 'bad token' };
      state.failNext = undefined;
      response.setHeader('content-type', 'application/json');
      if (failure !== undefined) {
        const error = { code: HTTP_STATUS[failure.code], message: failure.message, status: NAMES[failure.code] };
        response.writeHead(HTTP_STATUS[failure.code] ?? 500).end(JSON.stringify({ error }));
        return;
      }
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { plaintext?: string; ciphertext?: string };
      const bytes = Buffer.from(flip(Buffer.from(body.plaintext ?? body.ciphertext ?? '', 'base64'))).toString('base64');
      response.end(
        JSON.stringify(action === 'encrypt' ? { name: `${name}/cryptoKeyVersions/1`, ciphertext: bytes } : { plaintext: bytes }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** Both requests are a name (1) and bytes (2). */
interface Message {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A length of up to two bytes; nothing here is longer. */
function lengthAt(buffer: Buffer, at: number): { readonly length: number; readonly next: number } {
  const low = buffer.readUInt8(at);
  if (low < 128) return { length: low, next: at + 1 };
  return { length: (low & 127) | (buffer.readUInt8(at + 1) << 7), next: at + 2 };
}

function decode(buffer: Buffer): Message {
  let name = '';
  let bytes: Uint8Array = new Uint8Array();
  for (let at = 0; at < buffer.length;) {
    const tag = buffer.readUInt8(at);
    const { length, next } = lengthAt(buffer, at + 1);
    const part = buffer.subarray(next, next + length);
    if (tag === 0x0a) name = part.toString('utf8');
    if (tag === 0x12) bytes = part;
    at = next + length;
  }
  return { name, bytes };
}

/** Answers of Encrypt carry the bytes in field 2, those of Decrypt in field 1. */
const encode =
  (field: number) =>
  ({ bytes }: Message): Buffer =>
    Buffer.concat([Buffer.of((field << 3) | 2, bytes.length), bytes]);

export async function startFakeGrpc(tls?: { readonly certificate: string; readonly key: string }): Promise<FakeGcp> {
  const calls: FakeGcp['calls'] = [];
  const state: { failNext: FakeGcp['failNext'] } = { failNext: undefined };
  const server = new Server();
  const handle =
    (action: string) =>
    (call: ServerUnaryCall<Message, Message>, done: sendUnaryData<Message>): void => {
      calls.push({ action, name: call.request.name, authorization: call.metadata.get('authorization').join() });
      const failure = state.failNext;
      state.failNext = undefined;
      if (failure !== undefined) done({ code: CODES.get(failure.code) ?? status.UNKNOWN, details: failure.message });
      else done(null, { name: '', bytes: flip(call.request.bytes) });
    };
  const method = (name: string, field: number) => ({
    path: `/google.cloud.kms.v1.KeyManagementService/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: encode(2),
    requestDeserialize: decode,
    responseSerialize: encode(field),
    responseDeserialize: decode,
  });
  server.addService(
    { encrypt: method('Encrypt', 2), decrypt: method('Decrypt', 1) },
    { encrypt: handle('encrypt'), decrypt: handle('decrypt') },
  );
  const pair = tls === undefined ? [] : [{ cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) }];
  const credentials = tls === undefined ? ServerCredentials.createInsecure() : ServerCredentials.createSsl(null, pair);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
  );
  return Object.assign(state, {
    endpoint: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    calls,
    close: () => Promise.resolve(server.forceShutdown()),
  });
}
