import { SottoError } from '../../base/errors/index.ts';
import type { YamlMap, YamlMapItem, YamlNode } from '../../text/yaml/index.ts';
import { cloneNode } from './node.ts';

/**
 * Replaces `<<` keys by what they merge in: explicit keys win over all, earlier entries of a merge list over later
 * ones. Works in place and returns the node.
 *
 * @throws SottoError YAML_MERGE
 */
export function expandMergeKeys<T extends YamlNode>(node: T, file: string): T {
  if (node.kind === 'sequence') for (const item of node.items) expandMergeKeys(item, file);
  if (node.kind === 'map') {
    for (const { value } of node.items) expandMergeKeys(value, file);
    if (node.items.some(isMergeKey)) node.items = expanded(node, file);
  }
  return node;
}

function isMergeKey({ key }: YamlMapItem): boolean {
  return key.kind === 'scalar' && key.tag === '!!merge' && key.style === 'plain';
}

function expanded(map: YamlMap, file: string): YamlMapItem[] {
  const items = map.items.filter((item) => !isMergeKey(item));
  const known = new Set(items.map(({ key }) => (key.kind === 'scalar' ? key.text : '')));
  for (const { value } of map.items.filter(isMergeKey)) {
    for (const source of value.kind === 'sequence' ? value.items : [value]) {
      if (source.kind !== 'map') throw notAMap(source, file);
      for (const item of source.items) {
        const name = item.key.kind === 'scalar' ? item.key.text : '';
        if (known.has(name)) continue;
        known.add(name);
        items.push({ key: cloneNode(item.key), value: cloneNode(item.value) });
      }
    }
  }
  return items;
}

function notAMap(node: YamlNode, file: string): SottoError {
  return new SottoError('YAML_MERGE', 'map merge requires map or sequence of maps as the value', {
    at: { file, line: node.line, column: node.column },
  });
}
