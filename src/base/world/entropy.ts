import { randomBytes } from 'node:crypto';

/** Source of keys, IVs, nonces and tokens. In what ships it is always the system's generator. */
export interface Entropy {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array;
}

/** The operating system's generator. */
export const systemEntropy: Entropy = { bytes: (length) => new Uint8Array(randomBytes(length)) };
