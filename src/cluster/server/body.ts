import type { ApiRequest } from '../../kube/client/index.ts';
import { apiErrors, checkDepth } from '../../kube/objects/index.ts';
import { duplicateKeys } from '../registry/index.ts';
import { decodeJson } from '../store/index.ts';
import { decodeProtobufBody, parseYamlBody } from './codecs.ts';

/** Largest request body in bytes (LIM-01). */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

const OBJECT_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** The media type of a request without parameters; '' when it has none. */
export function mediaType(request: ApiRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** True when the request brought a body that is not empty. */
export function hasBody({ body }: ApiRequest): boolean {
  return body !== undefined && (body.kind === 'json' || body.bytes.length > 0);
}

export interface Body {
  readonly value: unknown;
  /** Paths of keys that stand twice in one object; the last one counts. */
  readonly duplicates: readonly string[];
}

const single = (value: unknown): Body => ({ value, duplicates: [] });

/**
 * The body of a request as a JSON value: JSON (also without a type), YAML, or a protobuf envelope.
 *
 * @throws ApiError 400, 413, 415
 */
export async function readBody(request: ApiRequest): Promise<Body> {
  const { body } = request;
  if (body === undefined) return single(undefined);
  if (body.kind === 'json') {
    checkDepth(body.value);
    return single(hasUndefined(body.value) ? withoutUndefined(body.value) : body.value);
  }
  if (body.bytes.length > MAX_BODY_BYTES) throw tooLarge();
  const type = mediaType(request);
  switch (type) {
    case '':
    case 'application/json':
    case 'application/json-patch+json':
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return readJson(body.bytes);
    case 'application/yaml':
    case 'application/apply-patch+yaml':
      return readYaml(decodeText(body.bytes));
    case 'application/vnd.kubernetes.protobuf':
      return single(decodeProtobufBody(body.bytes));
    default:
      throw unsupported(OBJECT_TYPES);
  }
}

/** Values of this process may hold `undefined`, which JSON hasn't: such fields are absent. */
function hasUndefined(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined;
  return Object.values(value).some(hasUndefined);
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : withoutUndefined(item)));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutUndefined(item)]));
}

/** The 415 answer that lists what is accepted (ENC-04). */
export function unsupported(accepted: readonly string[]): Error {
  return apiErrors.unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

export function tooLarge(): Error {
  return apiErrors.of(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY_BYTES}`);
}

function readJson(bytes: Uint8Array): Body {
  const body = jsonIn(decodeText(bytes));
  if (body === undefined) throw apiErrors.badRequest('the body of the request is not valid JSON');
  return body;
}

/** Most clients send JSON as YAML; reading it as what it is takes a fraction of the time. */
async function readYaml(text: string): Promise<Body> {
  return (text.startsWith('{') ? jsonIn(text) : undefined) ?? (await parseYamlBody(text));
}

function jsonIn(text: string): Body | undefined {
  try {
    return { value: decodeJson(text), duplicates: duplicateKeys(text) };
  } catch {
    // The caller says what it expected; the parser's message may quote the text, which may hold secrets.
    return undefined;
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw apiErrors.badRequest('the body of the request is not valid UTF-8');
  }
}
