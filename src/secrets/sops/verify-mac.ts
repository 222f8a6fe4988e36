import { timingSafeEqual, type KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import { decryptValue, encryptValue } from './cipher.ts';
import type { Metadata } from './metadata.ts';
import { timeInSeconds } from './times.ts';
import { str, textOf } from './tree.ts';
import type { Entropy } from '../../base/world/index.ts';

/** The MAC is bound to `lastmodified`, formatted again in whole seconds. */
function macAad(lastModified: string): string {
  return timeInSeconds(lastModified) ?? lastModified;
}

export function encryptMac(mac: string, lastModified: string, dataKey: KeyObject, entropy: Entropy): string {
  return encryptValue(str(mac), dataKey, macAad(lastModified), entropy);
}

/**
 * The MAC that the file claims, upper-case hex; empty when it has none.
 *
 * @throws SottoError SOPS_MAC_INVALID when its token does not decrypt
 */
export function decryptMac({ mac, lastModified }: Metadata, dataKey: KeyObject): string {
  try {
    const plain = decryptValue(mac, dataKey, macAad(lastModified), 'the MAC');
    return plain.kind === 'str' ? textOf(plain.bytes) : '';
  } catch (cause) {
    const reason = cause instanceof SottoError ? cause.message : 'unreadable';
    throw new SottoError('SOPS_MAC_INVALID', `Cannot decrypt MAC: ${reason}`, {
      cause,
      hint: 'lastmodified or the MAC was changed after encryption',
    });
  }
}

export function isSameMac(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

export function macMismatch(claimed: string, computed: string): SottoError {
  return new SottoError('SOPS_MAC_MISMATCH', `MAC mismatch. File has ${claimed === '' ? 'no MAC' : claimed}, computed ${computed}`, {
    hint: 'a value, or the order of values, was changed after encryption; if that was on purpose, decrypt with --ignore-mac and encrypt again',
  });
}
