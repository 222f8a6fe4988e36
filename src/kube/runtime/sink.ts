import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';

/** What is posted, in the shape of Flux's events. */
export interface SinkEvent {
  readonly involvedObject: Readonly<Record<string, string>>;
  readonly severity: 'info' | 'error';
  readonly timestamp: string;
  readonly message: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface EventSinkOptions {
  readonly url: string;
  readonly component: string;
  readonly world: World;
}

const TIMEOUT_MS = 5_000;
const RETRIES = 4;
const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30_000;

/**
 * Posts events as JSON, with up to four retries when the sink does not answer or answers 5xx. 429 means that it has
 * the event already.
 */
export function eventSink({ url, component, world }: EventSinkOptions): (event: SinkEvent) => Promise<void> {
  const reportingInstance = world.env['HOSTNAME'] ?? '';
  return async ({ involvedObject, severity, timestamp, message, reason, metadata }) => {
    const body = JSON.stringify({
      involvedObject,
      severity,
      timestamp,
      message,
      reason,
      ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
      reportingController: component,
      reportingInstance,
    });
    for (let attempt = 0; ; attempt++) {
      const status = await tryPost(url, body, world);
      if (status !== undefined && status < 500) {
        if (status < 400 || status === 429) return;
        throw new SottoError('EVENT_SINK', `the event sink answered HTTP ${status}`);
      }
      if (attempt === RETRIES) {
        throw new SottoError(
          'EVENT_SINK',
          status === undefined ? 'the event sink cannot be reached' : `the event sink answered HTTP ${status}`,
          { retry: true },
        );
      }
      await world.clock.sleep(Math.min(MAX_WAIT_MS, MIN_WAIT_MS * 2 ** attempt));
    }
  };
}

/** The HTTP status, or undefined without an answer. */
async function tryPost(url: string, body: string, world: World): Promise<number | undefined> {
  const late = new AbortController();
  const deadline = world.clock.after(TIMEOUT_MS, () => late.abort());
  try {
    const response = await world.fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: late.signal });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined; // tried again by the caller
  } finally {
    deadline.cancel();
  }
}
