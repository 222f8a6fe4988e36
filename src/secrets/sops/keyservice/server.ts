import type { Server, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';

import { messageOf, SottoError } from '../../../base/errors/index.ts';
import { Sensitive } from '../../../base/sensitive/index.ts';
import type { Credentials, KeyContext, MasterKey } from '../../keys/index.ts';
import { keyWithFields } from '../key-services.ts';
import { bytesOf, keyOfMessage, loadCodec, pathOf, type Codec, type Method } from './protocol.ts';

/** How a key service serves. */
export interface KeyServiceOptions extends KeyContext {
  readonly network: 'tcp' | 'unix';
  /** `host:port`, or the path of a socket. */
  readonly address: string;
  /** Asked for the keys of every request, so that they can be looked up late. */
  readonly credentials: (key: MasterKey) => Promise<Credentials>;
  /** Asked before every request is served; false refuses it. Default: everything is allowed. */
  readonly allow?: (request: 'encrypt' | 'decrypt', key: MasterKey) => Promise<boolean>;
  /** Told about requests that fail; never a key. */
  readonly warn?: (message: string) => void;
}

export interface RunningKeyService {
  /** The port that was bound; 0 for a socket. */
  readonly port: number;
  close(): void;
}

interface Refusal {
  readonly code: number;
  readonly details: string;
}
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNKNOWN = 2;

/**
 * Serves the key service protocol: whoever can connect can use the keys. Permission is asked before the key is used.
 *
 * @throws SottoError SOPS_KEY_SERVICE_LISTEN
 */
export async function startKeyService(options: KeyServiceOptions): Promise<RunningKeyService> {
  const grpc = await import('@grpc/grpc-js');
  const codec = await loadCodec();
  const server = new grpc.Server();
  const method = (name: Method): object => ({
    path: pathOf(name),
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    requestDeserialize: (bytes: Buffer) => new Uint8Array(bytes),
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    responseDeserialize: (bytes: Buffer) => new Uint8Array(bytes),
  });
  const handler =
    (name: Method) =>
    (call: ServerUnaryCall<Uint8Array, Uint8Array>, answer: sendUnaryData<Uint8Array>): void => {
      void serve(name, call.request, codec, options).then(
        (response) => answer(null, response),
        (error: unknown) => answer(refusalOf(error, options)),
      );
    };
  server.addService({ Encrypt: method('Encrypt'), Decrypt: method('Decrypt') } as Parameters<Server['addService']>[0], {
    Encrypt: handler('Encrypt'),
    Decrypt: handler('Decrypt'),
  });
  const target = options.network === 'unix' ? `unix:${options.address}` : options.address;
  const port = await options.world.outside(() => bind(server, target, grpc.ServerCredentials.createInsecure()));
  return { port: options.network === 'unix' ? 0 : port, close: () => server.forceShutdown() };
}

function bind(server: Server, target: string, credentials: Parameters<Server['bindAsync']>[1]): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(new SottoError('SOPS_KEY_SERVICE_LISTEN', `cannot listen on ${target}: ${error.message}`, { cause: error }));
    });
  });
}

class Refused extends Error implements Refusal {
  readonly code: number;
  readonly details: string;

  constructor(code: number, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

async function serve(method: Method, bytes: Uint8Array, codec: Codec, options: KeyServiceOptions): Promise<Uint8Array> {
  const request = codec.decode(`${method}Request`, bytes);
  const named = keyOfMessage(request['key']);
  if (named === undefined) throw new Refused(NOT_FOUND, 'Must provide a key');
  const key = keyWithFields(named.type, named.fields);
  const word = method === 'Encrypt' ? 'encrypt' : 'decrypt';
  if (options.allow !== undefined && !(await options.allow(word, key))) throw new Refused(PERMISSION_DENIED, 'Request rejected by user');
  const credentials = await options.credentials(key);
  if (method === 'Encrypt') {
    const ciphertext = await key.wrap(new Sensitive(bytesOf(request, 'plaintext')), credentials, options);
    return codec.encode('EncryptResponse', { ciphertext: Buffer.from(ciphertext, 'utf8') });
  }
  const unwrapped = await key.unwrap(Buffer.from(bytesOf(request, 'ciphertext')).toString('utf8'), credentials, options);
  if (unwrapped.kind === 'not-mine') throw new Refused(UNKNOWN, unwrapped.reason);
  return codec.encode('DecryptResponse', { plaintext: unwrapped.dataKey.reveal() });
}

function refusalOf(error: unknown, { warn }: KeyServiceOptions): Refusal {
  if (error instanceof Refused) return { code: error.code, details: error.details };
  // only our own errors are known to quote nothing
  const details = error instanceof SottoError ? messageOf(error) : 'the request failed';
  warn?.(details);
  return { code: UNKNOWN, details };
}
