import type { Sensitive } from '../../base/sensitive/index.ts';
import { aborted } from '../../base/errors/index.ts';
import type { GcpCredentials } from './credentials.ts';
import { gcpClient, gcpFailure, hasNoCredentials, type GcpClient } from './gcp-client.ts';
import {
  decodeWrapped,
  invalidKeyId,
  missingCredentials,
  notMine,
  opened,
  serviceError,
  withDeadline,
  type ServiceCall,
} from './key-service.ts';
import type { Credentials, KeyContext, MasterKey, Unwrapped } from './types.ts';

const SERVICE = 'GCP KMS';
const RESOURCE_ID = /^projects\/[^/\s]+\/locations\/[^/\s]+\/keyRings\/[^/\s]+\/cryptoKeys\/[^/\s]+$/;
const CALL_TIMEOUT_MS = 30_000;

/**
 * A master key in Google Cloud KMS. `enc` is standard base64 of the ciphertext; the resource id names a key, never a
 * version. Follows sops:gcpkms/keysource.go. The SDK talks gRPC, or REST when the credentials say so.
 *
 * @throws (wrap, unwrap) SottoError KEY_ID_INVALID, KEY_CREDENTIALS_*, KEY_SERVICE_*, KEY_UNAVAILABLE, KEY_WRAPPED_INVALID
 */
export function gcpKmsKey(resourceId: string): MasterKey {
  return {
    type: 'gcp_kms',
    display: resourceId,
    fields: { resource_id: resourceId },
    wrap: (dataKey, credentials, context) => wrap(resourceId, dataKey, credentials, context),
    unwrap: (wrapped, credentials, context) => unwrap(resourceId, wrapped, credentials, context),
  };
}

function check(resourceId: string): void {
  if (RESOURCE_ID.test(resourceId)) return;
  throw invalidKeyId(SERVICE, resourceId, 'projects/<p>/locations/<l>/keyRings/<r>/cryptoKeys/<k>');
}

async function wrap(name: string, dataKey: Sensitive<Uint8Array>, { gcp }: Credentials, context: KeyContext): Promise<string> {
  check(name);
  if (gcp === undefined) throw missingCredentials(SERVICE, name);
  const call = callOn(name, gcp, Buffer.from(dataKey.reveal()).toString('base64'));
  const ciphertext = await ask(gcp, call, context, async ({ client, headers }) => {
    const [answer] = await client.encrypt({ name, plaintext: dataKey.reveal() }, await callOptions(headers));
    return answer.ciphertext;
  });
  if (ciphertext === undefined) throw missingCredentials(SERVICE, name);
  return Buffer.from(ciphertext).toString('base64');
}

async function unwrap(name: string, wrapped: string, { gcp }: Credentials, context: KeyContext): Promise<Unwrapped> {
  if (gcp === undefined) return notMine('no GCP credentials were given');
  check(name);
  const call = callOn(name, gcp, wrapped);
  const ciphertext = decodeWrapped(wrapped, 'standard', call);
  const plaintext = await ask(gcp, call, context, async ({ client, headers }) => {
    const [answer] = await client.decrypt({ name, ciphertext }, await callOptions(headers));
    return answer.plaintext;
  });
  return plaintext === undefined ? notMine('no GCP credentials were found') : opened(plaintext);
}

function callOn(key: string, { json, accessToken }: GcpCredentials, value: string): ServiceCall {
  return { service: SERVICE, key, secrets: [value, json, accessToken] };
}

/** One attempt: whoever calls decides about trying again. */
async function callOptions(headers: GcpClient['headers']) {
  return { timeout: CALL_TIMEOUT_MS, retry: null, otherArgs: { headers: { ...(await headers()) } } };
}

/** Bytes from the service; undefined when there are no credentials at all. */
function ask(
  gcp: GcpCredentials,
  call: ServiceCall,
  context: KeyContext,
  use: (client: GcpClient) => Promise<Uint8Array | string | null | undefined>,
): Promise<Uint8Array | undefined> {
  const hasAny = gcp.json !== undefined || gcp.accessToken !== undefined || gcp.tokenSource !== undefined || gcp.ambient === true;
  if (!hasAny) return Promise.resolve(undefined);
  return withDeadline(context, call, async (signal) => {
    try {
      const bytes = await context.world.outside(() => Promise.race([gcpClient(gcp).then(use), whenAborted(signal)]));
      if (bytes === null || bytes === undefined) throw serviceError(call, 'failed', 'the answer is empty');
      return typeof bytes === 'string' ? new Uint8Array(Buffer.from(bytes, 'base64')) : bytes;
    } catch (error) {
      if (signal.aborted) throw error;
      if (gcp.ambient === true && hasNoCredentials(error)) return undefined;
      throw gcpFailure(error, call);
    }
  });
}

/** The SDK takes no signal. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(aborted()), { once: true });
  });
}
