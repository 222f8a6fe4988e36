import { messageOf } from '../../base/errors/index.ts';
import { ApiError } from '../../kube/objects/index.ts';
import { SourceFailure } from './failure.ts';
import type { Pass } from './pass.ts';
import { secretData, type SecretData } from './secret-data.ts';

/** @throws SourceFailure AuthenticationFailed when it cannot be read */
export async function readSecret(pass: Pass, name: string): Promise<SecretData> {
  const { namespace, controls, signal } = pass;
  const label = `${namespace}/${name}`;
  try {
    const secret = await controls.cluster.get({ apiVersion: 'v1', kind: 'Secret', namespace, name }, { signal });
    return secretData(label, name, secret['data']);
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    throw new SourceFailure('AuthenticationFailed', `failed to get secret '${label}': ${messageOf(cause)}`, { cause });
  }
}
