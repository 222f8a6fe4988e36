import type { Dispatcher } from 'undici';

import { aborted, codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { stringifyJson } from '../objects/index.ts';
import { readAccess, type Access, type Credentials, type KubeconfigOptions } from './access.ts';
import { jsonLines } from './lines.ts';
import type { ApiRequest, ApiResponse, Handle } from './types.ts';

export interface HttpsHandleOptions extends KubeconfigOptions {
  readonly world: World;
}

/** A {@link Handle} over HTTPS. */
export interface HttpsHandle extends Handle {
  /** Base URL of the API server. */
  readonly server: string;
  /** Namespace of the kubeconfig's context. */
  readonly namespace: string;
  /** Closes idle connections. Not needed for the process to end. */
  readonly close: () => Promise<void>;
}

/** A remote cluster may be a tenant's: its answers are bounded. */
const MAX_ANSWER_BYTES = 512 * 1024 * 1024;
/** Longer than the 60 s after which an API server gives up a request. */
const HEADERS_TIMEOUT_MS = 75_000;
const BUSY_RETRIES = 10;
/** Whoever asks for more patience than this is answered by an error, and the caller decides. */
const LONGEST_RETRY_SECONDS = 30;

/**
 * Reaches a real API server with a kubeconfig, or with the ServiceAccount of the Pod.
 *
 * @throws SottoError KUBECONFIG_*; the handle itself throws KUBE_UNREACHABLE (retry) when no answer came
 * @example
 * ```ts
 * const cluster = connect(await httpsHandle({ kubeconfig: { path: '/home/me/.kube/config' }, world }));
 * ```
 */
export async function httpsHandle({ world, ...options }: HttpsHandleOptions): Promise<HttpsHandle> {
  const access = readAccess(options, world);
  const { request } = await import('undici');
  const dispatchers = await dispatcherCache(access);

  const handle = async (call: ApiRequest): Promise<ApiResponse> => {
    if (call.signal.aborted) throw aborted();
    const credentials = await access.credentials();
    const isWatch = ['true', '1'].includes(call.query.get('watch') ?? '');
    const send = () =>
      request(urlOf(access.server, call), {
        method: call.method,
        headers: headersOf(call, credentials),
        body: bodyOf(call),
        signal: call.signal,
        dispatcher: dispatchers.for(credentials.tls),
        headersTimeout: HEADERS_TIMEOUT_MS,
        ...(isWatch ? { bodyTimeout: 0 } : {}),
      });
    try {
      const response = await patiently(send, call.signal, world);
      const headers = joinHeaders(response.headers);
      if (isWatch && response.statusCode < 300) {
        return { status: response.statusCode, headers, body: { kind: 'stream', frames: framesOf(response.body, call.signal) } };
      }
      const bytes = await world.outside(() => readAll(response.body));
      return { status: response.statusCode, headers, body: bytes.length === 0 ? { kind: 'none' } : { kind: 'bytes', bytes } };
    } catch (error) {
      throw failureOf(error, access.server, call.signal);
    }
  };
  return Object.assign(handle, { server: access.server, namespace: access.namespace, close: () => dispatchers.close() });
}

/** A server that is too busy says when to come back; client-go does so ten times. */
async function patiently(
  send: () => Promise<Dispatcher.ResponseData>,
  signal: AbortSignal,
  world: World,
): Promise<Dispatcher.ResponseData> {
  for (let attempt = 0; ; attempt++) {
    const response = await world.outside(send);
    const { statusCode, headers } = response;
    const seconds = Number(headers['retry-after'] ?? NaN);
    const isBusy = (statusCode === 429 || statusCode >= 500) && Number.isFinite(seconds) && seconds <= LONGEST_RETRY_SECONDS;
    if (!isBusy || attempt === BUSY_RETRIES) return response;
    await world.outside(() => response.body.dump());
    await world.clock.sleep(seconds * 1000, signal);
  }
}

/** Segments are encoded one by one: a decoded `:` or `%` in a name must not change the path. */
function urlOf(server: string, { path, query }: ApiRequest): string {
  const search = query.toString();
  return `${server}${path.split('/').map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
}

/** A call that impersonates replaces the impersonation of the kubeconfig as a whole. */
function headersOf(call: ApiRequest, credentials: Credentials): Record<string, string | string[]> {
  const isOther = call.headers['impersonate-user'] !== undefined;
  const own = Object.entries(credentials.headers).filter(([name]) => !isOther || !name.startsWith('impersonate-'));
  const { 'impersonate-group': groups, ...headers } = { ...Object.fromEntries(own), ...call.headers };
  return groups === undefined ? headers : { ...headers, 'impersonate-group': groups.split(', ') };
}

function bodyOf({ body }: ApiRequest): Uint8Array | string | null {
  if (body === undefined) return null;
  return body.kind === 'bytes' ? body.bytes : stringifyJson(body.value);
}

function joinHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new SottoError('KUBE_ANSWER_TOO_LARGE', `the API server's answer exceeds ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Ends quietly when the request is stopped or the connection breaks: a watcher starts again anyway. */
async function* framesOf(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<unknown> {
  try {
    yield* jsonLines(body);
  } catch (error) {
    if (!signal.aborted && error instanceof SottoError && error.code !== 'KUBE_STREAM_BROKEN') throw error;
  }
}

function failureOf(error: unknown, server: string, signal: AbortSignal): SottoError {
  if (signal.aborted) return aborted();
  if (error instanceof SottoError) return error;
  return new SottoError('KUBE_UNREACHABLE', `cannot reach the API server at ${server}: ${codeOf(error)}`, { retry: true, cause: error });
}

interface DispatcherCache {
  for(tls: Credentials['tls']): Dispatcher;
  close(): Promise<void>;
}

/** Connections are kept while the TLS material stays the same; a renewed client certificate starts new ones. */
async function dispatcherCache({ proxy }: Access): Promise<DispatcherCache> {
  const { Agent, ProxyAgent } = await import('undici');
  let current: { readonly tls: Credentials['tls']; readonly dispatcher: Dispatcher } | undefined;
  return {
    for: (tls) => {
      if (current !== undefined && sameTls(current.tls, tls)) return current.dispatcher;
      void current?.dispatcher.close();
      const dispatcher = proxy === undefined ? new Agent({ connect: tls }) : new ProxyAgent({ uri: proxy, requestTls: tls });
      current = { tls, dispatcher };
      return dispatcher;
    },
    close: async () => current?.dispatcher.close(),
  };
}

function sameTls(a: Credentials['tls'], b: Credentials['tls']): boolean {
  return (['ca', 'cert', 'key', 'servername', 'rejectUnauthorized'] as const).every((field) => {
    const [x, y] = [a[field], b[field]];
    return x === y || (x instanceof Buffer && y instanceof Buffer && x.equals(y));
  });
}
