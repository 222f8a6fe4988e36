import { hostname } from 'node:os';

import type { KMSClient } from '@aws-sdk/client-kms';

import { SottoError } from '../../base/errors/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import { awsFailure, clientConfig, type AwsTarget, type ResolvedKeys } from './aws-client.ts';
import type { AwsAccessKeys, AwsCredentials } from './credentials.ts';
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
const SESSION_NAME_LIMIT = 64;
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
    display: awsDisplay(key),
    fields,
    wrap: (dataKey, credentials, keyContext) => wrap(key, dataKey, credentials, keyContext),
    unwrap: (wrapped, credentials, keyContext) => unwrap(key, wrapped, credentials, keyContext),
  };
}

/** `arn[+role]`, then `|k:v,…` with a context (keys sorted), and `|profile` with a profile. */
function awsDisplay({ arn, role = '', context = {}, profile = '' }: AwsKeyFields): string {
  const pairs = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const key = role === '' ? arn : `${arn}+${role}`;
  if (pairs.length === 0 && profile === '') return key;
  const joined = `${key}|${pairs.map(([name, value]) => `${name}:${value}`).join(',')}`;
  return profile === '' ? joined : `${joined}|${profile}`;
}

/** The session name of an assumed role: letters, digits and `= , . @ _` of the host's name. */
export function sessionName(host: string): string {
  return `sops@${host.replaceAll(/[^A-Za-z0-9=,.@_]/g, '')}`.slice(0, SESSION_NAME_LIMIT);
}

function targetOf(arn: string): AwsTarget {
  const [, partition, region] = ARN.exec(arn) ?? [];
  if (partition === undefined || region === undefined)
    throw invalidKeyId(SERVICE, arn, 'arn:aws:kms:<region>:<account>:key/<id> or …:alias/<name>');
  return { partition, region };
}

async function wrap(key: AwsKeyFields, dataKey: Sensitive<Uint8Array>, { aws }: Credentials, context: KeyContext): Promise<string> {
  const target = targetOf(key.arn);
  if (aws === undefined) throw missingCredentials(SERVICE, key.arn);
  const plaintext = Buffer.from(dataKey.reveal()).toString('base64');
  const call: ServiceCall = { service: SERVICE, key: key.arn, secrets: [plaintext] };
  return withDeadline(context, call, async (signal) => {
    const keys = await keysFor(key, aws, target, context, call, signal);
    if (keys === undefined) throw missingCredentials(SERVICE, key.arn);
    const blob = await withClient(aws, target, keys, context, call, async (client) => {
      const { EncryptCommand } = await import('@aws-sdk/client-kms');
      const input = { KeyId: key.arn, Plaintext: dataKey.reveal(), ...encryptionContext(key) };
      return (await client.send(new EncryptCommand(input), { abortSignal: signal })).CiphertextBlob;
    });
    if (blob === undefined) throw serviceError(call, 'failed', 'the answer has no CiphertextBlob');
    return Buffer.from(blob).toString('base64');
  });
}

async function unwrap(key: AwsKeyFields, wrapped: string, { aws }: Credentials, context: KeyContext): Promise<Unwrapped> {
  if (aws === undefined) return notMine('no AWS credentials were given');
  const target = targetOf(key.arn);
  const call: ServiceCall = { service: SERVICE, key: key.arn, secrets: [wrapped] };
  const blob = decodeWrapped(wrapped, 'standard', call);
  return withDeadline(context, call, async (signal) => {
    const keys = await keysFor(key, aws, target, context, call, signal);
    if (keys === undefined) return notMine('no AWS credentials were found');
    const plaintext = await withClient(aws, target, keys, context, call, async (client) => {
      const { DecryptCommand } = await import('@aws-sdk/client-kms');
      const input = { KeyId: key.arn, CiphertextBlob: blob, ...encryptionContext(key) };
      return (await client.send(new DecryptCommand(input), { abortSignal: signal })).Plaintext;
    });
    if (plaintext === undefined) throw serviceError(call, 'failed', 'the answer has no Plaintext');
    return opened(plaintext);
  });
}

function encryptionContext({ context = {} }: AwsKeyFields): { EncryptionContext?: Record<string, string> } {
  return Object.keys(context).length === 0 ? {} : { EncryptionContext: { ...context } };
}

/** The access keys to use: those given, and with a role those of the session. Undefined when the SDK's chain finds none. */
async function keysFor(
  key: AwsKeyFields,
  aws: AwsCredentials,
  target: AwsTarget,
  context: KeyContext,
  call: ServiceCall,
  signal: AbortSignal,
): Promise<ResolvedKeys | undefined> {
  const base = await baseKeys(key, aws, context, call, signal);
  if (base === undefined || key.role === undefined || key.role === '') return base;
  const { AssumeRoleCommand, STSClient } = await context.world.outside(() => import('@aws-sdk/client-sts'));
  const client = new STSClient(clientConfig('sts', aws.stsEndpoint, target, base, context.world));
  try {
    const command = new AssumeRoleCommand({ RoleArn: key.role, RoleSessionName: sessionName(aws.hostname ?? hostname()) });
    const { AccessKeyId, SecretAccessKey, SessionToken } = (await client.send(command, { abortSignal: signal })).Credentials ?? {};
    if (AccessKeyId === undefined || SecretAccessKey === undefined) throw serviceError(call, 'failed', 'AssumeRole gave no credentials');
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }),
    };
  } catch (error) {
    throw awsFailure(error, withSecrets(call, base), `cannot assume role ${key.role}`);
  } finally {
    client.destroy();
  }
}

async function baseKeys(
  { profile = '' }: AwsKeyFields,
  aws: AwsCredentials,
  { world }: KeyContext,
  call: ServiceCall,
  signal: AbortSignal,
): Promise<ResolvedKeys | undefined> {
  if (aws.keys !== undefined) return reveal(aws.keys);
  if (aws.provider !== undefined) return reveal(await aws.provider(signal));
  if (aws.ambient !== true) return undefined;
  const { fromNodeProviderChain } = await world.outside(() => import('@aws-sdk/credential-providers'));
  try {
    return await world.outside(fromNodeProviderChain(profile === '' ? {} : { profile }));
  } catch (error) {
    if (error instanceof Error && error.name === 'CredentialsProviderError' && profile === '') return undefined;
    throw serviceError(call, 'denied', error instanceof Error ? error.message : '');
  }
}

function reveal({ accessKeyId, secretAccessKey, sessionToken }: AwsAccessKeys): ResolvedKeys {
  const session = sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() };
  return { accessKeyId, secretAccessKey: secretAccessKey.reveal(), ...session };
}

function withSecrets(call: ServiceCall, keys: ResolvedKeys): ServiceCall {
  return { ...call, secrets: [...call.secrets, keys.secretAccessKey, keys.sessionToken] };
}

async function withClient<T>(
  aws: AwsCredentials,
  target: AwsTarget,
  keys: ResolvedKeys,
  { world }: KeyContext,
  call: ServiceCall,
  use: (client: KMSClient) => Promise<T>,
): Promise<T> {
  const { KMSClient } = await world.outside(() => import('@aws-sdk/client-kms'));
  const client = new KMSClient(clientConfig('kms', aws.endpoint, target, keys, world));
  try {
    return await use(client);
  } catch (error) {
    if (error instanceof SottoError) throw error;
    throw awsFailure(error, withSecrets(call, keys));
  } finally {
    client.destroy();
  }
}
