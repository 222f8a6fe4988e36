import { SottoError } from '../../base/errors/index.ts';
import type { MasterKey, MasterKeyType } from './types.ts';

const NAMES: Readonly<Record<MasterKeyType, string>> = {
  age: 'age',
  pgp: 'PGP',
  kms: 'AWS KMS',
  gcp_kms: 'GCP KMS',
  azure_kv: 'Azure Key Vault',
  hc_vault: 'Vault transit',
  hckms: 'Huawei Cloud KMS',
};

/**
 * A key that Sotto knows by name only. Files that list it keep it and open through their other keys; wrapping
 * for it throws KEY_TYPE_UNSUPPORTED.
 */
export function unsupportedKey(type: MasterKeyType, display: string): MasterKey {
  const reason = `${NAMES[type]} keys are not supported yet`;
  return {
    type,
    display,
    wrap: () => Promise.reject(new SottoError('KEY_TYPE_UNSUPPORTED', reason, { hint: 'use an age recipient' })),
    unwrap: () => Promise.resolve({ kind: 'not-mine', reason }),
  };
}
