import type { Client, ServiceError } from '@grpc/grpc-js';

import { SottoError } from '../../../base/errors/index.ts';
import { Sensitive } from '../../../base/sensitive/index.ts';
import type { KeyContext, MasterKey, Unwrapped } from '../../keys/index.ts';
import type { KeyService } from '../key-services.ts';
import { bytesOf, keyMessage, loadCodec, pathOf, type Codec, type Method } from './protocol.ts';

const DEADLINE_MS = 60_000;
const PROTOCOLS = new Set(['tcp:', 'unix:']);

/** A key service in another process. */
export interface RemoteKeyService extends KeyService {
  /** Ends the connection. */
  close(): void;
}

/**
 * A client for `tcp://host:port` or `unix:///path`. It connects when it is first used. The protocol has no encryption and no
 * authentication: who can listen in sees data keys.
 *
 * @throws SottoError SOPS_KEY_SERVICE_ADDRESS; calls throw SOPS_KEY_SERVICE
 */
export function remoteKeyService(address: string, context: KeyContext): RemoteKeyService {
  const target = targetOf(address);
  let connection: Promise<{ readonly client: Client; readonly codec: Codec }> | undefined;
  const connect = async (): Promise<{ readonly client: Client; readonly codec: Codec }> => {
    const grpc = await import('@grpc/grpc-js');
    return { client: new grpc.Client(target, grpc.credentials.createInsecure()), codec: await loadCodec() };
  };
  const call = async (method: Method, key: MasterKey, name: string, bytes: Uint8Array): Promise<Uint8Array> => {
    connection ??= connect();
    const { client, codec } = await connection;
    const request = codec.encode(`${method}Request`, { key: keyMessage(key), [name]: bytes });
    const answer = await context.world.outside(() => unary(client, method, request, context, address));
    const response = codec.decode(`${method}Response`, answer);
    return bytesOf(response, method === 'Encrypt' ? 'ciphertext' : 'plaintext');
  };
  return {
    name: address,
    wrap: async (key, dataKey) => Buffer.from(await call('Encrypt', key, 'plaintext', dataKey.reveal())).toString('utf8'),
    unwrap: async (key, wrapped): Promise<Unwrapped> => ({
      kind: 'opened',
      dataKey: new Sensitive(await call('Decrypt', key, 'ciphertext', Buffer.from(wrapped, 'utf8'))),
    }),
    close: () => {
      void connection?.then(({ client }) => client.close());
    },
  };
}

function unary(client: Client, method: Method, request: Uint8Array, { world, signal }: KeyContext, address: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, answer?: Uint8Array): void => {
      signal?.removeEventListener('abort', stop);
      if (error === null && answer !== undefined) resolve(answer);
      else
        reject(
          new SottoError('SOPS_KEY_SERVICE', `key service ${address}: ${detailsOf(error)}`, { retry: Number(error?.code) === UNAVAILABLE }),
        );
    };
    const deadline = world.clock.now() + DEADLINE_MS;
    const call = client.makeUnaryRequest<Uint8Array, Uint8Array>(pathOf(method), toBuffer, asIs, request, { deadline }, done);
    const stop = (): void => call.cancel();
    signal?.addEventListener('abort', stop, { once: true });
  });
}

const UNAVAILABLE = 14;

function detailsOf(error: ServiceError | null): string {
  // the library appends an empty note
  return (error?.details ?? 'no answer').replace(/ Resolution note: $/, '');
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

function asIs(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes);
}

/** The name gRPC has for an address. */
function targetOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !PROTOCOLS.has(url.protocol) || (url.protocol === 'tcp:' && url.host === '')) {
    throw new SottoError('SOPS_KEY_SERVICE_ADDRESS', `no address of a key service: ${address}`, {
      hint: 'write tcp://host:port or unix:///path',
    });
  }
  return url.protocol === 'unix:' ? `unix:${url.host}${url.pathname}` : `dns:${url.host}`;
}
