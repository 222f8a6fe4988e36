import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import type { ApiRequest, ApiResponse, Handle } from '../../kube/client/index.ts';
import { ApiError } from '../../kube/objects/index.ts';
import { encodeJson } from '../store/index.ts';
import type { Certificates } from './certificates.ts';
import { statusResponse } from './represent.ts';
import { readBytes, requestOf, wantsPretty } from './wire.ts';

/** Bodies larger than this are compressed for clients that want it (ENC-05). */
const GZIP_BYTES = 128 * 1024;
/** Longer than Go's clients keep idle connections, so that they don't write to one that we just closed. */
const KEEP_ALIVE_MS = 120_000;
/** A request must have come in whole by then (LIM-01). */
const REQUEST_MS = 60_000;
const HOST = '127.0.0.1';

const compress = promisify(gzip);

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly world: World;
  readonly handle: Handle;
  readonly certificates: Certificates;
  /** 0: any free port. */
  readonly port: number;
}

/**
 * Serves a handle over HTTPS on the loopback interface.
 *
 * @throws SottoError CLUSTER_PORT_TAKEN
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { world, certificates, port } = options;
  const server = createServer(
    {
      key: certificates.server.key,
      cert: certificates.server.certificate,
      ca: certificates.authority.certificate,
      requestCert: true,
      // A client without a certificate may have a token; a wrong certificate is refused by the request.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Of sending the request; a watch sends its own at once.
      requestTimeout: REQUEST_MS,
    },
    (message, response) => void serveRequest(options, message, response),
  );
  await world.outside(() => bind(server, port));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      world.outside(
        () =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
  };
}

function bind(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE';
      const code = isTaken ? 'CLUSTER_PORT_TAKEN' : 'CLUSTER_PORT_UNUSABLE';
      const problem = isTaken ? 'is in use by another program' : 'cannot be listened on';
      reject(new SottoError(code, `port ${port} on ${HOST} ${problem}`, { hint: 'choose another port, or 0 for any free one', cause }));
    });
    server.listen(port, HOST, () => resolve());
  });
}

async function serveRequest(options: ListenOptions, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const aborter = new AbortController();
  // The request's own `close` comes as soon as its body is read; the response's comes when the client is gone.
  // After a whole answer nobody listens any more, and aborting costs.
  response.on('close', () => {
    if (!response.writableFinished) aborter.abort();
  });
  response.on('error', () => aborter.abort());
  let request: ApiRequest | undefined;
  try {
    request = requestOf(message, aborter.signal);
    const bytes = await readBytes(message);
    const complete = bytes.length === 0 ? request : { ...request, body: { kind: 'bytes' as const, bytes } };
    await respond(options.world, request, response, await options.handle(complete));
  } catch (error) {
    if (error instanceof ApiError) await respond(options.world, request, response, statusResponse(error.status));
    // An injected fault or a broken connection: the client sees a connection that ends.
    else response.destroy();
  }
  if (!message.complete) message.destroy();
}

async function respond(world: World, request: ApiRequest | undefined, response: ServerResponse, answer: ApiResponse): Promise<void> {
  const { body } = answer;
  if (body.kind === 'stream') return stream(response, answer.headers, body.frames);
  const payload = await payloadOf(world, request, answer);
  response.writeHead(answer.status, { ...answer.headers, ...payload.headers, 'content-length': payload.bytes.length });
  response.end(request?.method === 'HEAD' ? undefined : payload.bytes);
}

async function payloadOf(
  world: World,
  request: ApiRequest | undefined,
  { body }: ApiResponse,
): Promise<{ bytes: Uint8Array; headers: Record<string, string> }> {
  if (body.kind === 'none' || body.kind === 'stream') return { bytes: new Uint8Array(), headers: {} };
  const isPretty = request !== undefined && wantsPretty(request);
  const bytes = body.kind === 'bytes' ? body.bytes : Buffer.from(`${encodeJson(body.value, isPretty ? 2 : undefined)}\n`);
  const canCompress = request?.method === 'GET' && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  if (!canCompress || bytes.length <= GZIP_BYTES) return { bytes, headers: {} };
  return {
    bytes: await world.outside(() => compress(bytes, { level: 1 })),
    headers: { 'content-encoding': 'gzip', vary: 'Accept-Encoding' },
  };
}

/** Writes frames as lines, at the client's pace. The source drops us when we fall too far behind. */
async function stream(response: ServerResponse, headers: Readonly<Record<string, string>>, frames: AsyncIterable<unknown>): Promise<void> {
  response.writeHead(200, { ...headers, 'transfer-encoding': 'chunked' });
  response.flushHeaders();
  for await (const frame of frames) {
    if (response.destroyed) return;
    const hasRoom = response.write(`${encodeJson(frame)}\n`);
    if (!hasRoom) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
