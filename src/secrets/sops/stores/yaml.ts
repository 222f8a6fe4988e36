import { map, type SopsMap, type SopsTree, type SopsValue } from '../tree.ts';
import { addMetadata, reservedTopLevelKey, takeMetadata } from './common.ts';
import type { Store } from './store.ts';
import { parseYamlTree } from './yaml-read.ts';
import { formatYamlTree, formatYamlValue } from './yaml-write.ts';

const encoder = new TextEncoder();

/** Go's YAML reader loses comments inside an empty map, so upstream's plain text never has them. */
function withoutHiddenComments(tree: SopsTree, warn: (message: string) => void): SopsTree {
  const clean = (value: SopsValue): SopsValue => {
    if (value.kind !== 'map' && value.kind !== 'list') return value;
    if (value.kind === 'map' && value.items.length > 0 && value.items.every((item) => item.kind === 'comment')) {
      warn('a comment inside an empty map is left out');
      return map([]);
    }
    return value.kind === 'map'
      ? cleanMap(value)
      : { ...value, items: value.items.map((item) => (item.kind === 'comment' ? item : clean(item))) };
  };
  const cleanMap = (branch: SopsMap): SopsMap =>
    map(branch.items.map((item) => (item.kind === 'comment' ? item : { ...item, value: clean(item.value) })));
  return { branches: tree.branches.map(cleanMap) };
}

/** `.yaml`, `.yml`: one map per document, comments kept. Follows sops:stores/yaml/store.go. */
export const yamlStore: Store = {
  parsePlain: (bytes, { file }) => parseYamlTree(bytes, file),
  parseEncrypted: (bytes, context) => takeMetadata(parseYamlTree(bytes, context.file), context),
  emitPlain: (tree, { indent, warn }) => encoder.encode(formatYamlTree(withoutHiddenComments(tree, warn), indent)),
  emitEncrypted: (tree, metadata, { indent }) => encoder.encode(formatYamlTree(addMetadata(tree, metadata), indent)),
  emitValue: (value) => encoder.encode(formatYamlValue(value)),
  reservedKey: reservedTopLevelKey,
};
