import { describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { noLog } from '../../base/log/index.ts';
import { virtualWorld } from '../../base/world/index.ts';
import { connect, type Handle } from '../client/index.ts';
import { memoryServer } from '../client/memory.fixture.ts';
import { apiErrors, type KubeObject } from '../objects/index.ts';
import { leadAnd, leaseName, type LeaderElectionOptions } from './leader.ts';

const LEASES = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', namespaced: true };
const REF = { apiVersion: LEASES.apiVersion, kind: 'Lease', namespace: 'flux-system', name: 'kustomize-controller-leader-election' };
const NAMES = { namespace: REF.namespace, name: REF.name };

function start() {
  const world = virtualWorld({ seed: 1 });
  const server = memoryServer([LEASES]);
  const begin = world.clock.now();
  const log: string[] = [];
  const note = (text: string): void => void log.push(`${(world.clock.now() - begin) / 1000} ${text}`);
  const cut = new Set<string>();

  /** One candidate; its work ends `stopMs` after it is told to. */
  const candidate = (identity: string, options: Partial<LeaderElectionOptions> & { stopMs?: number } = {}) => {
    const stop = new AbortController();
    const handle: Handle = (request) => {
      if (!cut.has(identity)) return server.handle(request);
      throw apiErrors.serviceUnavailable('cut off');
    };
    const work = async (signal: AbortSignal): Promise<void> => {
      note(`${identity} leads`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      note(`${identity} is told to stop`);
      await world.clock.sleep(options.stopMs ?? 0);
      note(`${identity} has stopped`);
    };
    const { stopMs: _, ...election } = options;
    leadAnd(work, { ...NAMES, identity, ...election, cluster: connect(handle), world, log: noLog, signal: stop.signal }).then(
      () => note(`${identity} ended`),
      (error: unknown) => note(`${identity} failed: ${(error as { code: string }).code}`),
    );
    return stop;
  };
  const lease = async (): Promise<KubeObject['spec']> => (await connect(server.handle).get(REF))['spec'];
  return { world, server, log, candidate, lease, cut };
}

describe('leader election', () => {
  it('RUN-02: writes the lease as client-go does', async () => {
    const { world, candidate, lease } = start();
    candidate('a');
    await world.run(12_000);
    expect(await lease()).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 35,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:10.000000Z',
      leaseTransitions: 0,
    });
  });

  it('RUN-02: only one leads; the lease is freed on stop, after the work has ended, and the next takes it soon', async () => {
    const { world, candidate, log, lease } = start();
    const first = candidate('a', { stopMs: 40_000 });
    await world.run(0);
    candidate('b');
    await world.run(60_000);
    expect(log).toEqual(['0 a leads']);
    first.abort();
    await world.run(50_000);
    expect(log.slice(0, 4)).toEqual(['0 a leads', '60 a is told to stop', '100 a has stopped', '100 a ended']);
    expect(log[4]).toMatch(/^10[0-6]\.?\d* b leads$/);
    expect(await lease()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('RUN-02: without release the next one waits for 35 s since it last saw the lease change', async () => {
    const { world, candidate, log } = start();
    const first = candidate('a', { releaseOnCancel: false });
    await world.run(0);
    candidate('b');
    await world.run(60_000);
    first.abort();
    await world.run(34_000);
    expect(log.some((line) => line.endsWith('b leads'))).toBe(false);
    await world.run(12_000);
    expect(log.some((line) => line.endsWith('b leads'))).toBe(true);
  });

  it('RUN-02: a leader that cannot renew for 30 s stops before another may lead', async () => {
    const { world, candidate, log, cut } = start();
    candidate('a');
    await world.run(0);
    candidate('b');
    await world.run(20_000);
    cut.add('a');
    await world.run(60_000);
    expect(log.slice(0, 4)).toEqual(['0 a leads', '50 a is told to stop', '50 a has stopped', '50 a failed: LEADER_LOST']);
    const [seconds = 0] = (log[4] ?? '').split(' ').map(Number);
    expect(log[4]).toMatch(/b leads$/);
    expect(seconds).toBeGreaterThan(50);
  });

  it('RUN-02: a leader whose lease somebody else holds stops at once', async () => {
    const { world, candidate, log, server } = start();
    candidate('a');
    await world.run(12_000);
    await connect(server.handle).patch(REF, 'merge', { spec: { holderIdentity: 'thief' } });
    await world.run(6000);
    expect(log).toEqual(['0 a leads', '15 a is told to stop', '15 a has stopped', '15 a failed: LEADER_LOST']);
  });

  it('RUN-02: survives failures shorter than the deadline', async () => {
    const { world, candidate, log, cut } = start();
    candidate('a');
    await world.run(20_000);
    cut.add('a');
    await world.run(25_000);
    cut.delete('a');
    await world.run(120_000);
    expect(log).toEqual(['0 a leads']);
  });

  it('RUN-02: frees the lease and passes the error on when the work fails', async () => {
    const { world, log, server } = start();
    const fails = async (): Promise<void> => {
      await world.clock.sleep(7000);
      throw new SottoError('BROKEN', 'it broke');
    };
    leadAnd(fails, {
      ...NAMES,
      identity: 'a',
      cluster: connect(server.handle),
      world,
      log: noLog,
      signal: new AbortController().signal,
    }).catch((error: unknown) => log.push((error as SottoError).code));
    await world.run(8000);
    expect(log).toEqual(['BROKEN']);
    expect((await connect(server.handle).get(REF))['spec']).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  });

  it('RUN-02: stops waiting when told to', async () => {
    const { world, candidate, log } = start();
    candidate('a');
    await world.run(0);
    const second = candidate('b');
    await world.run(10_000);
    second.abort();
    await world.run(1000);
    expect(log).toEqual(['0 a leads', '10 b ended']);
  });

  it('RUN-02: names a shard by the hash of its selector', () => {
    expect(leaseName('kustomize-controller-leader-election')).toBe('kustomize-controller-leader-election');
    // printf %s 'sharding.fluxcd.io/key=shard1' | sha256sum
    expect(leaseName('kustomize-controller-leader-election', 'sharding.fluxcd.io/key=shard1')).toBe(
      'kustomize-controller-leader-election-73fdc1be',
    );
  });
});
