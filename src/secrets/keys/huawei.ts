import { SottoError } from '../../base/errors/index.ts';
import { notMine } from './key-service.ts';
import type { MasterKey } from './types.ts';

const REASON = 'Huawei Cloud KMS keys are not supported yet';

/**
 * A master key in Huawei Cloud KMS, known by name only: files that list it keep it through every command and open through
 * their other keys. Wrapping for it throws KEY_TYPE_UNSUPPORTED, unwrapping says so.
 */
export function huaweiKey(keyId: string): MasterKey {
  return {
    type: 'hckms',
    display: keyId,
    fields: { key_id: keyId },
    wrap: () => Promise.reject(new SottoError('KEY_TYPE_UNSUPPORTED', `${REASON} (key ${keyId})`, { hint: 'use a key of another type' })),
    unwrap: () => Promise.resolve(notMine(REASON)),
  };
}
