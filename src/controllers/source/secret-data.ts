import { Sensitive } from '../../base/sensitive/index.ts';
import { isJsonObject } from '../../kube/objects/index.ts';

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

/** Decodes `data` of a Secret; empty values count as absent. */
export function secretData(label: string, name: string, data: unknown): SecretData {
  const values = new Map<string, Sensitive<string>>();
  for (const [key, value] of isJsonObject(data) ? Object.entries(data) : []) {
    if (typeof value === 'string' && value !== '') values.set(key, new Sensitive(Buffer.from(value, 'base64').toString('utf8')));
  }
  return { label, name, get: (key) => values.get(key), has: (key) => values.has(key), keys: () => [...values.keys()] };
}
