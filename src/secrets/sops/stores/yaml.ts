import { addMetadata, reservedTopLevelKey, takeMetadata } from './common.ts';
import type { Store } from './store.ts';
import { parseYamlTree } from './yaml-read.ts';
import { formatYamlTree, formatYamlValue } from './yaml-write.ts';

const encoder = new TextEncoder();

/** `.yaml`, `.yml`: one map per document, comments kept. Follows sops:stores/yaml/store.go. */
export const yamlStore: Store = {
  parsePlain: (bytes, { file }) => parseYamlTree(bytes, file),
  parseEncrypted: (bytes, context) => takeMetadata(parseYamlTree(bytes, context.file), context),
  emitPlain: (tree, { indent }) => encoder.encode(formatYamlTree(tree, indent)),
  emitEncrypted: (tree, metadata, { indent }) => encoder.encode(formatYamlTree(addMetadata(tree, metadata), indent)),
  emitValue: (value) => encoder.encode(formatYamlValue(value)),
  reservedKey: reservedTopLevelKey,
};
