import { aborted, isAbort, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import type { Cluster } from '../client/index.ts';
import { statusOf, type HealthStatus } from '../health/index.ts';
import { formatRef, refOf, type KubeObject, type ObjectRef } from '../objects/index.ts';
import { mapLimited } from './limit.ts';
import { liveKey } from './live.ts';

/** Says how far a live object is: kstatus by default, custom health expressions for instance. */
export type HealthReader = (object: KubeObject) => HealthStatus;

/** How long to wait, and for what. Only `world` and `timeoutMs` are needed. */
export interface HealthOptions {
  readonly world: Pick<World, 'clock'>;
  readonly timeoutMs: number;
  /** Default: {@link kstatusReader}. */
  readonly reader?: HealthReader;
  /** Time between two reads of what is not ready yet, milliseconds. Default 5000. */
  readonly pollMs?: number;
  /** Give up when one object is Failed (default), or only when all are Failed or Current. */
  readonly failFast?: boolean;
  /** True for objects whose absence means success: finished Jobs that clean themselves up. */
  readonly mayVanish?: (ref: ObjectRef) => boolean;
  /** Objects just read or written, which are not read again when they are ready. */
  readonly known?: Iterable<KubeObject>;
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
}

/** The rules of kstatus. */
export function kstatusReader(world: Pick<World, 'clock'>): HealthReader {
  return (object) => statusOf(object, { now: world.clock.now() }).status;
}

const POLL_MS = 5000;
const CONCURRENCY = 4;

/** Objects that did not become ready: `outcome` says whether time ran out or one of them failed. */
export class HealthFailed extends SottoError {
  readonly outcome: 'timeout' | 'stalled';

  constructor(outcome: 'timeout' | 'stalled', lines: readonly string[]) {
    const start = outcome === 'timeout' ? 'timeout waiting for' : 'failed early due to stalled resources';
    super('HEALTH_CHECK_FAILED', `${start}: [${lines.join(', ')}]`, { retry: true });
    this.name = 'HealthFailed';
    this.outcome = outcome;
  }
}

/**
 * Waits until all objects are Current (flux/HLT-02). What is not ready is read every `pollMs`, and a watch on
 * its kind wakes the wait earlier where watching is allowed.
 *
 * @throws HealthFailed when an object failed, or when time ran out
 */
export async function waitForHealth(cluster: Cluster, refs: readonly ObjectRef[], options: HealthOptions): Promise<void> {
  const state = healthState(refs, options);
  for (const object of options.known ?? []) state.see(object);
  const { clock } = options.world;
  const deadline = clock.monotonic() + options.timeoutMs;
  let watches: { close(): void } | undefined;
  try {
    for (;;) {
      await state.read(cluster);
      if (state.isSettled()) return;
      watches ??= watchPending(cluster, state.pending(), (object) => state.see(object));
      const nextRead = Math.min(deadline, clock.monotonic() + (options.pollMs ?? POLL_MS));
      if (clock.monotonic() >= deadline) throw new HealthFailed('timeout', state.lines());
      while (clock.monotonic() < nextRead) {
        await state.changed(nextRead - clock.monotonic());
        if (state.isSettled()) return;
      }
    }
  } finally {
    watches?.close();
  }
}

interface HealthState {
  /** Takes note of an object that was read, written or seen in a watch. */
  see(object: KubeObject): void;
  /** Reads whatever is not Current. */
  read(cluster: Cluster): Promise<void>;
  /** Resolves when something was seen, at the latest after `ms`. */
  changed(ms: number): Promise<void>;
  /** True when all is well. @throws HealthFailed when it never will be */
  isSettled(): boolean;
  pending(): ObjectRef[];
  lines(): string[];
}

function healthState(refs: readonly ObjectRef[], options: HealthOptions): HealthState {
  const reader = options.reader ?? kstatusReader(options.world);
  const wanted = new Map(refs.map((ref): [string, ObjectRef] => [liveKey(ref), ref]));
  const statuses = new Map<string, HealthStatus>();
  let wake = (): void => {};
  const isCurrent = (ref: ObjectRef): boolean => statuses.get(liveKey(ref)) === 'Current';
  const pending = (): ObjectRef[] => [...wanted.values()].filter((ref) => !isCurrent(ref));
  const lineOf = (ref: ObjectRef): string => {
    const status = statuses.get(liveKey(ref));
    return status === undefined ? `can't determine status for ${formatRef(ref)}` : `${formatRef(ref)} status: '${status}'`;
  };
  const failed = (): ObjectRef[] => [...wanted.values()].filter((ref) => statuses.get(liveKey(ref)) === 'Failed');
  const see = (object: KubeObject): void => {
    const key = liveKey(refOf(object));
    if (!wanted.has(key)) return;
    statuses.set(key, reader(object));
    wake();
  };
  const read = async (cluster: Cluster): Promise<void> => {
    await mapLimited(pending(), options.concurrency ?? CONCURRENCY, async (ref) => {
      const found = await cluster.find(ref, options.signal === undefined ? {} : { signal: options.signal });
      const absent = options.mayVanish?.(ref) === true ? 'Current' : 'NotFound';
      statuses.set(liveKey(ref), found === undefined ? absent : reader(found));
    });
  };
  const changed = (ms: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const { signal } = options;
      const finish = (settle: () => void): void => {
        timer.cancel();
        signal?.removeEventListener('abort', stop);
        wake = () => {};
        settle();
      };
      const stop = (): void => finish(() => reject(aborted()));
      const timer = options.world.clock.after(ms, () => finish(resolve));
      wake = () => finish(resolve);
      if (signal?.aborted === true) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  const isSettled = (): boolean => {
    const open = pending();
    if (open.length === 0) return true;
    const stalled = failed();
    const isHopeless = options.failFast === false ? stalled.length === open.length : stalled.length > 0;
    if (isHopeless) throw new HealthFailed('stalled', stalled.map(lineOf));
    return false;
  };
  return { see, read, changed, isSettled, pending, lines: () => pending().map(lineOf) };
}

/** One watch for each kind and namespace in which something is not ready. */
function watchPending(cluster: Cluster, refs: readonly ObjectRef[], see: (object: KubeObject) => void): { close(): void } {
  const stop = new AbortController();
  const groups = Map.groupBy(refs, (ref) => `${ref.apiVersion} ${ref.kind} ${ref.namespace ?? ''}`);
  for (const group of groups.values()) void watchGroup(cluster, group, see, stop.signal);
  return { close: () => stop.abort() };
}

async function watchGroup(
  cluster: Cluster,
  group: readonly ObjectRef[],
  see: (object: KubeObject) => void,
  signal: AbortSignal,
): Promise<void> {
  const [first, ...others] = group;
  if (first === undefined) return;
  const options = {
    signal,
    ...(first.namespace === undefined ? {} : { namespace: first.namespace }),
    ...(others.length === 0 ? { fieldSelector: `metadata.name=${first.name}` } : {}),
  };
  try {
    for await (const event of cluster.watch({ apiVersion: first.apiVersion, kind: first.kind }, options)) {
      // A deletion is told by the next read, which knows whether the object may vanish.
      if (event.type === 'ADDED' || event.type === 'MODIFIED') see(event.object);
    }
  } catch (error) {
    // Watching only saves time: when it is not allowed, not served or breaks, polling goes on without it.
    if (isAbort(error)) return undefined;
  }
  return undefined;
}

/**
 * Waits until none of the objects exists.
 *
 * @throws SottoError TERMINATION_TIMEOUT naming those that are left
 */
export async function waitForTermination(
  cluster: Cluster,
  refs: readonly ObjectRef[],
  options: Pick<HealthOptions, 'world' | 'timeoutMs' | 'pollMs' | 'signal'>,
): Promise<void> {
  const { clock } = options.world;
  const deadline = clock.monotonic() + options.timeoutMs;
  for (let left = [...refs]; ;) {
    const found = await mapLimited(left, CONCURRENCY, (ref) =>
      cluster.find(ref, options.signal === undefined ? {} : { signal: options.signal }),
    );
    left = left.filter((_, i) => found[i] !== undefined);
    if (left.length === 0) return;
    if (clock.monotonic() >= deadline) {
      throw new SottoError('TERMINATION_TIMEOUT', `timeout waiting for the termination of: ${left.map(formatRef).join(', ')}`, {
        retry: true,
      });
    }
    await clock.sleep(Math.min(options.pollMs ?? TERMINATION_POLL_MS, deadline - clock.monotonic()), options.signal);
  }
}

const TERMINATION_POLL_MS = 2000;
