import { messageOf } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { ApiError, isJsonObject } from '../../kube/objects/index.ts';
import { SourceFailure } from './failure.ts';
import type { Pass } from './pass.ts';

/** The data of a Secret, decoded; values print as `***`. */
export interface SecretData {
  /** `namespace/name`, for messages. */
  readonly label: string;
  readonly name: string;
  /** Undefined when the key is absent or empty. */
  get(key: string): Sensitive<string> | undefined;
  has(key: string): boolean;
  keys(): readonly string[];
}

/** A Secret without data, for objects that name none. */
export const NO_SECRET: SecretData = { label: '', name: '', get: () => undefined, has: () => false, keys: () => [] };

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

export function secretData(label: string, name: string, data: unknown): SecretData {
  const values = new Map<string, Sensitive<string>>();
  for (const [key, value] of isJsonObject(data) ? Object.entries(data) : []) {
    if (typeof value === 'string' && value !== '') values.set(key, new Sensitive(Buffer.from(value, 'base64').toString('utf8')));
  }
  return { label, name, get: (key) => values.get(key), has: (key) => values.has(key), keys: () => [...values.keys()] };
}
