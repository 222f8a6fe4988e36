import { hostname } from 'node:os';

import { awsFailure, clientConfig, type AwsCall, type ResolvedKeys } from './aws-client.ts';
import type { AwsAccessKeys } from './credentials.ts';
import { serviceError } from './key-service.ts';

const SESSION_NAME_LIMIT = 64;
const nothing = (): void => undefined;
/** The SDK would write its advice to the console. */
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** The session name of an assumed role: letters, digits and `= , . @ _` of the host's name. */
export function sessionName(host: string): string {
  return `sops@${host.replaceAll(/[^A-Za-z0-9=,.@_]/g, '')}`.slice(0, SESSION_NAME_LIMIT);
}

/**
 * The access keys to use: those given, and with a role those of its session. Undefined when there are none.
 *
 * @throws SottoError KEY_SERVICE_*
 */
export async function sessionKeys(role: string, profile: string, call: AwsCall): Promise<ResolvedKeys | undefined> {
  const own = await ownKeys(profile, call);
  return own === undefined || role === '' ? own : assumeRole(role, own, call);
}

async function assumeRole(role: string, own: ResolvedKeys, { aws, target, service, world, signal }: AwsCall): Promise<ResolvedKeys> {
  const { AssumeRoleCommand, STSClient } = await world.outside(() => import('@aws-sdk/client-sts'));
  const client = new STSClient(clientConfig('sts', aws.stsEndpoint, target, own, world));
  try {
    const command = new AssumeRoleCommand({ RoleArn: role, RoleSessionName: sessionName(aws.hostname ?? hostname()) });
    const { AccessKeyId, SecretAccessKey, SessionToken } = (await client.send(command, { abortSignal: signal })).Credentials ?? {};
    if (AccessKeyId === undefined || SecretAccessKey === undefined) {
      throw serviceError(service, 'failed', 'AssumeRole gave no credentials');
    }
    const session = SessionToken === undefined ? {} : { sessionToken: SessionToken };
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, ...session };
  } catch (error) {
    throw awsFailure(error, withSecretsOf(own, service), `cannot assume role ${role}`);
  } finally {
    client.destroy();
  }
}

/** `service` with the keys among the texts that no message shows. */
export function withSecretsOf(keys: ResolvedKeys, service: AwsCall['service']): AwsCall['service'] {
  return { ...service, secrets: [...service.secrets, keys.secretAccessKey, keys.sessionToken] };
}

async function ownKeys(profile: string, { aws, service, world, signal }: AwsCall): Promise<ResolvedKeys | undefined> {
  if (aws.keys !== undefined) return reveal(aws.keys);
  if (aws.provider !== undefined) return reveal(await aws.provider(signal));
  if (aws.ambient !== true) return undefined;
  const { fromNodeProviderChain } = await world.outside(() => import('@aws-sdk/credential-providers'));
  try {
    return await world.outside(fromNodeProviderChain({ logger: SILENT, ...(profile === '' ? {} : { profile }) }));
  } catch (error) {
    // a profile that a file names and that is not there is the user's mistake, not a stranger's file
    if (error instanceof Error && error.name === 'CredentialsProviderError' && profile === '') return undefined;
    throw serviceError(service, 'denied', error instanceof Error ? error.message : '');
  }
}

function reveal({ accessKeyId, secretAccessKey, sessionToken }: AwsAccessKeys): ResolvedKeys {
  const session = sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() };
  return { accessKeyId, secretAccessKey: secretAccessKey.reveal(), ...session };
}
