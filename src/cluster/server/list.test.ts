import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from './testing.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const names = (items: readonly { metadata: { name?: string } }[]): string[] => items.map((item) => item.metadata.name ?? '');

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
  await api.post('/api/v1/namespaces', { metadata: { name: 'default-a' } });
  await api.settle();
  await api.del(`${PATH}/kube-root-ca.crt`);
});
afterEach(() => api.close());

const make = (name: string, labels: Record<string, string> = {}, data: Record<string, string> = {}): ReturnType<TestCluster['post']> =>
  api.post(PATH, { metadata: { name, labels }, data });
const listed = async (query: string): Promise<string[]> =>
  names((await api.get(`${PATH}?labelSelector=${encodeURIComponent(query)}`)).body.items).filter((name) => name !== 'kube-root-ca.crt');

describe('lists', () => {
  it('LIST-01: one counter for all kinds; an empty list carries its current value', async () => {
    const first = await make('a');
    const second = await api.post('/api/v1/namespaces/default/secrets', { metadata: { name: 's' } });
    expect(Number(second.body.metadata.resourceVersion)).toBe(Number(first.body.metadata.resourceVersion) + 1);
    const empty = await api.get('/api/v1/namespaces/default/pods');
    expect(empty.body).toMatchObject({
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: second.body.metadata.resourceVersion },
      items: [],
    });
  });

  it('LIST-02: sorted by key, built-in items without kind and apiVersion', async () => {
    await make('b');
    await make('a');
    await api.post('/api/v1/namespaces/default-a/configmaps', { metadata: { name: 'a' } });
    const all = await api.get('/api/v1/configmaps?fieldSelector=metadata.name!=kube-root-ca.crt');
    // etcd's order is that of whole keys: `default-a/` is before `default/`.
    expect(all.body.items.map((item) => `${item.metadata.namespace ?? ''}/${item.metadata.name ?? ''}`)).toEqual([
      'default-a/a',
      'default/a',
      'default/b',
    ]);
    expect(all.body.items[0]).not.toHaveProperty('kind');
  });

  it('LIST-03: resourceVersion and its match', async () => {
    const { body: a } = await make('a', {}, { v: '1' });
    await api.patch(`${PATH}/a`, 'merge', { data: { v: '2' } });
    await make('b');
    const at = a.metadata.resourceVersion ?? '';
    const exact = await api.get(`${PATH}?resourceVersion=${at}&resourceVersionMatch=Exact`);
    expect(exact.body.items.filter((item) => item.metadata.name !== 'kube-root-ca.crt')).toMatchObject([
      { metadata: { name: 'a' }, data: { v: '1' } },
    ]);
    expect(exact.body.metadata.resourceVersion).toBe(at);
    expect(names((await api.get(`${PATH}?resourceVersion=${at}&resourceVersionMatch=NotOlderThan`)).body.items)).toContain('b');
    expect(names((await api.get(`${PATH}?resourceVersion=0`)).body.items)).toContain('b');
    const future = await api.get(`${PATH}?resourceVersion=999999`);
    expect(future.body).toMatchObject({
      code: 504,
      reason: 'Timeout',
      details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
    });
    expect((await api.get(`${PATH}?resourceVersionMatch=Exact`)).status).toBe(422);
    expect((await api.get(`${PATH}?resourceVersionMatch=Exact&resourceVersion=0`)).status).toBe(422);
    expect((await api.get(`${PATH}?resourceVersionMatch=Often&resourceVersion=1`)).status).toBe(422);
  });

  it('LIST-04: pages show the snapshot of the first one', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await make(name, { in: 'yes' });
    const first = await api.get(`${PATH}?limit=2&labelSelector=in`);
    const token = (first.body.metadata as { continue?: string }).continue ?? '';
    expect(names(first.body.items)).toEqual(['a', 'b']);
    expect(first.body.metadata).not.toHaveProperty('remainingItemCount');
    await api.del(`${PATH}/c`);
    await make('bb', { in: 'yes' });
    const second = await api.get(`${PATH}?limit=2&labelSelector=in&continue=${token}`);
    expect(names(second.body.items)).toEqual(['c', 'd']);
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    const third = await api.get(
      `${PATH}?limit=2&labelSelector=in&continue=${(second.body.metadata as { continue?: string }).continue ?? ''}`,
    );
    expect(names(third.body.items)).toEqual(['e']);
    expect(third.body.metadata).not.toHaveProperty('continue');
    expect((await api.get(`${PATH}?limit=2`)).body.metadata).toMatchObject({ remainingItemCount: 4 });
    expect((await api.get(`${PATH}?continue=nonsense`)).status).toBe(400);
    expect((await api.get(`${PATH}?continue=${token}&resourceVersion=5`)).status).toBe(400);
    expect((await api.get(`${PATH}?continue=${token}&resourceVersion=5&resourceVersionMatch=Exact`)).status).toBe(400);
  });

  it('LIST-04: a snapshot that is gone is 410 Expired, with a token that goes on inconsistently', async () => {
    for (const name of ['a', 'b', 'c']) await make(name, { in: 'yes' });
    const first = await api.get(`${PATH}?limit=1&labelSelector=in`);
    const token = (first.body.metadata as { continue?: string }).continue ?? '';
    for (let i = 0; i < 1100; i++) await api.patch(`${PATH}/c`, 'merge', { data: { i: String(i) } });
    await api.settle(6 * 60_000);
    await api.patch(`${PATH}/c`, 'merge', { data: { i: 'last' } });
    const gone = await api.get(`${PATH}?limit=5&labelSelector=in&continue=${token}`);
    expect(gone.body).toMatchObject({ code: 410, reason: 'Expired' });
    const rest = await api.get(`${PATH}?limit=5&labelSelector=in&continue=${(gone.body.metadata as { continue?: string }).continue ?? ''}`);
    expect(names(rest.body.items)).toEqual(['b', 'c']);
    const watch = await api.watch(`${PATH}?resourceVersion=${first.body.metadata.resourceVersion ?? ''}`);
    expect(await watch.take()).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }]);
    expect(watch.ended()).toBe(true);
  });

  it.each([
    ['a', ['one', 'two', 'three']],
    ['!b', ['none', 'one', 'three']],
    ['a=1', ['one']],
    ['a==1', ['one']],
    ['a!=1', ['none', 'three', 'two']],
    ['a in (1, 2)', ['one', 'two']],
    ['a notin (1,2)', ['none', 'three']],
    ['a>1', ['three', 'two']],
    ['a<3,a>1', ['two']],
    ['a,b=x', ['two']],
    ['', ['none', 'one', 'three', 'two']],
  ])('LIST-05: %s selects %j', async (selector, expected) => {
    await make('one', { a: '1' });
    await make('two', { a: '2', b: 'x' });
    await make('three', { a: '3' });
    await make('none');
    expect((await listed(selector)).toSorted()).toEqual(expected.toSorted());
  });

  it.each(['a in (', 'a=b=c', '=x', 'a>b', 'a in x', '-a', `a=${'x'.repeat(64)}`])('LIST-05: %s is 400', async (selector) => {
    const answer = await api.get(`${PATH}?labelSelector=${encodeURIComponent(selector)}`);
    expect(answer).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
  });

  it('LIST-06: field selectors by kind, with escapes', async () => {
    await make('a');
    await make('b');
    await api.post('/api/v1/namespaces/default/secrets', { metadata: { name: 's' }, type: 'x\\,=y' });
    expect(names((await api.get(`${PATH}?fieldSelector=metadata.name=a`)).body.items)).toEqual(['a']);
    expect(names((await api.get(`${PATH}?fieldSelector=metadata.name!=a,metadata.name==b`)).body.items)).toEqual(['b']);
    const type = encodeURIComponent(String.raw`type=x\\\,\=y`);
    expect(names((await api.get(`/api/v1/secrets?fieldSelector=${type}`)).body.items)).toEqual(['s']);
    expect((await api.get(`${PATH}?fieldSelector=data.x=1`)).body).toMatchObject({
      code: 400,
      message: 'field label not supported: data.x',
    });
    expect(names((await api.get('/api/v1/namespaces?fieldSelector=status.phase=Active,metadata.name=default')).body.items)).toEqual([
      'default',
    ]);
    expect((await api.get('/api/v1/namespaces?fieldSelector=metadata.namespace=x')).status).toBe(400);
    expect((await api.get(`${PATH}?fieldSelector=metadata.name`)).status).toBe(400);
  });

  it('LIST-14: deletecollection honours selectors and answers what it deleted', async () => {
    await make('a', { in: 'yes' });
    await make('b', { in: 'yes' });
    await make('c');
    const answer = await api.del(`${PATH}?labelSelector=in`);
    expect(answer.status).toBe(200);
    expect(names(answer.body.items)).toEqual(['a', 'b']);
    expect((await listed('')).toSorted()).toEqual(['c']);
    expect((await api.del('/api/v1/namespaces')).status).toBe(405);
  });
});

describe('watches', () => {
  const revision = async (): Promise<string> => (await api.get(PATH)).body.metadata.resourceVersion ?? '';
  const shown = (frames: { type: string; object: { metadata: { name?: string } } }[]): string[] =>
    frames.map((frame) => `${frame.type} ${frame.object.metadata.name ?? ''}`);

  it('LIST-07 and LIST-08: every event after the start, in order, once', async () => {
    const from = await revision();
    await make('a');
    const watch = await api.watch(`${PATH}?resourceVersion=${from}`);
    await api.patch(`${PATH}/a`, 'merge', { data: { x: '1' } });
    await api.del(`${PATH}/a`);
    const frames = await watch.take();
    expect(shown(frames)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    const versions = frames.map((frame) => Number(frame.object.metadata.resourceVersion));
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(3);
    // Deletion shows the last content with the deletion's resourceVersion.
    expect(frames[2]?.object['data']).toEqual({ x: '1' });
    watch.stop();
    await watch.take();
    expect(watch.ended()).toBe(true);
  });

  it.each(['', '0'])('LIST-08: from "%s" current objects come first as ADDED', async (from) => {
    await make('a');
    const watch = await api.watch(`${PATH}?fieldSelector=metadata.name!=kube-root-ca.crt&resourceVersion=${from}`);
    await make('b');
    expect(shown(await watch.take())).toEqual(['ADDED a', 'ADDED b']);
    watch.stop();
  });

  it('LIST-08: a start in the future waits for it', async () => {
    const { body } = await make('a');
    const watch = await api.watch(`${PATH}?resourceVersion=${Number(body.metadata.resourceVersion) + 1}`);
    await make('b');
    await make('c');
    expect(shown(await watch.take())).toEqual(['ADDED c']);
    watch.stop();
  });

  it('LIST-09: an object that enters the selection is ADDED, one that leaves is DELETED with its previous content', async () => {
    const watch = await api.watch(`${PATH}?labelSelector=on=yes&resourceVersion=${await revision()}`);
    await make('a', {}, { v: '1' });
    await api.patch(`${PATH}/a`, 'merge', { metadata: { labels: { on: 'yes' } } });
    await api.patch(`${PATH}/a`, 'merge', { data: { v: '2' } });
    const left = await api.patch(`${PATH}/a`, 'merge', { metadata: { labels: { on: 'no' } }, data: { v: '3' } });
    await api.del(`${PATH}/a`);
    const frames = await watch.take();
    expect(shown(frames)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    expect(frames[2]?.object).toMatchObject({
      data: { v: '2' },
      metadata: { labels: { on: 'yes' }, resourceVersion: left.body.metadata.resourceVersion },
    });
    watch.stop();
  });

  it('LIST-10: timeoutSeconds ends the stream cleanly; without it half an hour or more pass', async () => {
    const short = await api.watch(`${PATH}?timeoutSeconds=10`);
    const long = await api.watch(PATH);
    await api.settle(9_000);
    expect(short.ended()).toBe(false);
    await api.settle(2_000);
    expect(short.ended()).toBe(true);
    expect(short.error()).toBeUndefined();
    await api.settle(29 * 60_000);
    expect(long.ended()).toBe(false);
    await api.settle(32 * 60_000);
    expect(long.ended()).toBe(true);
  });

  it('LIST-11: bookmarks only when asked for, once a minute and before the end, with the store’s revision', async () => {
    const silent = await api.watch(`${PATH}?resourceVersion=${await revision()}&timeoutSeconds=90`);
    const watch = await api.watch(`${PATH}?resourceVersion=${await revision()}&allowWatchBookmarks=true&timeoutSeconds=90`);
    const other = await api.post('/api/v1/namespaces/default/secrets', { metadata: { name: 's' } });
    await api.settle(61_000);
    const frames = await watch.take();
    expect(frames).toEqual([
      {
        type: 'BOOKMARK',
        object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { resourceVersion: other.body.metadata.resourceVersion } },
      },
    ]);
    await api.settle(30_000);
    expect((await watch.take()).map(({ type }) => type)).toEqual(['BOOKMARK']);
    expect(await silent.take()).toEqual([]);
  });

  it('LIST-12: a watch list sends what is there, a bookmark that says so, then changes', async () => {
    await make('a');
    const query =
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name!=kube-root-ca.crt';
    const watch = await api.watch(`${PATH}?${query}`);
    await make('b');
    const frames = await watch.take();
    expect(frames.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK', 'ADDED']);
    expect(frames[1]?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    watch.stop();
    const future = await api.get(`${PATH}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=99999`);
    expect(future.body).toMatchObject({ code: 504, reason: 'Timeout' });
    const late = await api.watch(`${PATH}?sendInitialEvents=false&resourceVersionMatch=NotOlderThan`);
    await make('c');
    expect(shown(await late.take())).toEqual(['ADDED c']);
    late.stop();
    for (const bad of ['watch=true&sendInitialEvents=true', 'watch=true&resourceVersionMatch=NotOlderThan', 'sendInitialEvents=true']) {
      expect((await api.get(`${PATH}?${bad}`)).status).toBe(422);
    }
  });

  it('LIST-13: watching one object by its path', async () => {
    await make('a');
    await make('b');
    const watch = await api.watch(`${PATH}/a`);
    await api.patch(`${PATH}/b`, 'merge', { data: { x: '1' } });
    await api.patch(`${PATH}/a`, 'merge', { data: { x: '1' } });
    expect(shown(await watch.take())).toEqual(['ADDED a', 'MODIFIED a']);
    watch.stop();
  });

  it('LIST-15: a watcher that does not read is dropped and does not hold up others', async () => {
    const response = await api.raw({ url: `${PATH}?watch=true&resourceVersion=${await revision()}` });
    const other = await api.watch(`${PATH}?resourceVersion=${await revision()}`);
    let seen = 0;
    for (let i = 0; i < 20_000; i++) {
      api.cluster.store.put(
        { resource: 'configmaps', namespace: 'default', name: `x${i}` },
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `x${i}`, namespace: 'default' } },
        undefined,
      );
      if (i % 1000 === 0) seen += (await other.take()).length;
    }
    seen += (await other.take()).length;
    expect(seen).toBe(20_000);
    let frames = 0;
    if (response.body.kind === 'stream') for await (const _ of response.body.frames) frames++;
    expect(frames).toBeLessThan(20_000);
    other.stop();
  });

  it('watches are broken off for a test of reconnecting', async () => {
    const watch = await api.watch(PATH);
    expect(api.cluster.dropWatches('secrets')).toBe(0);
    expect(api.cluster.dropWatches('configmaps')).toBe(1);
    await watch.take();
    expect(watch.error()).toMatchObject({ code: 'CLUSTER_CONNECTION_LOST', retry: true });
  });
});
