import { createHash } from 'node:crypto';

import { formatFloatPlain } from './numbers.ts';
import { plainBytes } from './cipher.ts';
import type { SopsLeaf } from './tree.ts';

/** SHA-256 of the ASCII text `sops`: the seed of the hash when only encrypted values count. */
const MAC_ONLY_SEED = createHash('sha256').update('sops').digest();

/** SHA-512 over the leaves in document order. Keys, comments, nulls and metadata are not covered. */
export interface Mac {
  add(leaf: SopsLeaf): void;
  /** Upper-case hex. */
  digest(): string;
}

export interface MacOptions {
  readonly onlyEncrypted: boolean;
  /** How SOPS before 3.13.2 hashed the integers of a JSON file: rounded to a double. */
  readonly integersAsFloats?: boolean;
}

export function startMac({ onlyEncrypted, integersAsFloats = false }: MacOptions): Mac {
  const hash = createHash('sha512');
  if (onlyEncrypted) hash.update(MAC_ONLY_SEED);
  return {
    add: (leaf) => {
      if (leaf.kind === 'null') return;
      hash.update(integersAsFloats && leaf.kind === 'int' ? formatFloatPlain(Number(leaf.value)) : plainBytes(leaf));
    },
    digest: () => hash.digest('hex').toUpperCase(),
  };
}
