import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { systemWorld } from '../../base/world/index.ts';
import { connect, httpsHandle } from './index.ts';

const world = systemWorld();
const SECRETS = { apiVersion: 'v1', kind: 'Secret' };
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

/** A loopback server; `seen` has every request. */
async function serve(listener: RequestListener): Promise<{ url: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    if (request.url !== '/api/v1') listener(request, response);
    else response.end(JSON.stringify({ resources: [{ name: 'secrets', kind: 'Secret', namespaced: true, verbs: [] }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function kubeconfig(server: string, user: Record<string, unknown> = {}, cluster: Record<string, unknown> = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u', namespace: 'apps' } },
      { name: 'lost', context: { cluster: 'nowhere', user: 'u' } },
    ],
    'current-context': 'main',
  });
}

function temporaryFile(name: string, content: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

describe('httpsHandle', () => {
  it('sends credentials, encoded paths and repeated impersonation headers', async () => {
    const { url, seen } = await serve((_request, response) => response.end('{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"}}'));
    const handle = await httpsHandle({ kubeconfig: { text: kubeconfig(`${url}/prefix/`, { token: 'hunter2' }) }, world });
    expect(handle.namespace).toBe('apps');
    const plain = await httpsHandle({ kubeconfig: { text: kubeconfig(url, { token: 'hunter2' }) }, world });
    await connect(plain)
      .as('jane', ['a', 'b'])
      .get({ ...SECRETS, namespace: 'n', name: 'odd:%2f?name' });
    expect(seen.at(-1)?.url).toBe('/api/v1/namespaces/n/secrets/odd%3A%252f%3Fname');
    expect(seen.at(-1)?.headers.authorization).toBe('Bearer hunter2');
    expect(seen.at(-1)?.headersDistinct['impersonate-group']).toEqual(['a', 'b']);
    await connect(handle).request('GET', '/version');
    expect(seen.at(-1)?.url).toBe('/prefix/version');
  });

  it('keeps large integers exact in both directions', async () => {
    let body = '';
    const { url } = await serve((request, response) => {
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(body));
    });
    const cluster = connect(await httpsHandle({ kubeconfig: { text: kubeconfig(url) }, world }));
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'n' }, big: 9007199254740993n };
    expect(await cluster.create(object)).toEqual(object);
    expect(body).toContain('9007199254740993');
  });

  it('streams a watch line by line, whatever the chunks, and ends when the connection breaks', async () => {
    const frame = (name: string): string => `${JSON.stringify({ type: 'ADDED', object: { metadata: { name } } })}\n`;
    const { url } = await serve((_request, response) => {
      const bytes = Buffer.from(frame('ä') + frame('b') + '{"type":');
      for (const byte of bytes) response.write(Buffer.from([byte]));
      setImmediate(() => response.destroy());
    });
    const cluster = connect(await httpsHandle({ kubeconfig: { text: kubeconfig(url) }, world }));
    const names = [];
    for await (const { object } of cluster.watch(SECRETS, { namespace: 'n' })) names.push(object.metadata.name);
    expect(names).toEqual(['ä', 'b']);
  });

  it('stops a watch by signal and by leaving the loop', async () => {
    const closed: Promise<unknown>[] = [];
    const { url } = await serve((request, response) => {
      closed.push(new Promise((resolve) => request.on('close', resolve)));
      response.write('{"type":"BOOKMARK","object":{"metadata":{}}}\n');
    });
    const cluster = connect(await httpsHandle({ kubeconfig: { text: kubeconfig(url) }, world }));
    for await (const _event of cluster.watch(SECRETS, {})) break;
    const stop = new AbortController();
    for await (const _event of cluster.watch(SECRETS, { signal: stop.signal })) stop.abort();
    await Promise.all(closed);
    expect(closed).toHaveLength(2);
  });

  it('comes back when a busy server says so, and gives up after ten times', async () => {
    let busy = 3;
    const { url, seen } = await serve((_request, response) => {
      if (busy-- > 0) response.writeHead(429, { 'retry-after': '0' }).end('{"kind":"Status","reason":"TooManyRequests"}');
      else response.end('{"gitVersion":"v1"}');
    });
    const cluster = connect(await httpsHandle({ kubeconfig: { text: kubeconfig(url) }, world }));
    expect(await cluster.request('GET', '/version')).toEqual({ gitVersion: 'v1' });
    expect(seen).toHaveLength(4);
    busy = Infinity;
    await expect(cluster.request('GET', '/version')).rejects.toMatchObject({ code: 'KUBE_TOO_MANY_REQUESTS', retry: true });
    expect(seen).toHaveLength(4 + 11);
  });

  it('says which server it cannot reach, and that trying again can help', async () => {
    const handle = await httpsHandle({ kubeconfig: { text: kubeconfig('http://127.0.0.1:1') }, world });
    await expect(connect(handle).request('GET', '/version')).rejects.toMatchObject({
      code: 'KUBE_UNREACHABLE',
      message: 'cannot reach the API server at http://127.0.0.1:1: ECONNREFUSED',
      retry: true,
    });
  });
});

describe('kubeconfig', () => {
  const refused: [name: string, user: Record<string, unknown>, cluster: Record<string, unknown>, text: string][] = [
    ['a credential plugin', { exec: { command: 'true', apiVersion: 'client.authentication.k8s.io/v1' } }, {}, 'runs a credential plugin'],
    ['a token file', { tokenFile: '/etc/passwd' }, {}, 'names local files'],
    ['a client key file', { 'client-key': '/etc/shadow' }, {}, 'names local files'],
    ['a CA file', {}, { 'certificate-authority': '/etc/passwd' }, 'names local files'],
    ['skipping TLS verification', {}, { 'insecure-skip-tls-verify': true }, 'skips the verification'],
  ];
  it.each(refused)('RUN-05: refuses %s in a kubeconfig that came as text', async (_name, user, cluster, text) => {
    const call = httpsHandle({ kubeconfig: { text: kubeconfig('https://x', user, cluster) }, world });
    await expect(call).rejects.toMatchObject({ code: 'KUBECONFIG_REFUSED', message: expect.stringContaining(text) as string });
  });

  it('runs a credential plugin named by the own kubeconfig file', async () => {
    const { url, seen } = await serve((_request, response) => response.end('{}'));
    const credential = JSON.stringify({ status: { token: 'from-plugin' } });
    const plugin = temporaryFile('plugin', `#!/bin/sh\necho '${credential}'\n`, 0o700);
    const path = temporaryFile('config', kubeconfig(url, { exec: { command: plugin, apiVersion: 'client.authentication.k8s.io/v1' } }));
    await connect(await httpsHandle({ kubeconfig: { path }, world })).request('GET', '/version');
    expect(seen.at(-1)?.headers.authorization).toBe('Bearer from-plugin');
  });

  it('says that auth providers are gone', async () => {
    const call = httpsHandle({ kubeconfig: { text: kubeconfig('https://x', { 'auth-provider': { name: 'gcp' } }) }, world });
    await expect(call).rejects.toMatchObject({ code: 'KUBECONFIG_UNSUPPORTED', message: expect.stringContaining('"gcp"') as string });
  });

  it('impersonates as the kubeconfig says, unless the call impersonates somebody else', async () => {
    const { url, seen } = await serve((_request, response) => response.end('{}'));
    const handle = await httpsHandle({ kubeconfig: { text: kubeconfig(url, { as: 'jane', 'as-groups': ['a', 'b'] }) }, world });
    await connect(handle).request('GET', '/version');
    expect(seen.at(-1)?.headersDistinct).toMatchObject({ 'impersonate-user': ['jane'], 'impersonate-group': ['a', 'b'] });
    await connect(handle).as('joe').request('GET', '/version');
    expect(seen.at(-1)?.headersDistinct['impersonate-user']).toEqual(['joe']);
    expect(seen.at(-1)?.headersDistinct['impersonate-group']).toBeUndefined();
  });

  it('does not repeat what a failing plugin prints', async () => {
    const plugin = temporaryFile('plugin', '#!/bin/sh\necho hunter2 >&2\nexit 1\n', 0o700);
    const path = temporaryFile('config', kubeconfig('http://127.0.0.1:1', { exec: { command: plugin, apiVersion: 'v1' } }));
    const handle = await httpsHandle({ kubeconfig: { path }, world });
    const error: unknown = await connect(handle)
      .request('GET', '/version')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'KUBECONFIG_PLUGIN' });
    expect((error as Error).cause).toBeUndefined();
    expect((error as Error).message).not.toContain('hunter2');
  });

  it('reads files next to the kubeconfig', async () => {
    const { url, seen } = await serve((_request, response) => response.end('{}'));
    const path = temporaryFile('config', kubeconfig(url, { tokenFile: 'token' }));
    writeFileSync(join(path, '..', 'token'), 'from-file\n');
    await connect(await httpsHandle({ kubeconfig: { path }, world })).request('GET', '/version');
    expect(seen.at(-1)?.headers.authorization).toBe('Bearer from-file');
  });

  it('merges several files: the first entry of a name counts, paths start from their own file, missing files are left out', async () => {
    const { url, seen } = await serve((_request, response) => response.end('{}'));
    const first = temporaryFile(
      'first',
      JSON.stringify({ 'current-context': 'main', users: [{ name: 'u', user: { tokenFile: 'token' } }] }),
    );
    writeFileSync(join(first, '..', 'token'), 'first');
    const second = temporaryFile('second', kubeconfig(url, { token: 'second' }));
    const path = [first, '/nonexistent/config', second].join(':');
    await connect(await httpsHandle({ kubeconfig: { path }, world })).request('GET', '/version');
    expect(seen.at(-1)?.headers.authorization).toBe('Bearer first');
    await expect(httpsHandle({ kubeconfig: { path: '/nonexistent/config' }, world })).rejects.toMatchObject({ code: 'KUBECONFIG_FILE' });
  });

  it('names unknown contexts and lists the known ones', async () => {
    const call = (context: string) => httpsHandle({ kubeconfig: { text: kubeconfig('https://x') }, context, world });
    await expect(call('other')).rejects.toMatchObject({ code: 'KUBECONFIG_CONTEXT_UNKNOWN', hint: 'contexts: main, lost' });
    await expect(call('lost')).rejects.toMatchObject({ code: 'KUBECONFIG_CONTEXT_UNKNOWN' });
  });

  it('never quotes a kubeconfig that cannot be parsed', async () => {
    const error: unknown = await httpsHandle({ kubeconfig: { text: 'users: [{token: hunter2' }, world }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'KUBECONFIG_INVALID' });
    expect((error as Error).cause).toBeUndefined();
    expect(String(error)).not.toContain('hunter2');
  });

  it('says that it is not in a cluster', async () => {
    const call = httpsHandle({ kubeconfig: 'in-cluster', world: { ...world, env: {} } });
    await expect(call).rejects.toMatchObject({ code: 'KUBECONFIG_NOT_IN_CLUSTER' });
  });
});
