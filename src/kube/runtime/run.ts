import { isAbort, messageOf, Terminal } from '../../base/errors/index.ts';
import type { Log } from '../../base/log/index.ts';
import type { World } from '../../base/world/index.ts';
import type { Cluster } from '../client/index.ts';
import { isConflict, parseApiVersion } from '../objects/index.ts';
import type { BackoffOptions } from './backoff.ts';
import { informers as makeInformers, type Informers } from './informers.ts';
import { leadAnd, type LeaderElectionOptions } from './leader.ts';
import { workQueue, type WorkQueue } from './queue.ts';
import { requestKey } from './requests.ts';
import type { Controller, Outcome, Request } from './types.ts';
import { waits, type Waits } from './waits.ts';

/** One finished run of a reconciler, for metrics. */
export interface ReconcileRecord {
  readonly controller: string;
  /** Kind of the controller's first watch. */
  readonly kind: string;
  readonly request: Request;
  readonly durationMs: number;
  readonly result: Outcome['kind'] | 'error' | 'terminal';
}

export interface RunControllersOptions {
  readonly cluster: Cluster;
  readonly controllers: readonly Controller[];
  readonly world: World;
  readonly log: Log;
  /** Stops everything: nothing new begins, what runs may finish. */
  readonly signal: AbortSignal;
  /** Caches that the controllers read, when they were made before them. */
  readonly informers?: Informers;
  /** RUN-04: watch only this namespace. */
  readonly namespace?: string;
  readonly retry?: BackoffOptions;
  /** How long running reconciles may go on after the stop, before their signal fires. Default 30 s. */
  readonly stopTimeoutMs?: number;
  /** RUN-02: run the controllers only while holding this lease. */
  readonly leaderElection?: LeaderElectionOptions;
  readonly observe?: (record: ReconcileRecord) => void;
}

const STOP_TIMEOUT_MS = 30_000;
/** How long a reconcile may take to notice its signal. */
const ABORT_TIMEOUT_MS = 5_000;

/**
 * Runs controllers until the signal fires, then waits for running reconciles.
 *
 * A reconcile that throws is tried again after 750 ms, doubling to 15 minutes; one that throws {@link Terminal} only
 * when one of its watches asks for it. Requests that arrive while the same one runs are joined into one more run.
 *
 * @throws SottoError LEADER_LOST when the lease could not be renewed
 */
export async function runControllers(options: RunControllersOptions): Promise<void> {
  const { leaderElection, cluster, world, log, signal } = options;
  if (leaderElection === undefined) return runAll(options);
  return leadAnd((leading) => runAll({ ...options, signal: leading }), { ...leaderElection, cluster, world, log, signal });
}

async function runAll(options: RunControllersOptions): Promise<void> {
  const { controllers, world, log, signal, stopTimeoutMs = STOP_TIMEOUT_MS } = options;
  const informers = options.informers ?? makeInformers(options);
  const watching = new AbortController();
  const reconciling = new AbortController();
  const waiting = waits(informers, watching.signal);

  const queues = controllers.map((controller) => {
    const queue = queueOf(controller, { ...options, informers, waiting, reconciling: reconciling.signal });
    const watched = controller.watches.map((watch) => {
      const { apiVersion, kind, labelSelector } = watch;
      const informer = informers.for({ apiVersion, kind, ...(labelSelector === undefined ? {} : { labelSelector }) });
      informer.subscribe(
        (event) => {
          void mapEvent(() => watch.map(event), queue, log.with({ controller: controller.name }));
        },
        { replay: true },
      );
      return informer.settled;
    });
    void Promise.all(watched).then(() => queue.start());
    return queue;
  });

  const watches = informers.run(watching.signal);
  await fired(signal);
  const stopped = Promise.all(queues.map((queue) => queue.stop()));
  if (!(await within(world, stopTimeoutMs, stopped))) {
    log.info('reconciles still run, stopping them', { afterSeconds: stopTimeoutMs / 1000 });
    reconciling.abort();
    if (!(await within(world, ABORT_TIMEOUT_MS, stopped))) log.error('a reconcile does not stop, leaving it behind');
  }
  watching.abort();
  await watches;
}

async function mapEvent(map: () => readonly Request[] | Promise<readonly Request[]>, queue: WorkQueue, log: Log): Promise<void> {
  try {
    for (const request of await map()) queue.add(request);
  } catch (error) {
    log.error('cannot tell what a change concerns', { error: messageOf(error) });
  }
}

interface QueueContext extends RunControllersOptions {
  readonly informers: Informers;
  readonly waiting: Waits;
  readonly reconciling: AbortSignal;
}

function queueOf(controller: Controller, context: QueueContext): WorkQueue {
  const { world, waiting, informers, reconciling, retry, observe } = context;
  const [primary] = controller.watches;
  const kind = primary?.kind ?? '';
  const fields = { controller: controller.name, controllerKind: kind, controllerGroup: parseApiVersion(primary?.apiVersion ?? '').group };

  const run = async (request: Request): Promise<void> => {
    const waiter = `${controller.name}/${requestKey(request)}`;
    const { namespace, name } = request;
    const log = context.log.with({ ...fields, [kind]: request, namespace, name, reconcileID: world.random.uuid() });
    const position = informers.position();
    const startedAt = world.clock.monotonic();
    const record = (result: ReconcileRecord['result']): void =>
      observe?.({ controller: controller.name, kind, request, durationMs: world.clock.monotonic() - startedAt, result });
    waiting.pause(waiter);
    try {
      const outcome = await controller.reconcile(request, reconciling);
      queue.forget(request);
      if (outcome.kind !== 'done') queue.addAfter(request, outcome.afterMs);
      if (outcome.kind === 'wait') waiting.wait(waiter, outcome.refs, position, () => queue.add(request));
      else waiting.release(waiter);
      record(outcome.kind);
    } catch (error) {
      waiting.release(waiter);
      record(onError(error, request, log));
    }
  };

  const onError = (error: unknown, request: Request, log: Log): 'error' | 'terminal' => {
    if (error instanceof Terminal) {
      queue.forget(request);
      log.error('Reconciler error: no retry until something changes', { error: messageOf(error) });
      return 'terminal';
    }
    const nextTry = queue.retry(request);
    if (reconciling.aborted && isAbort(error)) return 'error';
    // Somebody else wrote first: that is how optimistic locking works, not a failure.
    if (isConflict(error)) log.info('the object changed meanwhile, trying again', { error: messageOf(error) });
    else log.error('Reconciler error', { error: messageOf(error), nextTrySeconds: nextTry / 1000 });
    return 'error';
  };

  const queue = workQueue({ clock: world.clock, concurrency: controller.concurrency, run, ...(retry === undefined ? {} : { retry }) });
  return queue;
}

async function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Whether `work` finished in time. */
async function within(world: World, ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = world.clock.after(ms, () => late.resolve(false));
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    timer.cancel();
  }
}
