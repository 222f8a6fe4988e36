import { aborted, isAbort, SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import type { KeyContext, Unwrapped } from './types.ts';

/** Longer than any key service takes; a silent one must not hold a reconcile for ever. */
const DEADLINE_MS = 60_000;
const MAX_ANSWER_BYTES = 1 << 20;
const MAX_QUOTED = 300;

/** What can go wrong with a key that is ours. */
export type ServiceFailure = 'denied' | 'throttled' | 'no-key' | 'wrapped-invalid' | 'unreachable' | 'busy' | 'failed';

interface FailureKind {
  readonly text: string;
  readonly error: (message: string) => SottoError;
}

const FAILURES: Readonly<Record<ServiceFailure, FailureKind>> = {
  denied: { text: 'refused the credentials or the operation', error: (message) => new SottoError('KEY_SERVICE_DENIED', message) },
  throttled: {
    text: 'received too many requests',
    error: (message) => new SottoError('KEY_SERVICE_THROTTLED', message, { retry: true }),
  },
  'no-key': { text: 'does not have the key, or the key is disabled', error: (message) => new SottoError('KEY_UNAVAILABLE', message) },
  'wrapped-invalid': {
    text: 'does not accept the wrapped data key',
    error: (message) => new SottoError('KEY_WRAPPED_INVALID', message),
  },
  unreachable: { text: 'could not be reached', error: (message) => new SottoError('KEY_SERVICE_UNREACHABLE', message, { retry: true }) },
  busy: { text: 'could not answer', error: (message) => new SottoError('KEY_SERVICE_BUSY', message, { retry: true }) },
  failed: { text: 'answered with an error', error: (message) => new SottoError('KEY_SERVICE_FAILED', message) },
};

/** One call on a service, for messages. */
export interface ServiceCall {
  /** "AWS KMS" … */
  readonly service: string;
  readonly key: string;
  /** Texts that must not appear in a message, whatever the service echoes. */
  readonly secrets: readonly (Sensitive<string> | string | undefined)[];
}

/**
 * The error of a call that failed. What the service said is quoted on one line, shortened, and without anything
 * that is secret; its own error object is not passed on, because SDKs keep the request in it.
 */
export function serviceError(call: ServiceCall, failure: ServiceFailure, said = ''): SottoError {
  const { text, error } = FAILURES[failure];
  const quoted = scrub(said, call.secrets);
  return error(`${call.service} ${text} (key ${call.key})${quoted === '' ? '' : `: ${quoted}`}`);
}

/** What HTTP statuses mean where a service has no finer words. */
export function failureOfStatus(status: number): ServiceFailure {
  if (status === 401 || status === 403) return 'denied';
  if (status === 404) return 'no-key';
  if (status === 429) return 'throttled';
  if (status === 400) return 'wrapped-invalid';
  return status >= 500 ? 'busy' : 'failed';
}

function scrub(text: string, secrets: ServiceCall['secrets']): string {
  let safe = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  for (const secret of secrets) {
    const value = secret instanceof Sensitive ? secret.reveal() : secret;
    if (value !== undefined && value.length > 3) safe = safe.replaceAll(value, '***');
  }
  return safe.length > MAX_QUOTED ? `${safe.slice(0, MAX_QUOTED)}…` : safe;
}

/**
 * Runs work under the caller's signal and a deadline of our own.
 *
 * @throws SottoError ABORTED (the caller's signal), KEY_SERVICE_UNREACHABLE (the deadline), or what `work` throws
 */
export async function withDeadline<T>(context: KeyContext, call: ServiceCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  if (isStopped(context)) throw aborted();
  const late = new AbortController();
  const timer = context.world.clock.after(DEADLINE_MS, () => late.abort());
  const signal = context.signal === undefined ? late.signal : AbortSignal.any([context.signal, late.signal]);
  try {
    return await work(signal);
  } catch (error) {
    if (isStopped(context)) throw aborted();
    if (late.signal.aborted) throw serviceError(call, 'unreachable', `no answer within ${DEADLINE_MS / 1000} s`);
    if (isAbort(error)) throw aborted();
    throw error;
  } finally {
    timer.cancel();
  }
}

function isStopped({ signal }: KeyContext): boolean {
  return signal?.aborted === true;
}

/** The body of an answer, bounded. */
async function readAnswer(response: Response, call: ServiceCall): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    size += bytes.length;
    if (size > MAX_ANSWER_BYTES) throw serviceError(call, 'failed', `the answer exceeds ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** The JSON object of an answer; empty when the body is something else. */
export async function readJsonAnswer(response: Response, call: ServiceCall): Promise<Readonly<Record<string, unknown>>> {
  const text = Buffer.from(await readAnswer(response, call)).toString('utf8');
  try {
    return recordOf(JSON.parse(text));
  } catch {
    // a proxy's error page, say: the status tells the rest
    return {};
  }
}

/** A plain object, or an empty one. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

/** A text property of untrusted JSON; empty when it is missing. */
export function textOf(record: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(record, name) ? record[name] : undefined;
  return typeof value === 'string' ? value : '';
}

const STANDARD = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const URL_UNPADDED = /^[A-Za-z0-9_-]*$/;

/** Decodes strictly; undefined for anything that an encoder would not write. Line breaks are ignored, as Go does. */
export function decodeBase64(text: string, alphabet: 'standard' | 'url'): Uint8Array | undefined {
  const bare = text.replaceAll(/[\r\n]/g, '');
  if (bare === '') return undefined;
  if (alphabet === 'standard') return STANDARD.test(bare) ? new Uint8Array(Buffer.from(bare, 'base64')) : undefined;
  return URL_UNPADDED.test(bare) && bare.length % 4 !== 1 ? new Uint8Array(Buffer.from(bare, 'base64url')) : undefined;
}

/** The wrapped data key of a file, decoded. @throws SottoError KEY_WRAPPED_INVALID */
export function decodeWrapped(wrapped: string, alphabet: 'standard' | 'url', call: ServiceCall): Uint8Array {
  const bytes = decodeBase64(wrapped, alphabet);
  if (bytes === undefined)
    throw new SottoError('KEY_WRAPPED_INVALID', `the data key wrapped by ${call.service} is no base64 (key ${call.key})`);
  return bytes;
}

/** @throws SottoError KEY_ID_INVALID */
export function invalidKeyId(service: string, id: string, expected: string): SottoError {
  return new SottoError('KEY_ID_INVALID', `no ${service} key: ${JSON.stringify(id)}`, { hint: `expected ${expected}` });
}

/** For a wrap without the credentials it needs. */
export function missingCredentials(service: string, key: string): SottoError {
  return new SottoError('KEY_CREDENTIALS_MISSING', `no ${service} credentials were given to wrap the data key (key ${key})`);
}

export function notMine(reason: string): Unwrapped {
  return { kind: 'not-mine', reason };
}

export function opened(dataKey: Uint8Array): Unwrapped {
  return { kind: 'opened', dataKey: new Sensitive(new Uint8Array(dataKey)) };
}
