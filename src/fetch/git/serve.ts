import { spawn, type ChildProcess } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { resolve as resolvePath } from 'node:path';

import type { Sensitive } from '../../base/sensitive/index.ts';
import type { World } from '../../base/world/index.ts';
import { gitEnvironment, HARDENED_SETTINGS, settings } from './hardening.ts';
import { killGroup } from './process.ts';

const SERVICE = 'git-upload-pack';
const MAX_HEADER_BYTES = 16 * 1024;
/** Reading only, smart HTTP only, whoever owns the directory. */
const SERVE_SETTINGS = settings({
  'http.receivepack': 'false',
  'http.getanyfile': 'false',
  'safe.directory': '*',
});

export interface ServeRepositoryOptions {
  readonly world: World;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** The first part of the URL's path; `.git` is added. Default `repository`. */
  readonly name?: string;
  /** What a client has to show. Absent: everybody on this machine may read. */
  readonly auth?:
    | { readonly kind: 'basic'; readonly username: string; readonly password: Sensitive<string> }
    | { readonly kind: 'bearer'; readonly token: Sensitive<string> };
  /** PEM. With `clientAuthorities` clients have to show a certificate of theirs. */
  readonly tls?: { readonly certificate: string; readonly key: Sensitive<string>; readonly clientAuthorities?: string };
}

/** A repository that is being served. */
export interface RepositoryServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves a repository (bare, a checkout or a worktree) on loopback over smart HTTP, through `git http-backend`. It
 * can only be read. Runs in the real world only: sockets do not exist in simulations.
 *
 * @throws the system's error when it cannot listen
 */
export async function serveRepository(directory: string, options: ServeRepositoryOptions): Promise<RepositoryServer> {
  const { world, tls, name = 'repository' } = options;
  const children = new Set<ChildProcess>();
  const answer: RequestListener = (request, response) => {
    const route = routeOf(request, `/${name}.git`);
    if (options.auth !== undefined && !isAllowed(request, options.auth)) refuse(response, 401);
    else if (typeof route === 'number') refuse(response, route);
    else runBackend({ root: resolvePath(directory), route, request, response, world, children });
  };
  const server = tls === undefined ? createHttpServer(answer) : createHttpsServer(tlsOptions(tls), answer);
  await world.outside(() => listen(server, options.port ?? 0));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/${name}.git`,
    close: () =>
      world.outside(
        () =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
            for (const child of children) killGroup(child.pid);
          }),
      ),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

function tlsOptions(tls: NonNullable<ServeRepositoryOptions['tls']>): Record<string, unknown> {
  const clients = tls.clientAuthorities === undefined ? {} : { ca: tls.clientAuthorities, requestCert: true, rejectUnauthorized: true };
  return { cert: tls.certificate, key: tls.key.reveal(), ...clients };
}

interface Route {
  readonly path: string;
  readonly query: string;
}

/** The two requests of smart HTTP's upload-pack; else the status to refuse with. */
function routeOf(request: IncomingMessage, prefix: string): Route | number {
  const url = new URL(request.url ?? '/', 'http://repository');
  if (!url.pathname.startsWith(`${prefix}/`)) return 404;
  const path = url.pathname.slice(prefix.length);
  if (path === '/info/refs' && request.method === 'GET') {
    return url.searchParams.get('service') === SERVICE ? { path, query: `service=${SERVICE}` } : 403;
  }
  if (path === `/${SERVICE}` && request.method === 'POST') return { path, query: '' };
  return path === '/git-receive-pack' ? 403 : 404;
}

function isAllowed(request: IncomingMessage, auth: NonNullable<ServeRepositoryOptions['auth']>): boolean {
  const expected =
    auth.kind === 'bearer'
      ? `Bearer ${auth.token.reveal()}`
      : `Basic ${Buffer.from(`${auth.username}:${auth.password.reveal()}`).toString('base64')}`;
  const [given, wanted] = [Buffer.from(request.headers.authorization ?? ''), Buffer.from(expected)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function refuse(response: ServerResponse, status: number): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Basic realm="sotto"' } : {};
  response.writeHead(status, { 'content-type': 'text/plain', ...challenge }).end();
}

interface Exchange {
  readonly root: string;
  readonly route: Route;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly world: World;
  readonly children: Set<ChildProcess>;
}

function runBackend({ root, route, request, response, world, children }: Exchange): void {
  const child = spawn('git', [...HARDENED_SETTINGS, ...SERVE_SETTINGS, 'http-backend'], {
    cwd: root,
    env: { ...gitEnvironment(world.env, { home: root }), ...cgiVariables(root, route, request) },
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  children.add(child);
  child.on('close', () => children.delete(child));
  child.on('error', () => (response.headersSent ? response.destroy() : refuse(response, 500)));
  child.stdin.on('error', () => undefined); // the backend ended before it read everything: its answer says why
  response.on('close', () => {
    if (child.exitCode === null) killGroup(child.pid);
  });
  request.pipe(child.stdin);
  relayAnswer(child, response);
}

/** RFC 3875. */
function cgiVariables(root: string, route: Route, request: IncomingMessage): Record<string, string> {
  const { headers } = request;
  const optional: Record<string, string | undefined> = {
    CONTENT_TYPE: headers['content-type'],
    CONTENT_LENGTH: headers['content-length'],
    HTTP_CONTENT_ENCODING: headers['content-encoding'],
    GIT_PROTOCOL: typeof headers['git-protocol'] === 'string' ? headers['git-protocol'] : undefined,
  };
  return {
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: route.path,
    QUERY_STRING: route.query,
    REQUEST_METHOD: request.method ?? 'GET',
    REMOTE_ADDR: '127.0.0.1',
    ...Object.fromEntries(Object.entries(optional).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))),
  };
}

/** Reads the CGI header off the backend's output, then passes the rest on. */
function relayAnswer(child: ChildProcess, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  let isOpen = false;
  child.stdout?.on('data', (part: Buffer) => {
    if (isOpen) {
      if (!response.write(part)) child.stdout?.pause();
      return;
    }
    head = Buffer.concat([head, part]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0 && head.length > MAX_HEADER_BYTES) killGroup(child.pid);
    if (end < 0) return;
    isOpen = true;
    writeHead(response, head.toString('latin1', 0, end));
    response.write(head.subarray(end + 4));
  });
  response.on('drain', () => child.stdout?.resume());
  child.stdout?.on('end', () => (isOpen ? response.end() : refuse(response, 500)));
}

function writeHead(response: ServerResponse, head: string): void {
  const fields = head.split('\r\n').map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const status = Number.parseInt(fields.find(([name]) => name === 'status')?.[1] ?? '200', 10);
  response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== 'status')));
}
