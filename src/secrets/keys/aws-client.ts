import type { KMSClientConfig } from '@aws-sdk/client-kms';

import { SottoError, isAbort } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import type { AwsCredentials } from './credentials.ts';
import { failureOfStatus, recordOf, serviceError, textOf, type ServiceCall, type ServiceFailure } from './key-service.ts';

export interface AwsTarget {
  readonly partition: string;
  readonly region: string;
}

/** What one use of a key needs on its way. */
export interface AwsCall {
  readonly aws: AwsCredentials;
  readonly target: AwsTarget;
  readonly service: ServiceCall;
  readonly world: World;
  readonly signal: AbortSignal;
}

/** Access keys in the SDK's shape. */
export interface ResolvedKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Domains of the partitions; a partition that is not listed has that of `aws`. */
const DOMAINS: Readonly<Record<string, string>> = {
  'aws-cn': 'amazonaws.com.cn',
  'aws-iso': 'c2s.ic.gov',
  'aws-iso-b': 'sc2s.sgov.gov',
  'aws-iso-e': 'cloud.adc-e.uk',
  'aws-iso-f': 'csp.hci.ic.gov',
  'aws-eusc': 'amazonaws.eu',
};

/** The base URL of a service in a region. */
export function awsEndpoint(service: 'kms' | 'sts', { partition, region }: AwsTarget): string {
  return `https://${service}.${region}.${Object.hasOwn(DOMAINS, partition) ? DOMAINS[partition] : 'amazonaws.com'}`;
}

/** What the SDK hands to a request handler. */
interface AwsRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
}

/**
 * Configuration of an SDK client that reads neither environment nor home folder: every setting that the SDK would look up
 * is given. Requests go through the world; one attempt, because whoever calls decides about trying again.
 */
export function clientConfig(service: 'kms' | 'sts', endpoint: string | undefined, target: AwsTarget, keys: ResolvedKeys, world: World) {
  return {
    region: target.region,
    endpoint: endpoint ?? awsEndpoint(service, target),
    credentials: { ...keys },
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    userAgentAppId: '',
    authSchemePreference: [],
    requestHandler: requestHandler(world),
  } satisfies KMSClientConfig;
}

function requestHandler(world: World) {
  return {
    handle: async (request: AwsRequest, options: { readonly abortSignal?: unknown } = {}) => {
      const signal = options.abortSignal;
      const response = await world.fetch(urlOf(request), {
        method: request.method,
        headers: request.headers,
        redirect: 'error',
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(signal instanceof AbortSignal ? { signal } : {}),
      });
      const body = new Uint8Array(await response.arrayBuffer());
      const answer = { statusCode: response.status, reason: response.statusText, headers: Object.fromEntries(response.headers), body };
      return { response: answer };
    },
  };
}

function urlOf({ protocol, hostname, port, path, query }: AwsRequest): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`),
  );
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`;
}

const NAMED: Readonly<Record<string, ServiceFailure>> = {
  AccessDenied: 'denied',
  AccessDeniedException: 'denied',
  ExpiredTokenException: 'denied',
  IncompleteSignature: 'denied',
  InvalidClientTokenId: 'denied',
  InvalidSignatureException: 'denied',
  SignatureDoesNotMatch: 'denied',
  UnrecognizedClientException: 'denied',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  LimitExceededException: 'throttled',
  RequestLimitExceeded: 'throttled',
  NotFoundException: 'no-key',
  DisabledException: 'no-key',
  KMSInvalidStateException: 'no-key',
  InvalidKeyUsageException: 'no-key',
  KeyUnavailableException: 'busy',
  DependencyTimeoutException: 'busy',
  KMSInternalException: 'busy',
  InvalidCiphertextException: 'wrapped-invalid',
  IncorrectKeyException: 'wrapped-invalid',
};

/** The SDK's error as one of ours. */
export function awsFailure(error: unknown, call: ServiceCall, during = ''): Error {
  if (error instanceof SottoError || (error instanceof Error && isAbort(error))) return error;
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  const metadata = recordOf(recordOf(error)['$metadata']);
  const status = metadata['httpStatusCode'];
  const said = [during, name === 'Error' ? '' : name, message].filter((part) => part !== '').join(': ');
  if (typeof status !== 'number')
    return serviceError(call, 'unreachable', [during, causeCode(error)].filter((part) => part !== '').join(': '));
  return serviceError(call, Object.hasOwn(NAMED, name) ? (NAMED[name] ?? 'failed') : statusFailure(status), said);
}

/** AWS answers 400 to nearly everything. */
function statusFailure(status: number): ServiceFailure {
  return status === 400 ? 'failed' : failureOfStatus(status);
}

/** `ECONNREFUSED` and the like, which fetch hides in the cause. */
export function causeCode(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return textOf(recordOf(cause), 'code');
}
