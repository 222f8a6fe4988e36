import { describe, expect, it } from 'vitest';

import { ApiError, apiErrors, isConflict, isExpired, isNotFound, type KubeObject } from '../objects/index.ts';
import { connect, isKindNotServed, type ApiRequest, type ApiResponse, type Cluster, type WatchEvent } from './index.ts';
import { memoryServer, type MemoryResource } from './memory.fixture.ts';

const SECRETS: MemoryResource = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };
const NAMESPACES: MemoryResource = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };
const THINGS: MemoryResource = { apiVersion: 'example.com/v1', kind: 'Thing', plural: 'things', namespaced: true };

const secret = (name: string, extra: Partial<KubeObject> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  ...extra,
});
const refTo = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', namespace: 'default', name });

function start(...resources: MemoryResource[]) {
  const server = memoryServer(resources.length === 0 ? [SECRETS, NAMESPACES, THINGS] : resources);
  return { server, cluster: connect(server.handle) };
}

/** What one call sends after discovery. */
async function sent(act: (cluster: Cluster) => Promise<unknown>): Promise<ApiRequest | undefined> {
  const { server, cluster } = start();
  await cluster.create(secret('a'));
  await act(cluster);
  return server.requests.at(-1);
}

describe('connect', () => {
  it('reads, writes and deletes objects', async () => {
    const { cluster } = start();
    const created = await cluster.create(secret('a', { data: { k: 'dg==' } }));
    expect(Object.isFrozen(created)).toBe(true);
    expect(await cluster.get(refTo('a'))).toEqual(created);
    const updated = await cluster.update({ ...created, data: { k: 'eA==' } });
    expect(updated['data']).toEqual({ k: 'eA==' });
    await cluster.delete(refTo('a'));
    expect(await cluster.find(refTo('a'))).toBeUndefined();
    await expect(cluster.get(refTo('a'))).rejects.toSatisfy(isNotFound);
  });

  it('throws the Status that the server answers', async () => {
    const { cluster } = start();
    const created = await cluster.create(secret('a'));
    await cluster.update({ ...created, data: {} });
    await expect(cluster.update({ ...created, data: { k: '' } })).rejects.toSatisfy(isConflict);
    await expect(cluster.create(secret('a'))).rejects.toThrow('secrets "a" already exists');
    await expect(cluster.delete(refTo('b'))).rejects.toThrow('secrets "b" not found');
  });

  const failures: [name: string, response: Partial<ApiResponse>, reason: string | undefined][] = [
    ['HTML of a proxy', { status: 503, body: { kind: 'bytes', bytes: Buffer.from('<html>') } }, 'ServiceUnavailable'],
    ['an empty answer', { status: 429, body: { kind: 'none' } }, 'TooManyRequests'],
    ['an unknown status', { status: 418, body: { kind: 'json', value: {} } }, undefined],
  ];
  it.each(failures)('makes an error from %s', async (_name, response, reason) => {
    const cluster = connect(async () => ({ headers: { 'retry-after': '7' }, ...response }) as ApiResponse);
    const error: unknown = await cluster.request('GET', '/version').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).status).toMatchObject({ code: response.status, details: { retryAfterSeconds: 7 } });
    expect((error as ApiError).status.reason).toBe(reason);
  });

  const requests: [name: string, act: (cluster: Cluster) => Promise<unknown>, expected: Record<string, unknown>][] = [
    ['get', (c) => c.get(refTo('a')), { method: 'GET', path: '/api/v1/namespaces/default/secrets/a' }],
    ['get of a subresource', (c) => c.get(refTo('a'), { subresource: 'status' }), { path: '/api/v1/namespaces/default/secrets/a/status' }],
    ['list of all namespaces', (c) => c.list(SECRETS), { method: 'GET', path: '/api/v1/secrets' }],
    ['list of a cluster-scoped kind', (c) => c.list(NAMESPACES, { namespace: 'x' }), { path: '/api/v1/namespaces' }],
    [
      'create with a namespaced kind of a group',
      (c) => c.create({ apiVersion: 'example.com/v1', kind: 'Thing', metadata: { generateName: 'x-', namespace: 'ns' } }),
      { method: 'POST', path: '/apis/example.com/v1/namespaces/ns/things' },
    ],
    [
      'update of the status',
      (c) => c.update(secret('a'), { subresource: 'status' }),
      { method: 'PUT', path: '/api/v1/namespaces/default/secrets/a/status' },
    ],
  ];
  it.each(requests)('sends %s to the right path', async (_name, act, expected) => {
    expect(await sent(act)).toMatchObject(expected);
  });

  const patches: [name: string, act: (cluster: Cluster) => Promise<unknown>, contentType: string][] = [
    ['json', (c) => c.patch(refTo('a'), 'json', []), 'application/json-patch+json'],
    ['merge', (c) => c.patch(refTo('a'), 'merge', {}), 'application/merge-patch+json'],
    ['strategic', (c) => c.patch(refTo('a'), 'strategic', {}), 'application/strategic-merge-patch+json'],
    ['apply', (c) => c.apply(secret('a'), { fieldManager: 'm', force: true }), 'application/apply-patch+yaml'],
  ];
  it.each(patches)('names the content type of a %s patch', async (_name, act, contentType) => {
    expect((await sent(act))?.headers['content-type']).toBe(contentType);
  });

  it('sends options as the API server reads them', async () => {
    const applied = await sent((c) => c.apply(secret('a'), { fieldManager: 'm', force: true, dryRun: true, fieldValidation: 'Strict' }));
    expect(String(applied?.query)).toBe('dryRun=All&fieldManager=m&fieldValidation=Strict&force=true');
    const listed = await sent((c) =>
      c.list(SECRETS, { namespace: 'n', labelSelector: 'a=b', limit: 5, continue: 'x', resourceVersion: '0' }),
    );
    expect(String(listed?.query)).toBe('labelSelector=a%3Db&limit=5&continue=x&resourceVersion=0');
    const options = { dryRun: true, propagationPolicy: 'Foreground', gracePeriodSeconds: 0, preconditions: { uid: 'u' } } as const;
    const deleted = await sent((c) => c.delete(refTo('a'), options));
    expect(deleted?.body).toEqual({
      kind: 'json',
      value: { kind: 'DeleteOptions', apiVersion: 'v1', ...options, dryRun: ['All'] },
    });
  });

  it('impersonates, and shares discovery with the impersonated cluster', async () => {
    const { server, cluster } = start();
    await cluster.list(SECRETS);
    const other = cluster.as('system:serviceaccount:ns:sa', ['system:serviceaccounts', 'system:serviceaccounts:ns']);
    await other.list(SECRETS);
    expect(server.requests.map(({ path }) => path)).toEqual(['/api/v1', '/api/v1/secrets', '/api/v1/secrets']);
    expect(server.requests.at(-1)?.headers).toMatchObject({
      'impersonate-user': 'system:serviceaccount:ns:sa',
      'impersonate-group': 'system:serviceaccounts, system:serviceaccounts:ns',
    });
  });

  it('refuses namespaced objects without a namespace before asking the server', async () => {
    const { cluster } = start();
    const stray: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } };
    await expect(cluster.create(stray)).rejects.toThrow('an empty namespace may not be set during creation');
    await expect(cluster.update(stray)).rejects.toThrow('an empty namespace may not be set when a resource name is provided');
    await expect(cluster.get(refTo(''))).rejects.toThrow('resource name may not be empty');
  });

  it('gives items of lists their apiVersion and kind', async () => {
    const bare = { metadata: { name: 'a', namespace: 'default' } };
    const { server, cluster } = start();
    const spied = connect(async (request) =>
      request.path === '/api/v1/secrets'
        ? {
            status: 200,
            headers: {},
            body: { kind: 'json', value: { metadata: { resourceVersion: '7', continue: 'next' }, items: [bare] } },
          }
        : server.handle(request),
    );
    expect(await spied.list(SECRETS)).toEqual({ resourceVersion: '7', continue: 'next', items: [secret('a')] });
    expect((await cluster.list(SECRETS)).continue).toBeUndefined();
  });

  it('answers requests to raw paths, with their query', async () => {
    const { server, cluster } = start();
    expect(await cluster.request('GET', '/api/v1?timeout=3s')).toMatchObject({ kind: 'APIResourceList' });
    expect(server.requests[0]?.query.get('timeout')).toBe('3s');
  });

  it('rejects at once when its signal has fired', async () => {
    const { server, cluster } = start();
    await expect(cluster.list(SECRETS, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(server.requests.filter(({ path }) => path.endsWith('secrets'))).toEqual([]);
  });
});

describe('discovery', () => {
  it('reads a group version once, also for concurrent questions', async () => {
    const { server, cluster } = start();
    const [first, second] = await Promise.all([cluster.resourceFor(SECRETS), cluster.resourceFor(NAMESPACES)]);
    expect(first).toMatchObject({ group: '', version: 'v1', plural: 'secrets', namespaced: true, subresources: ['status'] });
    expect(second).toMatchObject({ plural: 'namespaces', namespaced: false });
    expect(server.requests).toHaveLength(1);
  });

  it('reads again once when a kind is unknown, and finds what has been installed since', async () => {
    const { server, cluster } = start(SECRETS);
    expect(await cluster.resourceFor(THINGS)).toBeUndefined();
    server.resources.push(THINGS);
    expect(await cluster.resourceFor(THINGS)).toMatchObject({ plural: 'things' });
    expect(server.requests).toHaveLength(2);
  });

  it('says that nothing serves a kind, as a NotFound of its own', async () => {
    const { cluster } = start(SECRETS);
    const ref = { apiVersion: 'example.com/v1', kind: 'Thing', namespace: 'a', name: 'b' };
    const error: unknown = await cluster.get(ref).catch((thrown: unknown) => thrown);
    expect(isKindNotServed(error)).toBe(true);
    expect(error).toMatchObject({ message: 'no matches for kind "Thing" in version "example.com/v1"', retry: true });
    expect(await cluster.find(ref)).toBeUndefined();
    await expect(cluster.get(refTo('none'))).rejects.not.toSatisfy(isKindNotServed);
  });

  it('notices that a kind is no longer served', async () => {
    const { server, cluster } = start(SECRETS, THINGS);
    await cluster.list(THINGS);
    server.resources.pop();
    await expect(cluster.list(THINGS)).rejects.toSatisfy(isNotFound);
    expect(await cluster.resourceFor(THINGS)).toBeUndefined();
  });

  it('asks again after a failed read', async () => {
    const { server, cluster } = start();
    server.failNext(apiErrors.serviceUnavailable('starting'));
    await expect(cluster.resourceFor(SECRETS)).rejects.toThrow('starting');
    expect(await cluster.resourceFor(SECRETS)).toBeDefined();
  });
});

describe('watch', () => {
  it('delivers changes from a version on', async () => {
    const { cluster } = start();
    const { metadata } = await cluster.create(secret('a'));
    await cluster.create(secret('b'));
    await cluster.delete(refTo('a'));
    const seen: string[] = [];
    for await (const { type, object } of cluster.watch(SECRETS, { resourceVersion: metadata.resourceVersion ?? '' })) {
      seen.push(`${type} ${object.metadata.name}`);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['ADDED b', 'DELETED a']);
  });

  it('stops the request when the loop is left', async () => {
    const { server, cluster } = start();
    await cluster.create(secret('a'));
    for await (const _event of cluster.watch(SECRETS, {})) break;
    expect(server.requests.at(-1)?.signal.aborted).toBe(true);
  });

  it('ends without an error when the server ends the stream or the signal fires', async () => {
    const { server, cluster } = start();
    const collect = async (signal?: AbortSignal): Promise<WatchEvent[]> => {
      const events: WatchEvent[] = [];
      for await (const event of cluster.watch(SECRETS, signal === undefined ? {} : { signal })) events.push(event);
      return events;
    };
    const ended = collect();
    const stop = new AbortController();
    const stopped = collect(stop.signal);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await stopped).toEqual([]);
    server.dropWatches();
    expect(await ended).toEqual([]);
    expect(await collect(AbortSignal.abort())).toEqual([]);
  });

  it('throws ERROR frames and refusals as ApiError', async () => {
    const { server, cluster } = start();
    await cluster.create(secret('a'));
    server.compact();
    await expect(Array.fromAsync(cluster.watch(SECRETS, { resourceVersion: '1' }))).rejects.toSatisfy(isExpired);
    await expect(Array.fromAsync(cluster.watch({ apiVersion: 'v1', kind: 'None' }, {}))).rejects.toSatisfy(isKindNotServed);
  });
});
