import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

import type { ApiRequest, UserInfo } from '../../kube/client/index.ts';
import { apiErrors } from '../../kube/objects/index.ts';
import { MAX_BODY_BYTES, tooLarge } from './body.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const BROWSERS = /^(curl|Wget|Mozilla)/;

/**
 * A request from the wire, without its body.
 *
 * @throws ApiError 400, 401, 405
 */
export function requestOf(message: IncomingMessage, signal: AbortSignal): ApiRequest {
  const method = message.method ?? 'GET';
  if (!METHODS.has(method)) throw apiErrors.of(405, 'MethodNotAllowed', 'the method is not supported here');
  const target = message.url ?? '/';
  const mark = target.indexOf('?');
  const user = clientUser(message.socket as TLSSocket);
  return {
    method: method as ApiRequest['method'],
    path: decodePath(mark < 0 ? target : target.slice(0, mark)),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    headers: headersOf(message),
    signal,
    ...(user === undefined ? {} : { user }),
  };
}

function decodePath(path: string): string {
  try {
    return path.split('/').map(decodeURIComponent).join('/');
  } catch {
    throw apiErrors.badRequest('the path of the request is not valid');
  }
}

function headersOf(message: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** The user of a client certificate (AUTHN-01). @throws ApiError 401 for a certificate that our CA didn't issue */
function clientUser(socket: TLSSocket): UserInfo | undefined {
  const certificate = socket.getPeerCertificate?.();
  if (certificate === undefined || Object.keys(certificate).length === 0) return undefined;
  if (!socket.authorized) throw apiErrors.unauthorized();
  const { CN, O } = certificate.subject as { CN?: string; O?: string | string[] };
  if (CN === undefined || CN === '') throw apiErrors.unauthorized();
  return { username: CN, groups: O === undefined ? [] : [O].flat() };
}

/**
 * Reads a body, also a chunked one without length.
 *
 * @throws ApiError 413 beyond the limit
 */
export function readBytes(message: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (Number(message.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return reject(tooLarge());
    const chunks: Uint8Array[] = [];
    let length = 0;
    message.on('data', (chunk: Uint8Array) => {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      message.pause();
      reject(tooLarge());
    });
    message.on('end', () => resolve(chunks.length === 1 ? (chunks[0] ?? new Uint8Array()) : Buffer.concat(chunks)));
    message.on('error', reject);
    message.on('close', () => reject(new Error('the client went away')));
  });
}

/** True for requests whose answer a person reads (ENC-07). */
export function wantsPretty(request: ApiRequest): boolean {
  const asked = request.query.get('pretty');
  if (asked !== null) return !['false', '0'].includes(asked);
  return BROWSERS.test(request.headers['user-agent'] ?? '');
}
