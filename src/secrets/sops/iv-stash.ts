import { createHash } from 'node:crypto';

/** A data key is used with IVs of this length on write; others are only read. */
const IV_LENGTH = 32;

/**
 * Which IV a value had when it was decrypted. A value that comes back unchanged is encrypted with the same IV, so that
 * under the same data key its ciphertext stays the same and a diff shows what changed only.
 */
export interface IvStash {
  remember(bytes: Uint8Array, kind: string, aad: string, iv: Uint8Array): void;
  recall(bytes: Uint8Array, kind: string, aad: string): Uint8Array | undefined;
}

/**
 * An empty stash, for one file in one process. It keeps digests of the values, not the values. Equal values at one place (items of one
 * list) share an IV, which upstream does as well: plaintext and AAD are the same, so the same message is sealed twice.
 */
export function ivStash(): IvStash {
  const known = new Map<string, Uint8Array>();
  return {
    remember: (bytes, kind, aad, iv) => {
      if (iv.length === IV_LENGTH) known.set(digest(bytes, kind, aad), iv);
    },
    recall: (bytes, kind, aad) => known.get(digest(bytes, kind, aad)),
  };
}

function digest(bytes: Uint8Array, kind: string, aad: string): string {
  return createHash('sha256').update(`${kind} ${aad.length} ${aad}`).update(bytes).digest('base64');
}
