import type { Sensitive } from '../../base/sensitive/index.ts';
import {
  masterKeyOf,
  type Credentials,
  type KeyContext,
  type KeyFields,
  type MasterKey,
  type MasterKeyType,
  type Unwrapped,
} from '../keys/index.ts';
import type { DataKeyCache } from './data-key-cache.ts';

/** Who wraps and opens data keys: this process, or another one behind the key service protocol. */
export interface KeyService {
  /** For messages. */
  readonly name: string;
  /** @returns the `enc` text of SOPS metadata */
  wrap(key: MasterKey, dataKey: Sensitive<Uint8Array>): Promise<string>;
  unwrap(key: MasterKey, wrapped: string): Promise<Unwrapped>;
}

/**
 * The key service in this process.
 *
 * @param cache keeps data keys that were opened, in memory
 */
export function localKeyService(credentials: Credentials, context: KeyContext, cache?: DataKeyCache): KeyService {
  return {
    name: 'local',
    wrap: (key, dataKey) => key.wrap(dataKey, credentials, context),
    unwrap: (key, wrapped) => {
      const open = (): Promise<Unwrapped> => key.unwrap(wrapped, credentials, context);
      return cache === undefined ? open() : cache.unwrap(key, wrapped, credentials, context, open);
    },
  };
}

/** The master key of an entry, which always knows its fields, also where this process cannot use it. */
export function keyWithFields(type: MasterKeyType, fields: KeyFields): MasterKey {
  const key = masterKeyOf(type, fields);
  return key.fields === undefined ? { ...key, fields } : key;
}
