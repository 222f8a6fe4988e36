import { SottoError } from '../../../base/errors/index.ts';
import { entriesOf, textOf, type SopsMap, type SopsTree, type SopsValue } from '../tree.ts';
import { addMetadata, at, onlyBranch, reservedTopLevelKey, takeMetadata } from './common.ts';
import { parseJsonTree } from './json-read.ts';
import { formatJsonTree } from './json-write.ts';
import type { Store, StoreContext } from './store.ts';

const encoder = new TextEncoder();

function parseJsonFile(bytes: Uint8Array, context: StoreContext): SopsTree {
  const value = parseJsonTree(textOf(bytes), context.file);
  if (value.kind !== 'map')
    throw new SottoError('SOPS_PARSE', 'Could not unmarshal input data: the top level must be an object', at(context));
  return { branches: [value] };
}

/** Two values under one key cannot both be found again. */
function refuseDuplicates(value: SopsValue, context: StoreContext): void {
  if (value.kind === 'list') for (const item of value.items) if (item.kind !== 'comment') refuseDuplicates(item, context);
  if (value.kind !== 'map') return;
  const seen = new Set<string>();
  for (const item of entriesOf(value)) {
    if (seen.has(item.key)) throw new SottoError('SOPS_DUPLICATE_KEY', `the key ${item.key} appears twice in one object`, at(context));
    seen.add(item.key);
    refuseDuplicates(item.value, context);
  }
}

function emit(branch: SopsMap, { indent = -1 }: StoreContext): Uint8Array {
  return encoder.encode(`${formatJsonTree(branch, indent)}\n`);
}

/** `.json`: one object. Follows sops:stores/json/store.go. */
export const jsonStore: Store = {
  parsePlain: (bytes, context) => {
    const tree = parseJsonFile(bytes, context);
    for (const branch of tree.branches) refuseDuplicates(branch, context);
    return tree;
  },
  parseEncrypted: (bytes, context) => takeMetadata(parseJsonFile(bytes, context), context),
  emitPlain: (tree, context) => emit(onlyBranch(tree, 'JSON'), context),
  emitEncrypted: (tree, metadata, context) => emit(onlyBranch(addMetadata(tree, metadata), 'JSON'), context),
  emitValue: (value, { indent = -1 }) => encoder.encode(formatJsonTree(value, indent)),
  reservedKey: reservedTopLevelKey,
};
