import { describe, expect, it } from 'vitest';

import { SottoError, Terminal } from '../../base/errors/index.ts';
import type { Log } from '../../base/log/index.ts';
import { virtualWorld } from '../../base/world/index.ts';
import { connect, type Cluster } from '../client/index.ts';
import { memoryServer, type MemoryResource } from '../client/memory.fixture.ts';
import { apiErrors, type KubeObject, type ObjectRef } from '../objects/index.ts';
import {
  informers,
  ownChanges,
  requestFor,
  runControllers,
  type Controller,
  type Outcome,
  type ReconcileRecord,
  type Request,
  type RunControllersOptions,
} from './index.ts';

const THINGS: MemoryResource = { apiVersion: 'example.com/v1', kind: 'Thing', plural: 'things', namespaced: true };
const SECRETS: MemoryResource = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };

const thing = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name, namespace: 'n' },
  spec,
});
const thingRef = (name: string): ObjectRef => ({ apiVersion: 'example.com/v1', kind: 'Thing', namespace: 'n', name });
const secretRef = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'Secret', namespace: 'n', name });
const secret = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'n' } });

type Reconcile = (request: Request, signal: AbortSignal, cluster: Cluster) => Promise<Outcome>;
const DONE: Outcome = { kind: 'done' };

function recordingLog(lines: string[]): Log {
  const write =
    (level: string, given: object) =>
    (message: string, fields: object = {}): void =>
      void lines.push(`${level} ${message} ${JSON.stringify({ ...given, ...fields })}`);
  const make = (given: object): Log => ({
    debug: () => {},
    info: write('info', given),
    error: write('error', given),
    with: (fields) => make({ ...given, ...fields }),
  });
  return make({});
}

function start(reconcile: Reconcile, options: Partial<RunControllersOptions> & { seed?: number } = {}) {
  const world = virtualWorld({ seed: options.seed ?? 1 });
  const server = memoryServer([THINGS, SECRETS]);
  const cluster = connect(server.handle);
  const stop = new AbortController();
  const begin = world.clock.now();
  /** `seconds name` of each run. */
  const runs: string[] = [];
  const lines: string[] = [];
  const records: ReconcileRecord[] = [];
  const controller: Controller = {
    name: 'thing',
    concurrency: 2,
    watches: [{ apiVersion: 'example.com/v1', kind: 'Thing', map: ownChanges }],
    reconcile: (request, signal) => {
      runs.push(`${(world.clock.now() - begin) / 1000} ${request.name}`);
      return reconcile(request, signal, cluster);
    },
  };
  let hasEnded = false;
  const ended = runControllers({
    cluster,
    controllers: [controller],
    world,
    log: recordingLog(lines),
    signal: stop.signal,
    observe: (record) => records.push(record),
    ...options,
  }).then(() => (hasEnded = true));
  return { world, server, cluster, stop, runs, lines, records, ended, hasEnded: () => hasEnded };
}

describe('runControllers', () => {
  it('reconciles what is there, what is new, and what changed in its spec, but not for its status', async () => {
    const { world, cluster, runs, stop } = start(async () => DONE);
    await cluster.create(thing('a'));
    await world.run(1000);
    await cluster.create(thing('b'));
    await world.run(1000);
    await cluster.patch(thingRef('a'), 'merge', { status: { ok: true } }, { subresource: 'status' });
    await world.run(1000);
    await cluster.patch(thingRef('a'), 'merge', { spec: { x: 1 } });
    await world.run(1000);
    await cluster.patch(thingRef('a'), 'merge', { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } });
    await world.run(1000);
    await cluster.delete(thingRef('b'));
    await world.run(1000);
    expect(runs).toEqual(['0 a', '1 b', '3 a', '4 a', '5 b']);
    stop.abort();
  });

  it('runs again after the time that the reconciler says, or earlier when something changes', async () => {
    const { world, cluster, runs, stop } = start(async () => ({ kind: 'again', afterMs: 60_000 }));
    await cluster.create(thing('a'));
    await world.run(90_000);
    await cluster.patch(thingRef('a'), 'merge', { spec: { x: 1 } });
    await world.run(60_000);
    expect(runs).toEqual(['0 a', '60 a', '90 a', '150 a']);
    stop.abort();
  });

  it('SRC-12: tries again with growing delays, starts anew after a success, and logs each failure', async () => {
    let failures = 3;
    const { world, cluster, runs, lines, records, stop } = start(async () => {
      if (failures-- > 0) throw new SottoError('X', 'it broke');
      failures = 1;
      return { kind: 'again', afterMs: 10_000 };
    });
    await cluster.create(thing('a'));
    await world.run(16_500);
    expect(runs).toEqual(['0 a', '0.75 a', '2.25 a', '5.25 a', '15.25 a', '16 a']);
    expect(lines[0]).toMatch(/^error Reconciler error .*"error":"it broke","nextTrySeconds":0.75/);
    expect(records.map(({ result }) => result)).toEqual(['error', 'error', 'error', 'again', 'error', 'again']);
    stop.abort();
  });

  it('RUN-08: names controller, kind and object in the log', async () => {
    const { world, cluster, lines, stop } = start(async () => {
      throw new SottoError('X', 'it broke');
    });
    await cluster.create(thing('a'));
    await world.run(100);
    const fields = JSON.parse((lines[0] ?? '').replace(/^[^{]*/, '')) as Record<string, unknown>;
    expect(fields).toMatchObject({
      controller: 'thing',
      controllerKind: 'Thing',
      controllerGroup: 'example.com',
      Thing: { name: 'a', namespace: 'n' },
      name: 'a',
      namespace: 'n',
    });
    expect(fields['reconcileID']).toMatch(/^[0-9a-f-]{36}$/);
    stop.abort();
  });

  it('SRC-12: does not retry a terminal error until the spec changes', async () => {
    const { world, cluster, runs, stop } = start(async () => {
      throw new Terminal('X', 'never');
    });
    await cluster.create(thing('a'));
    await world.run(3_600_000);
    expect(runs).toEqual(['0 a']);
    await cluster.patch(thingRef('a'), 'merge', { spec: { x: 1 } });
    await world.run(1000);
    expect(runs).toEqual(['0 a', '3600 a']);
    stop.abort();
  });

  it('tries again quietly after a conflict', async () => {
    let isFirst = true;
    const { world, cluster, runs, lines, stop } = start(async () => {
      if (!isFirst) return DONE;
      isFirst = false;
      throw apiErrors.conflict({ group: '', plural: 'things' }, 'a', 'changed');
    });
    await cluster.create(thing('a'));
    await world.run(5000);
    expect(runs).toEqual(['0 a', '0.75 a']);
    expect(lines).toEqual([expect.stringMatching(/^info /) as string]);
    stop.abort();
  });

  it('survives a mapping that throws', async () => {
    const { world, cluster, lines, stop } = start(async () => DONE, {
      controllers: [
        {
          name: 'broken',
          concurrency: 1,
          watches: [{ apiVersion: 'v1', kind: 'Secret', map: () => Promise.reject(new SottoError('X', 'no map')) }],
          reconcile: async () => DONE,
        },
      ],
    });
    await cluster.create(secret('s'));
    await world.run(1000);
    expect(lines).toEqual([expect.stringMatching(/^error .*no map/) as string]);
    stop.abort();
  });
});

describe('wait', () => {
  const WAIT = (...refs: ObjectRef[]): Outcome => ({ kind: 'wait', refs, afterMs: 300_000 });

  it('wakes when an object of a watched kind changes, even by its status alone', async () => {
    const { world, cluster, runs, stop } = start(async ({ name }) => (name === 'a' ? WAIT(thingRef('b')) : DONE));
    await cluster.create(thing('b'));
    await cluster.create(thing('a'));
    await world.run(10_000);
    await cluster.patch(thingRef('b'), 'merge', { status: { ready: true } }, { subresource: 'status' });
    await world.run(10_000);
    expect(runs).toEqual(['0 b', '0 a', '10 a']);
    stop.abort();
  });

  it('wakes when an object of any other kind appears, through a watch on that object alone', async () => {
    const { world, server, cluster, runs, stop } = start(async (_request, _signal, c) =>
      (await c.find(secretRef('key'))) === undefined ? WAIT(secretRef('key')) : DONE,
    );
    await cluster.create(thing('a'));
    await world.run(10_000);
    await cluster.create(secret('other'));
    await world.run(10_000);
    await cluster.create(secret('key'));
    await world.run(10_000);
    expect(runs).toEqual(['0 a', '20 a']);
    const watch = server.requests.find(({ path, query }) => path.endsWith('/secrets') && query.get('watch') === 'true');
    expect(watch?.path).toBe('/api/v1/namespaces/n/secrets');
    expect(watch?.query.get('fieldSelector')).toBe('metadata.name=key');
    expect(watch?.signal.aborted).toBe(true);
    stop.abort();
  });

  it('wakes at once when the object changed while the reconciler ran', async () => {
    let isFirst = true;
    const { world, cluster, runs, stop } = start(async ({ name }, _signal, c) => {
      if (name !== 'a' || !isFirst) return name === 'a' ? WAIT(thingRef('b')) : DONE;
      isFirst = false;
      await c.patch(thingRef('b'), 'merge', { status: { ready: true } }, { subresource: 'status' });
      await world.clock.sleep(1000);
      return WAIT(thingRef('b'));
    });
    await cluster.create(thing('b'));
    await cluster.create(thing('a'));
    await world.run(10_000);
    expect(runs).toEqual(['0 b', '0 a', '1 a']);
    stop.abort();
  });

  it('wakes once for an existing object that it begins to watch, then only for changes', async () => {
    const { world, cluster, runs, stop } = start(async () => WAIT(secretRef('s')));
    await cluster.create(secret('s'));
    await cluster.create(thing('a'));
    await world.run(60_000);
    expect(runs).toEqual(['0 a', '0 a']);
    await cluster.patch(secretRef('s'), 'merge', { data: {} });
    await world.run(60_000);
    expect(runs).toEqual(['0 a', '0 a', '60 a']);
    await cluster.delete(secretRef('s'));
    await world.run(10_000);
    expect(runs).toHaveLength(4);
    stop.abort();
  });

  it('runs again after the longest wait when nothing changes', async () => {
    const { world, cluster, runs, stop } = start(async () => WAIT(secretRef('none')));
    await cluster.create(thing('a'));
    await world.run(650_000);
    expect(runs).toEqual(['0 a', '300 a', '600 a']);
    stop.abort();
  });

  it('forgets what it waited for when it is done', async () => {
    let runsOfA = 0;
    const { world, cluster, runs, stop } = start(async () => (runsOfA++ === 0 ? WAIT(thingRef('b'), secretRef('x')) : DONE));
    await cluster.create(thing('a'));
    await world.run(1000);
    await cluster.create(secret('x'));
    await world.run(1000);
    await cluster.patch(secretRef('x'), 'merge', { data: {} });
    await world.run(600_000);
    expect(runs).toEqual(['0 a', '1 a']);
    stop.abort();
  });
});

describe('stopping', () => {
  it('lets running reconciles finish and begins no other', async () => {
    const { world, cluster, runs, stop, hasEnded } = start(async (_request, signal) => {
      await world.clock.sleep(20_000, signal);
      return { kind: 'again', afterMs: 0 };
    });
    for (const name of ['a', 'b', 'c']) await cluster.create(thing(name));
    await world.run(1000);
    stop.abort();
    await world.run(18_000);
    expect(hasEnded()).toBe(false);
    await world.run(2000);
    expect(hasEnded()).toBe(true);
    expect(runs).toEqual(['0 a', '0 b']);
  });

  it('stops reconciles that take too long by their signal, and leaves those behind that ignore it', async () => {
    const { world, cluster, lines, stop, hasEnded } = start(async ({ name }, signal) => {
      await world.clock.sleep(3_600_000, name === 'deaf' ? undefined : signal);
      return DONE;
    });
    await cluster.create(thing('a'));
    await world.run(1000);
    stop.abort();
    await world.run(29_000);
    expect(hasEnded()).toBe(false);
    await world.run(2000);
    expect(hasEnded()).toBe(true);
    expect(lines).toEqual([expect.stringMatching(/^info reconciles still run/) as string]);

    const second = start(async () => {
      await second.world.clock.sleep(3_600_000);
      return DONE;
    });
    await second.cluster.create(thing('deaf'));
    await second.world.run(1000);
    second.stop.abort();
    await second.world.run(36_000);
    expect(second.hasEnded()).toBe(true);
    expect(second.lines.at(-1)).toMatch(/^error a reconcile does not stop/);
  });

  it('ends at once when it never began', async () => {
    const { world, hasEnded } = start(async () => DONE, { signal: AbortSignal.abort() });
    await world.run(0);
    expect(hasEnded()).toBe(true);
  });
});

describe('caches', () => {
  it('are shared between mappings and controllers', async () => {
    const world = virtualWorld({ seed: 1 });
    const cluster = connect(memoryServer([THINGS, SECRETS]).handle);
    const stop = new AbortController();
    const log = recordingLog([]);
    const caches = informers({ cluster, world, log });
    const runs: string[] = [];
    const controller: Controller = {
      name: 'thing',
      concurrency: 1,
      watches: [
        { apiVersion: 'example.com/v1', kind: 'Thing', map: ownChanges },
        {
          apiVersion: 'v1',
          kind: 'Secret',
          map: ({ object }) =>
            caches
              .list(THINGS, 'n')
              .filter(({ spec }) => (spec as { uses?: string }).uses === object.metadata.name)
              .map(requestFor),
        },
      ],
      reconcile: async ({ name }) => {
        runs.push(name);
        return DONE;
      },
    };
    void runControllers({ cluster, controllers: [controller], world, log, signal: stop.signal, informers: caches });
    await cluster.create(thing('a', { uses: 's' }));
    await cluster.create(thing('b'));
    await world.run(1000);
    runs.length = 0;
    await cluster.create(secret('s'));
    await world.run(1000);
    expect(runs).toEqual(['a']);
    stop.abort();
  });
});

describe('determinism', () => {
  it('takes the same steps for the same seed, whatever fails', async () => {
    const story = async (seed: number): Promise<string[]> => {
      const { world, server, cluster, runs, stop } = start(
        async ({ name }) => {
          await world.clock.sleep(world.random.below(3000));
          if (world.random.below(3) === 0) throw new SottoError('X', 'unlucky');
          return world.random.below(2) === 0
            ? { kind: 'again', afterMs: 20_000 }
            : { kind: 'wait', refs: [secretRef(name)], afterMs: 30_000 };
        },
        { seed },
      );
      for (const name of ['a', 'b', 'c', 'd']) await cluster.create(thing(name));
      for (let step = 0; step < 20; step++) {
        await world.run(world.random.below(20_000));
        if (step % 5 === 0) server.dropWatches();
        if (step % 7 === 0) server.compact();
        if (step % 3 === 0) await cluster.apply(secret(world.random.pick(['a', 'b'])), { fieldManager: 't' });
      }
      stop.abort();
      return runs;
    };
    const first = await story(42);
    expect(first.length).toBeGreaterThan(20);
    expect(await story(42)).toEqual(first);
    expect(await story(43)).not.toEqual(first);
  });
});
