import { SottoError, type SottoErrorOptions } from '../../base/errors/index.ts';

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** A `v1 Status` of a failed request: the body that an API server answers with. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Failure' | 'Success';
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: StatusCause[];
    retryAfterSeconds?: number;
  };
  code?: number;
}

const RETRIABLE = new Set([
  'Conflict',
  'Timeout',
  'ServerTimeout',
  'TooManyRequests',
  'ServiceUnavailable',
  'InternalError',
  'Expired',
  'Gone',
]);

/** An API answer other than success. Its code is `KUBE_` and the Status reason in capitals. */
export class ApiError extends SottoError {
  readonly status: Status;

  constructor(status: Status, options: SottoErrorOptions = {}) {
    const reason = status.reason ?? '';
    super(
      `KUBE_${reason === '' ? 'ERROR' : reason.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`,
      status.message ?? 'unknown API error',
      {
        retry: RETRIABLE.has(reason),
        ...options,
      },
    );
    this.name = 'ApiError';
    this.status = status;
  }
}

/** The Status reason of an error (`NotFound`, `Conflict`, `Invalid`, …); undefined for other errors. */
export function reasonOf(error: unknown): string | undefined {
  return error instanceof ApiError ? error.status.reason : undefined;
}

export const isNotFound = (error: unknown): boolean => reasonOf(error) === 'NotFound';
export const isConflict = (error: unknown): boolean => reasonOf(error) === 'Conflict';
/** HTTP 410: the resourceVersion is gone from history; list again. */
export const isExpired = (error: unknown): boolean => ['Expired', 'Gone'].includes(reasonOf(error) ?? '');

function failure(code: number, reason: string | undefined, message: string, details?: Status['details']): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  });
}

/** `secrets`, or `deployments.apps`: how messages name a resource. */
function resourceName(resource: { group: string; plural: string }): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

type ResourceName = { readonly group: string; readonly plural: string };

/** The Status errors of apimachinery (pkg/api/errors), one constructor each. */
export const apiErrors = {
  notFound: (resource: ResourceName, name: string): ApiError =>
    failure(404, 'NotFound', `${resourceName(resource)} "${name}" not found`, detailsOf(resource, name)),
  alreadyExists: (resource: ResourceName, name: string): ApiError =>
    failure(409, 'AlreadyExists', `${resourceName(resource)} "${name}" already exists`, detailsOf(resource, name)),
  conflict: (resource: ResourceName, name: string, text: string): ApiError =>
    failure(409, 'Conflict', `Operation cannot be fulfilled on ${resourceName(resource)} "${name}": ${text}`, detailsOf(resource, name)),
  invalid: (kind: { group: string; kind: string }, name: string, causes: readonly StatusCause[]): ApiError => {
    const texts = [...new Set(causes.map((cause) => `${cause.field ?? ''}: ${cause.message ?? ''}`))];
    const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
    const kindName = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
    return failure(422, 'Invalid', `${kindName} "${name}" is invalid: ${list}`, {
      name,
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: [...causes],
    });
  },
  badRequest: (message: string): ApiError => failure(400, 'BadRequest', message),
  forbidden: (resource: ResourceName, name: string, text: string): ApiError =>
    failure(
      403,
      'Forbidden',
      `${resourceName(resource)} ${name === '' ? '' : `"${name}" `}is forbidden: ${text}`,
      detailsOf(resource, name),
    ),
  unauthorized: (): ApiError => failure(401, 'Unauthorized', 'Unauthorized'),
  methodNotAllowed: (resource: ResourceName, verb: string): ApiError =>
    failure(405, 'MethodNotAllowed', `${verb} is not supported on resources of kind "${resourceName(resource)}"`, detailsOf(resource, '')),
  notAcceptable: (message: string): ApiError => failure(406, 'NotAcceptable', message),
  unsupportedMediaType: (message: string): ApiError => failure(415, 'UnsupportedMediaType', message),
  expired: (message: string): ApiError => failure(410, 'Expired', message),
  tooLarge: (limit: number): ApiError => failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`),
  timeout: (message: string, details?: Status['details']): ApiError => failure(504, 'Timeout', message, details),
  serviceUnavailable: (message: string): ApiError => failure(503, 'ServiceUnavailable', message),
  internal: (message: string): ApiError => failure(500, 'InternalError', `Internal error occurred: ${message}`),
  /** Status 500 without a reason, as typed apply errors are answered. */
  plain: (message: string): ApiError => failure(500, undefined, message),
  /** Any other failure, as received from a server. */
  of: failure,
};

function detailsOf(resource: ResourceName, name: string): NonNullable<Status['details']> {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}
