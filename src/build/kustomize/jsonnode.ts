import type { Json } from '../../kube/objects/index.ts';
import { fromJson, resolveScalar, type YamlNode, type YamlScalar } from '../../text/yaml/index.ts';
import { isPlainSafe } from './sourcetext.ts';

const OLD_BOOLEAN = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/**
 * A tree of a JSON value in the styles that go-yaml v3 writes, because a strategic merge keeps them later: text that would
 * not be read as a string is quoted.
 */
export function nodeOfJson(value: Json): YamlNode {
  return styled(fromJson(value));
}

function styled(node: YamlNode): YamlNode {
  if (node.kind === 'scalar') {
    if (node.tag === '!!str') node.style = styleOf(node.text);
  } else if (node.kind === 'sequence') {
    for (const item of node.items) styled(item);
  } else {
    for (const { value } of node.items) styled(value);
  }
  return node;
}

function styleOf(text: string): YamlScalar['style'] {
  if (text.includes('\n')) return 'literal';
  const isOther = resolveScalar(text, 'plain', undefined, 'goYaml3').tag !== '!!str' || OLD_BOOLEAN.test(text) || BASE_60.test(text);
  if (isOther) return 'double';
  return isPlainSafe(text) ? 'plain' : 'single';
}
