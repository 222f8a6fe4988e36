import { createHash } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';

/** Digest algorithms that Sotto computes. */
export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512';

const ALGORITHMS: readonly string[] = ['sha256', 'sha384', 'sha512'];

/** The digest of some bytes as `<algorithm>:<hex>`. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/**
 * Whether the bytes have this digest. A digest without an algorithm prefix is taken as sha256.
 *
 * @throws SottoError ARTIFACT_DIGEST_UNSUPPORTED for an algorithm that Sotto does not compute
 */
export function hasDigest(bytes: Uint8Array, digest: string): boolean {
  const colon = digest.indexOf(':');
  const algorithm = colon < 0 ? 'sha256' : digest.slice(0, colon);
  if (!isAlgorithm(algorithm)) {
    throw new SottoError('ARTIFACT_DIGEST_UNSUPPORTED', `digest algorithm "${algorithm}" is not supported`, {
      hint: `use one of ${ALGORITHMS.join(', ')}`,
    });
  }
  return digestOf(bytes, algorithm) === `${algorithm}:${digest.slice(colon + 1).toLowerCase()}`;
}

function isAlgorithm(name: string): name is DigestAlgorithm {
  return ALGORITHMS.includes(name);
}
