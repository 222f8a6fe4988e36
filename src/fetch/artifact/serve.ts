import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Fetch, World } from '../../base/world/index.ts';
import type { ArtifactStorage } from './storage.ts';

/** A running artifact server. */
export interface ArtifactServer {
  /** Host and port, to be advertised. */
  readonly address: string;
  close(): Promise<void>;
}

export interface ServeArtifactsOptions {
  readonly world: World;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
}

/**
 * Answers `GET <address>/<path>` in process, in the shape of `fetch`, so that a simulation needs no socket. URLs of
 * other servers go to `otherwise` when it is given, else they are not found.
 */
export function artifactFetch(storage: ArtifactStorage, otherwise?: Fetch): Fetch {
  return async (input, init) => {
    const url = new URL(String(input));
    const path = decodedPath(url.pathname);
    if (otherwise !== undefined && (path === undefined || storage.urlOf(path) !== url.href)) return otherwise(input, init);
    const bytes = path === undefined ? undefined : await storage.read(path);
    if (bytes === undefined) return new Response('404 page not found\n', { status: 404 });
    return new Response(new Uint8Array(bytes), { status: 200, headers: { 'content-type': 'application/gzip' } });
  };
}

/** Serves archives over plain HTTP on loopback. @throws the system's error when it cannot listen */
export async function serveArtifacts(storage: ArtifactStorage, options: ServeArtifactsOptions): Promise<ArtifactServer> {
  const host = options.host ?? '127.0.0.1';
  const server = createServer((request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const path = decodedPath(new URL(request.url ?? '/', 'http://artifacts').pathname);
    const answer = async (): Promise<void> => {
      const bytes = path === undefined || !isRead ? undefined : await storage.read(path);
      if (bytes === undefined) {
        response.writeHead(isRead ? 404 : 405, { 'content-type': 'text/plain' }).end(isRead ? '404 page not found\n' : '');
        return;
      }
      response.writeHead(200, { 'content-type': 'application/gzip', 'content-length': bytes.length });
      response.end(request.method === 'HEAD' ? undefined : bytes);
    };
    answer().catch(() => response.writeHead(500).end());
  });
  await options.world.outside(
    () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(options.port ?? 0, host, resolve);
      }),
  );
  const { port } = server.address() as AddressInfo;
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () =>
      options.world.outside(
        () =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
  };
}

/** The path below the root, without its leading slash; undefined when it is malformed. */
function decodedPath(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname).replace(/^\//, '');
  } catch {
    return undefined; // a broken percent escape names no file
  }
}
