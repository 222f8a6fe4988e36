import { apiErrors, deepFreeze, isJsonObject, type KubeObject } from '../objects/index.ts';
import { errorOf, errorOfFrame } from './responses.ts';
import type { ApiRequest, ApiResponse, WatchEvent } from './types.ts';

const TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/**
 * The events of one watch request. Leaving the loop early stops the request. When the caller's signal fires
 * the iteration ends without an error.
 *
 * @param open sends the request with the signal that it is given
 * @throws ApiError when the request is refused, or for an ERROR frame
 */
export async function* watchEvents(
  open: (signal: AbortSignal) => Promise<ApiResponse>,
  signal: ApiRequest['signal'] | undefined,
): AsyncGenerator<WatchEvent> {
  const isStopped = (): boolean => signal?.aborted === true;
  if (isStopped()) return;
  const stop = new AbortController();
  const forward = (): void => stop.abort();
  signal?.addEventListener('abort', forward, { once: true });
  try {
    const response = await open(stop.signal);
    if (response.status >= 400) throw errorOf(response);
    if (response.body.kind !== 'stream') throw apiErrors.internal('the API server answered a watch without a stream');
    for await (const frame of response.body.frames) {
      if (isStopped()) return;
      yield eventOf(frame);
    }
  } catch (error) {
    if (!isStopped()) throw error;
  } finally {
    signal?.removeEventListener('abort', forward);
    stop.abort();
  }
}

function eventOf(frame: unknown): WatchEvent {
  if (!isJsonObject(frame)) throw apiErrors.internal('a watch frame is not an object');
  const { type, object } = frame;
  if (type === 'ERROR') throw errorOfFrame(object);
  if (!TYPES.has(type) || !isJsonObject(object)) throw apiErrors.internal('a watch frame is not an event');
  return { type: type as WatchEvent['type'], object: deepFreeze(object as unknown as KubeObject) };
}
