import { describe, expect, it } from 'vitest';

import { systemEntropy, virtualWorld, type VirtualWorld } from '../../base/world/index.ts';
import { createCluster, type Interception } from '../../cluster/server/index.ts';
import { connect, type ApiRequest, type Cluster } from '../client/index.ts';
import type { HealthStatus } from '../health/index.ts';
import type { KubeObject, ObjectRef } from '../objects/index.ts';
import { waitForHealth, waitForTermination, type HealthOptions } from './wait.ts';

/** A ConfigMap says in `data.status` how it is. */
const reader = (object: KubeObject): HealthStatus => (object['data'] as { status: HealthStatus }).status;
const refTo = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name });

interface Bench {
  readonly world: VirtualWorld;
  readonly cluster: Cluster;
  /** Creates or changes an object after some seconds. */
  readonly set: (name: string, status: HealthStatus, afterSeconds?: number) => void;
  /** The seconds that the wait took, and how it ended. */
  readonly wait: (names: readonly string[], options?: Partial<HealthOptions>) => Promise<[seconds: number, outcome: string]>;
  readonly requests: string[];
}

async function bench(intercept?: (request: ApiRequest) => Interception): Promise<Bench> {
  const world = virtualWorld({ seed: 1 });
  const requests: string[] = [];
  const server = await createCluster({
    world,
    entropy: systemEntropy,
    intercept: (request) => {
      if (request.path.includes('configmaps')) requests.push(`${request.query.has('watch') ? 'WATCH' : request.method} ${request.path}`);
      return intercept?.(request) ?? 'pass';
    },
  });
  const cluster = connect(server.handle);
  return {
    world,
    cluster,
    requests,
    set: (name, status, afterSeconds = 0) => {
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { status } };
      world.clock.after(afterSeconds * 1000, () => void cluster.apply(object, { fieldManager: 'test' }));
    },
    wait: async (names, options = {}) => {
      // What is set for now happens before.
      await world.run(0);
      const started = world.clock.now();
      let outcome: string | undefined;
      let ended = 0;
      waitForHealth(cluster, names.map(refTo), { world, timeoutMs: 60_000, reader, ...options })
        .then(
          () => 'healthy',
          (error: unknown) => (error as Error).message,
        )
        .then((text) => {
          outcome = text;
          ended = world.clock.now();
        })
        .catch(() => undefined);
      await world.run(3_600_000, () => outcome !== undefined);
      return [(ended - started) / 1000, outcome ?? 'never'];
    },
  };
}

describe('waiting for health', () => {
  it('flux/HLT-02: ends at once when everything is current', async () => {
    const { set, wait } = await bench();
    set('a', 'Current');
    set('b', 'Current');
    expect(await wait(['a', 'b'])).toEqual([0, 'healthy']);
  });

  it('flux/HLT-02: a watch wakes the wait before the next poll', async () => {
    const { set, wait } = await bench();
    set('a', 'InProgress');
    set('a', 'Current', 7);
    set('b', 'Current', 8);
    expect(await wait(['a', 'b'])).toEqual([8, 'healthy']);
  });

  it('flux/HLT-02: without permission to watch it reads every five seconds', async () => {
    const { set, wait } = await bench((request) => (request.query.has('watch') ? 'drop' : 'pass'));
    set('a', 'InProgress');
    set('a', 'Current', 7);
    expect(await wait(['a'])).toEqual([10, 'healthy']);
  });

  it('flux/HLT-02: when time runs out it names what is not ready, and how it is', async () => {
    const { set, wait } = await bench();
    set('a', 'InProgress');
    set('b', 'Current');
    set('c', 'Terminating');
    expect(await wait(['a', 'b', 'c', 'd'])).toEqual([
      60,
      "timeout waiting for: [ConfigMap/default/a status: 'InProgress', ConfigMap/default/c status: 'Terminating', ConfigMap/default/d status: 'NotFound']",
    ]);
  });

  it('flux/HLT-02: fails as soon as one object is Failed', async () => {
    const { set, wait } = await bench();
    set('a', 'InProgress');
    set('b', 'InProgress');
    set('b', 'Failed', 3);
    expect(await wait(['a', 'b'])).toEqual([3, "failed early due to stalled resources: [ConfigMap/default/b status: 'Failed']"]);
  });

  it('flux/HLT-02: with DisableFailFastBehavior only when all are Failed or Current', async () => {
    const { set, wait } = await bench();
    set('a', 'InProgress');
    set('b', 'Failed');
    set('a', 'Current', 12);
    expect(await wait(['a', 'b'], { failFast: false })).toEqual([
      12,
      "failed early due to stalled resources: [ConfigMap/default/b status: 'Failed']",
    ]);
  });

  it('flux/HLT-03: an object that may vanish counts as a success when it is gone, any other does not', async () => {
    const { wait } = await bench();
    expect(await wait(['job'], { mayVanish: ({ name }) => name === 'job' })).toEqual([0, 'healthy']);
    const [seconds] = await wait(['other'], { mayVanish: ({ name }) => name === 'job' });
    expect(seconds).toBe(60);
  });

  it('flux/HLT-01: objects just read are not read again', async () => {
    const { set, wait, world, cluster, requests } = await bench();
    set('a', 'Current');
    await world.run(0);
    const known = [await cluster.get(refTo('a'))];
    requests.length = 0;
    expect(await wait(['a'], { known })).toEqual([0, 'healthy']);
    expect(requests).toEqual([]);
  });

  it('stops when its signal fires', async () => {
    const { set, wait, world } = await bench();
    const stop = new AbortController();
    set('a', 'InProgress');
    world.clock.after(4000, () => stop.abort());
    expect(await wait(['a'], { signal: stop.signal })).toEqual([4, 'stopped before it was done']);
  });
});

describe('waiting for termination', () => {
  it('flux/KS-12: looks every two seconds, and names what is left when time runs out', async () => {
    const { set, world, cluster } = await bench();
    set('a', 'Current');
    set('b', 'Current');
    world.clock.after(5000, () => void cluster.delete(refTo('a')));
    await world.run(1000);
    const outcomes: string[] = [];
    const wait = (name: string): void => {
      waitForTermination(cluster, [refTo(name)], { world, timeoutMs: 30_000 }).then(
        () => outcomes.push(`${name} gone ${world.clock.now() % 60_000}`),
        (error: unknown) => outcomes.push((error as Error).message),
      );
    };
    wait('a');
    wait('b');
    await world.run(60_000, () => outcomes.length === 2);
    expect(outcomes).toEqual(['a gone 5000', 'timeout waiting for the termination of: ConfigMap/default/b']);
  });
});
