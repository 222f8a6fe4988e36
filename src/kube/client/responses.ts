import { ApiError, apiErrors, deepFreeze, isJsonObject, parseJson, type Json, type JsonObject, type Status } from '../objects/index.ts';
import type { ApiResponse } from './types.ts';

const utf8 = new TextDecoder();

/** Reasons that apimachinery derives from a bare HTTP status (NewGenericServerResponse). */
const REASON_OF_CODE: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/**
 * The JSON value of a successful answer, frozen.
 *
 * @throws ApiError for any other answer
 */
export function valueOf(response: ApiResponse): Json {
  if (response.status >= 400) throw errorOf(response);
  return deepFreeze(jsonOf(response));
}

/** Like {@link valueOf}, for answers that must be an object. */
export function objectOf(response: ApiResponse): JsonObject {
  const value = valueOf(response);
  if (!isJsonObject(value)) throw apiErrors.internal('the API server answered something other than an object');
  return value;
}

/** The error that a failed answer stands for: its Status, or one made from the HTTP status alone. */
export function errorOf(response: ApiResponse): ApiError {
  const retryAfter = Number(response.headers['retry-after']);
  const known = statusOf(tryJson(response));
  const status = known ?? bareStatus(response.status);
  if (!Number.isFinite(retryAfter) || status.details?.retryAfterSeconds !== undefined) return new ApiError(status);
  return new ApiError({ ...status, details: { ...status.details, retryAfterSeconds: retryAfter } });
}

/** The error inside an ERROR frame of a watch. */
export function errorOfFrame(value: unknown): ApiError {
  return new ApiError(statusOf(value) ?? bareStatus(500));
}

function jsonOf({ body }: ApiResponse): Json {
  if (body.kind === 'json') return body.value as Json;
  if (body.kind === 'bytes') return parseJson(utf8.decode(body.bytes));
  if (body.kind === 'none') return null;
  throw apiErrors.internal('the API server answered a stream where an object was expected');
}

/** Proxies answer failures in HTML: whatever is no JSON says nothing. */
function tryJson(response: ApiResponse): Json | undefined {
  try {
    return jsonOf(response);
  } catch {
    return undefined; // only the HTTP status is left to report
  }
}

function statusOf(value: unknown): Status | undefined {
  return isJsonObject(value) && value['kind'] === 'Status' ? (value as unknown as Status) : undefined;
}

function bareStatus(code: number): Status {
  const reason = REASON_OF_CODE[code];
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `the server answered HTTP ${code} without saying why`,
    ...(reason === undefined ? {} : { reason }),
    code,
  };
}
