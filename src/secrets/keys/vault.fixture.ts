/** A transit engine and a Kubernetes login on a loopback port, for tests. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface FakeVault {
  readonly address: string;
  readonly calls: {
    readonly method: string;
    readonly path: string;
    readonly token: string;
    readonly namespace: string;
    readonly body: Record<string, string>;
  }[];
  /** Answers the next calls with these instead. */
  readonly failures: { readonly status: number; readonly errors?: readonly string[]; readonly location?: string }[];
  close(): Promise<void>;
}

const MARK = 'vault:v3:';
const flip = (text: string): string => Array.from(text).toReversed().join('');

export async function startFakeVault(token: string, tls?: ServerOptions): Promise<FakeVault> {
  const calls: FakeVault['calls'] = [];
  const failures: FakeVault['failures'] = [];
  const answer = (path: string, given: string, body: Record<string, string>): { status: number; json: unknown } => {
    if (path === '/v1/auth/kubernetes/login') {
      return body['role'] === 'apps_reader'
        ? { status: 200, json: { auth: { client_token: token } } }
        : { status: 403, json: { errors: ['permission denied'] } };
    }
    if (given !== token) return { status: 403, json: { errors: ['2 errors occurred:\n\t* permission denied', `token ${given}`] } };
    // the fake "encrypts" by turning the text round
    if (path.includes('/encrypt/')) return { status: 200, json: { data: { ciphertext: MARK + flip(body['plaintext'] ?? '') } } };
    const ciphertext = body['ciphertext'] ?? '';
    if (!ciphertext.startsWith(MARK)) return { status: 400, json: { errors: [`invalid ciphertext: ${ciphertext}`] } };
    return { status: 200, json: { data: { plaintext: flip(ciphertext.slice(MARK.length)) } } };
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
      const header = (name: string): string => String(request.headers[name] ?? '');
      const call = {
        method: request.method ?? '',
        path: request.url ?? '',
        token: header('x-vault-token'),
        namespace: header('x-vault-namespace'),
        body,
      };
      calls.push(call);
      const failure = failures.shift();
      if (failure !== undefined) {
        const headers = failure.location === undefined ? {} : { location: failure.location };
        response.writeHead(failure.status, headers).end(JSON.stringify({ errors: failure.errors ?? [] }));
        return;
      }
      const { status, json } = answer(call.path, call.token, body);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    });
  };
  const server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    failures,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
