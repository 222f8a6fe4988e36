import type * as AwsKms from '@aws-sdk/client-kms';

import { SottoError } from '../../base/errors/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import { awsFailure, clientConfig, type AwsCall, type AwsTarget, type ResolvedKeys } from './aws-client.ts';
import { sessionKeys, withSecretsOf } from './aws-session.ts';
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
import type { Credentials, KeyContext, KeyFields, MasterKey, Unwrapped } from './types.ts';

const SERVICE = 'AWS KMS';
/** The region becomes part of a host name: its alphabet keeps a file from sending requests elsewhere. */
const ARN = /^arn:(aws[\w-]*):kms:([a-z0-9-]+):[0-9]+:(?:key|alias)\/.+$/;

/** What identifies a key of AWS KMS. */
export interface AwsKeyFields {
  readonly arn: string;
  readonly role?: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly profile?: string;
}

/**
 * A master key in AWS KMS. `enc` is standard base64 of the CiphertextBlob. Follows sops:kms/keysource.go: the key id is
 * sent on decryption as well, the region is that of the ARN, a role is assumed with the session name `sops@<hostname>`.
 *
 * @throws (wrap, unwrap) SottoError KEY_ID_INVALID, KEY_CREDENTIALS_MISSING, KEY_SERVICE_*, KEY_UNAVAILABLE, KEY_WRAPPED_INVALID
 */
export function awsKmsKey(key: AwsKeyFields): MasterKey {
  const { arn, role = '', context = {}, profile = '' } = key;
  const fields: KeyFields = { arn, aws_profile: profile, context, role };
  return {
    type: 'kms',
    display: displayOf(key),
    fields,
    wrap: (dataKey, credentials, keyContext) => wrap(key, dataKey, credentials, keyContext),
    unwrap: (wrapped, credentials, keyContext) => unwrap(key, wrapped, credentials, keyContext),
  };
}

/** `arn[+role]`, then `|k:v,…` with a context (keys sorted), and `|profile` with a profile. */
function displayOf({ arn, role = '', context = {}, profile = '' }: AwsKeyFields): string {
  const pairs = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const key = role === '' ? arn : `${arn}+${role}`;
  if (pairs.length === 0 && profile === '') return key;
  const joined = `${key}|${pairs.map(([name, value]) => `${name}:${value}`).join(',')}`;
  return profile === '' ? joined : `${joined}|${profile}`;
}

/**
 * The contexts under which SOPS before 3.3.0 may have wrapped: with several pairs of different values it set all of them
 * to one. For files whose `version` is older and that do not open otherwise; empty when the bug cannot have struck.
 */
export function legacyAwsContexts({ context = {} }: AwsKeyFields): readonly Readonly<Record<string, string>>[] {
  const values = [...new Set(Object.values(context))];
  if (values.length < 2) return [];
  return values.map((value) => Object.fromEntries(Object.keys(context).map((name) => [name, value])));
}

function targetOf(arn: string): AwsTarget {
  const [, partition, region] = ARN.exec(arn) ?? [];
  if (partition === undefined || region === undefined) {
    throw invalidKeyId(SERVICE, arn, 'arn:aws:kms:<region>:<account>:key/<id> or …:alias/<name>');
  }
  return { partition, region };
}

async function wrap(key: AwsKeyFields, dataKey: Sensitive<Uint8Array>, { aws }: Credentials, context: KeyContext): Promise<string> {
  const target = targetOf(key.arn);
  if (aws === undefined) throw missingCredentials(SERVICE, key.arn);
  const service: ServiceCall = { service: SERVICE, key: key.arn, secrets: [Buffer.from(dataKey.reveal()).toString('base64')] };
  return withDeadline(context, service, async (signal) => {
    const call: AwsCall = { aws, target, service, signal, world: context.world };
    const keys = await sessionKeys(key.role ?? '', key.profile ?? '', call);
    if (keys === undefined) throw missingCredentials(SERVICE, key.arn);
    const input = { KeyId: key.arn, Plaintext: dataKey.reveal(), ...encryptionContext(key) };
    const answer = await ask(keys, call, (client, sdk) => client.send(new sdk.EncryptCommand(input), { abortSignal: signal }));
    if (answer.CiphertextBlob === undefined) throw serviceError(service, 'failed', 'the answer has no CiphertextBlob');
    return Buffer.from(answer.CiphertextBlob).toString('base64');
  });
}

async function unwrap(key: AwsKeyFields, wrapped: string, { aws }: Credentials, context: KeyContext): Promise<Unwrapped> {
  if (aws === undefined) return notMine('no AWS credentials were given');
  const target = targetOf(key.arn);
  const service: ServiceCall = { service: SERVICE, key: key.arn, secrets: [wrapped] };
  const blob = decodeWrapped(wrapped, 'standard', service);
  return withDeadline(context, service, async (signal) => {
    const call: AwsCall = { aws, target, service, signal, world: context.world };
    const keys = await sessionKeys(key.role ?? '', key.profile ?? '', call);
    if (keys === undefined) return notMine('no AWS credentials were found');
    const input = { KeyId: key.arn, CiphertextBlob: blob, ...encryptionContext(key) };
    const answer = await ask(keys, call, (client, sdk) => client.send(new sdk.DecryptCommand(input), { abortSignal: signal }));
    if (answer.Plaintext === undefined) throw serviceError(service, 'failed', 'the answer has no Plaintext');
    return opened(answer.Plaintext);
  });
}

function encryptionContext({ context = {} }: AwsKeyFields): { EncryptionContext?: Record<string, string> } {
  return Object.keys(context).length === 0 ? {} : { EncryptionContext: { ...context } };
}

async function ask<T>(
  keys: ResolvedKeys,
  { aws, target, service, world }: AwsCall,
  send: (client: AwsKms.KMSClient, sdk: typeof AwsKms) => Promise<T>,
): Promise<T> {
  const sdk = await world.outside(() => import('@aws-sdk/client-kms'));
  const client = new sdk.KMSClient(clientConfig('kms', aws.endpoint, target, keys, world));
  try {
    return await send(client, sdk);
  } catch (error) {
    if (error instanceof SottoError) throw error;
    throw awsFailure(error, withSecretsOf(keys, service));
  } finally {
    client.destroy();
  }
}
