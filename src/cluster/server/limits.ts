import { parseDuration, type Clock } from '../../base/world/index.ts';
import type { ApiRequest, ApiResponse, UserInfo } from '../../kube/client/index.ts';
import { apiErrors } from '../../kube/objects/index.ts';

/** How much the server does at once, and for how long (LIM-01; apiserver:pkg/server/config.go). */
export interface Limits {
  /** Requests that read, watches apart. */
  readonly maxReads: number;
  readonly maxWrites: number;
  /** Milliseconds that a request may take, watches apart. */
  readonly readMs: number;
  readonly writeMs: number;
}

export const DEFAULT_LIMITS: Limits = { maxReads: 400, maxWrites: 200, readMs: 60_000, writeMs: 34_000 };

const READS = new Set(['get', 'list', 'head', 'options']);
/** Suggested to clients that are turned away. */
const RETRY_SECONDS = 1;

export interface Limiter {
  /** Counts a request while `work` runs; watches and administrators are not limited in number. */
  run(
    request: ApiRequest,
    asked: { readonly verb: string; readonly user: UserInfo },
    work: () => Promise<ApiResponse>,
  ): Promise<ApiResponse>;
}

/** Turns requests away that are too many or take too long. Its work throws ApiError 400, 429, 504. */
export function createLimiter(clock: Clock, limits: Limits): Limiter {
  const running = { reads: 0, writes: 0 };
  return {
    run: async (request, { verb, user }, work) => {
      if (verb === 'watch') return work();
      const kind = READS.has(verb) ? 'reads' : 'writes';
      const [most, longest] = kind === 'reads' ? [limits.maxReads, limits.readMs] : [limits.maxWrites, limits.writeMs];
      const allowed = Math.min(longest, askedTime(request) ?? longest);
      if (running[kind] >= most && !user.groups.includes('system:masters')) throw tooMany();
      running[kind]++;
      const finished = work().finally(() => running[kind]--);
      return within(clock, allowed, finished);
    },
  };
}

/** The client's own limit in milliseconds. @throws ApiError 400 */
function askedTime({ query }: ApiRequest): number | undefined {
  const text = query.get('timeout') ?? '';
  if (text === '') return undefined;
  const ms = durationOf(text);
  if (ms === undefined) throw apiErrors.badRequest('invalid timeout specified in the request URL');
  return ms <= 0 ? undefined : ms;
}

function durationOf(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    // The caller answers what is wrong.
    return undefined;
  }
}

function tooMany(): Error {
  return apiErrors.of(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: RETRY_SECONDS });
}

function within(clock: Clock, ms: number, work: Promise<ApiResponse>): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => reject(apiErrors.timeout('Timeout: request did not complete within the allotted timeout')));
    work.finally(() => timer.cancel()).then(resolve, reject);
  });
}
