import { createHash } from 'node:crypto';

import { messageOf, SottoError } from '../../base/errors/index.ts';
import type { Log } from '../../base/log/index.ts';
import type { World } from '../../base/world/index.ts';
import type { Cluster } from '../client/index.ts';
import { cloneJson, type KubeObject } from '../objects/index.ts';

export interface LeaderElectionOptions {
  /** Name of the Lease, such as `kustomize-controller-leader-election`; see {@link leaseName}. */
  readonly name: string;
  readonly namespace: string;
  /** Default: host name and a random id. */
  readonly identity?: string;
  /** How long others wait for a silent leader. Default 35 s. */
  readonly leaseDurationMs?: number;
  /** How long a leader tries to renew before it gives up. Default 30 s. */
  readonly renewDeadlineMs?: number;
  /** Between two tries. Default 5 s. */
  readonly retryPeriodMs?: number;
  /** Free the lease at the end, so that the next leader need not wait. Default true. */
  readonly releaseOnCancel?: boolean;
}

interface LeadOptions extends LeaderElectionOptions {
  readonly cluster: Cluster;
  readonly world: World;
  readonly log: Log;
  readonly signal: AbortSignal;
}

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

const JITTER_FACTOR = 1.2;

/** The name of a shard's lease: `-` and 8 hex digits of the selector's hash behind the base name (RUN-02). */
export function leaseName(base: string, watchLabelSelector?: string): string {
  if (watchLabelSelector === undefined || watchLabelSelector === '') return base;
  return `${base}-${createHash('sha256').update(watchLabelSelector).digest('hex').slice(0, 8)}`;
}

/**
 * Waits for the lease, then runs `work` while renewing it, and frees it at the end. `work` gets a signal that fires
 * when the caller stops or the lease is lost.
 *
 * @throws SottoError LEADER_LOST when the lease could not be renewed in time
 */
export async function leadAnd(work: (signal: AbortSignal) => Promise<void>, options: LeadOptions): Promise<void> {
  const { world, log, signal, renewDeadlineMs = 30_000, retryPeriodMs = 5_000, releaseOnCancel = true } = options;
  const lease = leaseOf(options);
  const pause = (ms: number, until: AbortSignal): Promise<void> => world.clock.sleep(ms, until).catch(() => undefined); // stopped: the caller looks
  while (!signal.aborted && (await lease.claim()) !== 'held')
    await pause(retryPeriodMs * (1 + (JITTER_FACTOR - 1) * world.random.number()), signal);
  if (signal.aborted) return lease.isHeld() && releaseOnCancel ? lease.release() : undefined;
  log.info('became the leader', { lease: options.name, identity: lease.identity });

  const leading = new AbortController();
  const finished = new AbortController();
  const stop = (): void => leading.abort();
  signal.addEventListener('abort', stop, { once: true });
  const running = work(leading.signal).finally(() => finished.abort());
  running.catch(() => undefined); // awaited below, after the renewals have ended

  let isLost = false;
  let renewedAt = world.clock.monotonic();
  while (!finished.signal.aborted && !isLost) {
    await pause(retryPeriodMs, finished.signal);
    if (finished.signal.aborted) break;
    const claim = await lease.claim();
    if (claim === 'held') renewedAt = world.clock.monotonic();
    else isLost = claim === 'taken' || world.clock.monotonic() - renewedAt >= renewDeadlineMs;
  }
  leading.abort();
  signal.removeEventListener('abort', stop);
  try {
    await running;
  } finally {
    if (releaseOnCancel && !isLost) await lease.release();
  }
  if (isLost) throw new SottoError('LEADER_LOST', `the lease ${options.namespace}/${options.name} was lost`, { retry: true });
}

interface LeaseClaim {
  readonly identity: string;
  /** Takes or renews the lease, unless somebody else has it or the API does not answer. */
  claim(): Promise<'held' | 'taken' | 'failed'>;
  isHeld(): boolean;
  release(): Promise<void>;
}

/** The protocol of client-go's leaderelection: a foreign lease counts from when this process last saw it change. */
function leaseOf({ cluster, world, log, ...options }: LeadOptions): LeaseClaim {
  const { name, namespace, leaseDurationMs = 35_000, renewDeadlineMs = 30_000 } = options;
  const identity = options.identity ?? `${world.env['HOSTNAME'] ?? 'sotto'}_${world.random.uuid()}`;
  const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name };
  let seen: { readonly text: string; readonly at: number } | undefined;
  let held: KubeObject | undefined;

  const isTaken = (lease: KubeObject, spec: LeaseSpec): boolean => {
    const text = JSON.stringify(spec);
    if (seen?.text !== text) seen = { text, at: world.clock.monotonic() };
    const isForeign = (spec.holderIdentity ?? '') !== '' && spec.holderIdentity !== identity;
    if (!isForeign) return false;
    const duration = (spec.leaseDurationSeconds ?? leaseDurationMs / 1000) * 1000;
    return seen.at + duration > world.clock.monotonic() && lease.metadata.deletionTimestamp === undefined;
  };
  const nextSpec = (old: LeaseSpec | undefined): LeaseSpec => {
    const now = microTime(world.clock.now());
    const isRenewal = old?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: isRenewal ? (old.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: old === undefined ? 0 : (old.leaseTransitions ?? 0) + (isRenewal ? 0 : 1),
    };
  };
  const write = async (lease: KubeObject | undefined, spec: LeaseSpec, signal?: AbortSignal): Promise<KubeObject> => {
    const options = signal === undefined ? {} : { signal };
    if (lease !== undefined) return cluster.update({ ...cloneJson(lease), spec }, options);
    return cluster.create({ apiVersion: ref.apiVersion, kind: ref.kind, metadata: { name, namespace }, spec }, options);
  };
  const tryClaim = async (signal: AbortSignal): Promise<'held' | 'taken'> => {
    const lease = await cluster.find(ref, { signal });
    const spec = lease?.['spec'] as LeaseSpec | undefined;
    if (lease !== undefined && spec !== undefined && isTaken(lease, spec)) {
      held = undefined;
      return 'taken';
    }
    held = await write(lease, nextSpec(spec), signal);
    return 'held';
  };

  return {
    identity,
    isHeld: () => held !== undefined,
    claim: async () => {
      // An API that does not answer must not keep a leader from noticing that its time is up.
      const late = new AbortController();
      const deadline = world.clock.after(renewDeadlineMs, () => late.abort());
      try {
        return await tryClaim(late.signal);
      } catch (error) {
        log.debug('cannot take the lease', { lease: name, error: messageOf(error) });
        return 'failed';
      } finally {
        deadline.cancel();
      }
    },
    release: async () => {
      if (held === undefined) return;
      const now = microTime(world.clock.now());
      const { leaseTransitions = 0 } = held['spec'] as LeaseSpec;
      try {
        await write(held, { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions });
        held = undefined;
      } catch (error) {
        log.info('cannot free the lease, it expires by itself', { lease: name, error: messageOf(error) });
      }
    },
  };
}

/** metav1.MicroTime. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
