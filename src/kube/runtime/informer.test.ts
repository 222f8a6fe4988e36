import { describe, expect, it } from 'vitest';

import { noLog } from '../../base/log/index.ts';
import { virtualWorld } from '../../base/world/index.ts';
import { connect, type ApiRequest } from '../client/index.ts';
import { memoryServer, type MemoryResource } from '../client/memory.fixture.ts';
import { apiErrors, type KubeObject } from '../objects/index.ts';
import { informers } from './informers.ts';

const SECRETS: MemoryResource = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };

const secret = (name: string, labels: Record<string, string> = {}, namespace = 'n'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace, labels },
});

function start(options: { resources?: MemoryResource[]; namespace?: string } = {}) {
  const world = virtualWorld({ seed: 1 });
  const server = memoryServer(options.resources ?? [SECRETS]);
  const cluster = connect(server.handle);
  const stop = new AbortController();
  const set = informers({ cluster, world, log: noLog, ...(options.namespace === undefined ? {} : { namespace: options.namespace }) });
  const log: string[] = [];
  /** Follows a selection and writes its events into `log`. */
  const follow = (selection: Parameters<typeof set.for>[0]) => {
    const followed = set.for(selection);
    followed.subscribe(({ type, object, old }) => {
      const before = old === undefined ? '' : ` (was ${old.metadata.resourceVersion})`;
      log.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}${before}`);
    });
    return followed;
  };
  return { world, server, cluster, set, stop, log, follow };
}

const listsIn = (requests: readonly ApiRequest[]): number =>
  requests.filter(({ method, path, query }) => method === 'GET' && path.endsWith('/secrets') && query.get('watch') === null).length;

describe('informer', () => {
  it('lists, then follows changes', async () => {
    const { world, cluster, set, stop, log, follow } = start();
    await cluster.create(secret('b'));
    await cluster.create(secret('a'));
    const followed = follow(SECRETS);
    void set.run(stop.signal);
    await world.run(1000);
    expect(followed.list().map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    await cluster.patch({ ...SECRETS, namespace: 'n', name: 'b' }, 'merge', { data: { k: '' } });
    await cluster.delete({ ...SECRETS, namespace: 'n', name: 'a' });
    await world.run(1000);
    expect(log).toEqual(['ADDED b@101', 'ADDED a@102', 'MODIFIED b@103 (was 101)', 'DELETED a@104 (was 102)']);
    expect(followed.get('n', 'b')?.['data']).toEqual({ k: '' });
    expect(followed.get('n', 'a')).toBeUndefined();
    stop.abort();
  });

  it('survives disconnects without listing again, and misses nothing', async () => {
    const { world, server, cluster, set, stop, log, follow } = start();
    follow(SECRETS);
    void set.run(stop.signal);
    await world.run(10_000);
    for (const name of ['a', 'b', 'c']) {
      server.dropWatches();
      await cluster.create(secret(name));
      await world.run(10_000);
    }
    expect(log).toEqual(['ADDED a@101', 'ADDED b@102', 'ADDED c@103']);
    expect(listsIn(server.requests)).toBe(1);
    stop.abort();
  });

  it('lists again when history is gone, and reports what was missed, deletions too', async () => {
    const { world, server, cluster, set, stop, log, follow } = start();
    await cluster.create(secret('gone'));
    await cluster.create(secret('changed'));
    await cluster.create(secret('same'));
    follow(SECRETS);
    void set.run(stop.signal);
    await world.run(10_000);
    log.length = 0;
    for (let i = 0; i < 2; i++) server.failNext(apiErrors.serviceUnavailable('down'), ({ query }) => query.get('watch') === 'true');
    server.dropWatches();
    await world.run(0);
    await cluster.delete({ ...SECRETS, namespace: 'n', name: 'gone' });
    await cluster.patch({ ...SECRETS, namespace: 'n', name: 'changed' }, 'merge', { data: {} });
    await cluster.create(secret('new'));
    server.compact();
    await world.run(60_000);
    expect(log).toEqual(['MODIFIED changed@105 (was 102)', 'ADDED new@106', 'DELETED gone@101 (was 101)']);
    expect(listsIn(server.requests)).toBe(2);
    stop.abort();
  });

  it('waits longer and longer while the server fails, and recovers', async () => {
    const { world, server, cluster, set, stop, log, follow } = start();
    await cluster.create(secret('a'));
    server.requests.length = 0;
    for (let i = 0; i < 6; i++) server.failNext(apiErrors.serviceUnavailable('down'), ({ path }) => path.endsWith('/secrets'));
    follow(SECRETS);
    void set.run(stop.signal);
    await world.run(5000);
    expect(listsIn(server.requests)).toBeLessThan(6);
    await world.run(60_000);
    expect(log).toEqual(['ADDED a@101']);
    stop.abort();
  });

  it('takes a server that does not end a watch in time for dead', async () => {
    const { world, server, set, stop, follow } = start();
    follow(SECRETS);
    void set.run(stop.signal);
    await world.run(11 * 60_000);
    const watches = server.requests.filter(({ query }) => query.get('watch') === 'true');
    expect(watches.length).toBeGreaterThan(1);
    expect(watches[0]?.signal.aborted).toBe(true);
    expect(Number(watches[0]?.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(watches[0]?.query.get('allowWatchBookmarks')).toBe('true');
    stop.abort();
  });

  it('is settled without objects while nothing serves the kind, and finds it once it is installed', async () => {
    const { world, server, cluster, set, stop, log, follow } = start({ resources: [] });
    const followed = follow(SECRETS);
    let isSettled = false;
    void followed.settled.then(() => (isSettled = true));
    void set.run(stop.signal);
    await world.run(1000);
    expect(isSettled).toBe(true);
    server.resources.push(SECRETS);
    await cluster.create(secret('a'));
    await world.run(60_000);
    expect(log).toEqual(['ADDED a@101']);
    stop.abort();
  });

  it('RUN-03: follows only what its label selector selects', async () => {
    const { world, cluster, set, stop, log, follow } = start();
    follow({ ...SECRETS, labelSelector: 'shard=1' });
    void set.run(stop.signal);
    await cluster.create(secret('a', { shard: '1' }));
    await cluster.create(secret('b', { shard: '2' }));
    await world.run(1000);
    expect(log).toEqual(['ADDED a@101']);
    stop.abort();
  });

  it('RUN-04: follows one namespace when told so', async () => {
    const { world, server, cluster, set, stop, log, follow } = start({ namespace: 'n' });
    follow(SECRETS);
    void set.run(stop.signal);
    await cluster.create(secret('a'));
    await cluster.create(secret('b', {}, 'other'));
    await world.run(1000);
    expect(log).toEqual(['ADDED a@101']);
    expect(server.requests.some(({ path }) => path === '/api/v1/secrets')).toBe(false);
    stop.abort();
  });

  it('ends when its signal fires, whatever it is doing', async () => {
    for (const lasts of [0, 1, 900, 5000]) {
      const { world, server, set, stop, follow } = start();
      server.failNext(apiErrors.internal('x'), ({ path }) => path.endsWith('/secrets'));
      follow(SECRETS);
      let hasEnded = false;
      void set.run(stop.signal).then(() => (hasEnded = true));
      await world.run(lasts);
      stop.abort();
      await world.run(0);
      expect(hasEnded).toBe(true);
    }
  });
});

describe('informers', () => {
  it('share one informer for one selection, also after the start', async () => {
    const { world, server, cluster, set, stop } = start();
    await cluster.create(secret('a'));
    expect(set.for(SECRETS)).toBe(set.for({ ...SECRETS }));
    void set.run(stop.signal);
    await world.run(1000);
    const late = set.for({ ...SECRETS, labelSelector: 'x=y' });
    await world.run(1000);
    expect(late).not.toBe(set.for(SECRETS));
    expect(listsIn(server.requests)).toBe(2);
    expect(set.get({ ...SECRETS, namespace: 'n', name: 'a' })?.metadata.name).toBe('a');
    expect(set.list(SECRETS, 'n')).toHaveLength(1);
    expect(set.list(SECRETS, 'other')).toEqual([]);
    expect(set.list({ apiVersion: 'v1', kind: 'Other' })).toEqual([]);
    stop.abort();
  });

  it('replays what is there to those who subscribe late', async () => {
    const { world, cluster, set, stop } = start();
    await cluster.create(secret('a'));
    const followed = set.for(SECRETS);
    void set.run(stop.signal);
    await world.run(1000);
    const seen: string[] = [];
    const unsubscribe = followed.subscribe(({ type, object }) => seen.push(`${type} ${object.metadata.name}`), { replay: true });
    await cluster.create(secret('b'));
    await world.run(0);
    unsubscribe();
    await cluster.create(secret('c'));
    await world.run(0);
    expect(seen).toEqual(['ADDED a', 'ADDED b']);
    stop.abort();
  });
});
