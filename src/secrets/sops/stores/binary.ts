import { SottoError } from '../../../base/errors/index.ts';
import { entry, findEntry, map, type SopsTree } from '../tree.ts';
import { jsonStore } from './json.ts';
import type { Store } from './store.ts';

const DATA_KEY = 'data';

/** The bytes of the only item; never decoded on the way. */
function dataOf(tree: SopsTree): Uint8Array {
  const [branch, second] = tree.branches;
  const value = branch === undefined || second !== undefined ? undefined : findEntry(branch, DATA_KEY);
  if (value?.kind !== 'str') {
    throw new SottoError('SOPS_EMIT', 'no binary data found in tree', {
      hint: "binary output needs one string under the key 'data'; choose another --output-type",
    });
  }
  return value.bytes;
}

/** Any bytes: plain they are the file itself, encrypted they are JSON with one item `data`. */
export const binaryStore: Store = {
  parsePlain: (bytes) => ({ branches: [map([entry(DATA_KEY, { kind: 'str', bytes })])] }),
  parseEncrypted: (bytes, context) => jsonStore.parseEncrypted(bytes, context),
  emitPlain: (tree) => dataOf(tree),
  emitEncrypted: (tree, metadata, context) => jsonStore.emitEncrypted(tree, metadata, context),
  emitValue: (value) => {
    if (value.kind === 'str') return value.bytes;
    throw new SottoError('SOPS_EMIT', 'a binary file has one value, its data');
  },
  reservedKey: () => undefined,
};
