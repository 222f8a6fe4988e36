import { SottoError } from '../../src/base/errors/index.ts';
import type { Clock, Random } from '../../src/base/world/index.ts';
import type { ApiRequest, ApiResponse, Handle } from '../../src/kube/client/index.ts';
import { apiErrors, type ApiError } from '../../src/kube/objects/index.ts';

/** What happens to one request. */
type Fault = 'none' | 'drop' | 'lost-answer' | 'conflict' | 'throttled' | 'internal' | 'slow' | 'cut-watch';

export interface FaultOptions {
  /** Share of requests that suffer a fault, from 0 to 1. */
  readonly rate: number;
  /** Planted bug: this share of watch frames vanishes without a trace. */
  readonly lostFrames: number;
}

/** Counts for the report: what was asked and what was done to it. */
export interface FaultCounts {
  requests: number;
  faults: number;
  crashes: number;
  lostFrames: number;
}

/** Longest delay of a slow request. */
const SLOW_MS = 20_000;
/** A cut watch ends within this time. */
const CUT_WITHIN_MS = 120_000;

/** An API as one incarnation of the controllers reaches it: faults drawn from the seed, nothing after its crash. */
export interface FaultyHandle {
  readonly handle: Handle;
  /** The process dies: pending and later requests fail, watches end. */
  crash(): void;
}

/**
 * Wraps a handle. `options` is read at every request, so that faults can be switched off while it runs.
 */
export function faultyHandle(
  inner: Handle,
  random: Random,
  clock: Clock,
  options: () => FaultOptions,
  counts: FaultCounts,
  onRequest: (request: ApiRequest) => void,
): FaultyHandle {
  const dead = new AbortController();
  const gone = (): SottoError => new SottoError('NETWORK_UNREACHABLE', 'the connection was lost', { retry: true });
  const handle: Handle = async (request) => {
    if (dead.signal.aborted) throw gone();
    if (options().rate > 0) counts.requests += 1;
    onRequest(request);
    if (dead.signal.aborted) throw gone();
    const fault = drawFault(random, request, options().rate);
    if (fault !== 'none') counts.faults += 1;
    if (fault === 'drop') throw gone();
    if (fault === 'slow') await clock.sleep(1 + random.below(SLOW_MS), request.signal);
    const answer = ANSWERS[fault];
    if (answer !== undefined) return responseOf(answer());
    const response = await inner({ ...request, signal: AbortSignal.any([request.signal, dead.signal]) });
    if (dead.signal.aborted || fault === 'lost-answer') throw gone();
    if (response.body.kind !== 'stream') return response;
    return { ...response, body: { kind: 'stream', frames: faultyFrames(response.body.frames, fault === 'cut-watch') } };
  };
  async function* faultyFrames(frames: AsyncIterable<unknown>, cut: boolean): AsyncGenerator<unknown> {
    const end = cut ? clock.now() + random.below(CUT_WITHIN_MS) : Infinity;
    for await (const frame of frames) {
      if (dead.signal.aborted || clock.now() >= end) throw gone();
      if (options().lostFrames > 0 && random.number() < options().lostFrames) counts.lostFrames += 1;
      else yield frame;
    }
  }
  return {
    handle,
    crash: () => {
      counts.crashes += 1;
      dead.abort();
    },
  };
}

const ANSWERS: Readonly<Partial<Record<Fault, () => ApiError>>> = {
  conflict: () =>
    apiErrors.of(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version and try again'),
  throttled: () =>
    apiErrors.of(429, 'TooManyRequests', 'the server has received too many requests and has asked us to try again later', {
      retryAfterSeconds: 1,
    }),
  internal: () => apiErrors.internal('simulated fault'),
};

const READ_FAULTS: readonly Fault[] = ['drop', 'throttled', 'internal', 'slow'];
const WRITE_FAULTS: readonly Fault[] = ['drop', 'lost-answer', 'conflict', 'throttled', 'internal', 'slow'];
const WATCH_FAULTS: readonly Fault[] = ['drop', 'internal', 'cut-watch'];

function drawFault(random: Random, request: ApiRequest, rate: number): Fault {
  if (random.number() >= rate) return 'none';
  if (isWatch(request)) return random.pick(WATCH_FAULTS);
  return random.pick(request.method === 'GET' ? READ_FAULTS : WRITE_FAULTS);
}

export function isWatch(request: ApiRequest): boolean {
  return request.query.get('watch') === 'true' || request.query.get('watch') === '1';
}

function responseOf(error: ApiError): ApiResponse {
  return { status: error.status.code ?? 500, headers: { 'content-type': 'application/json' }, body: { kind: 'json', value: error.status } };
}
