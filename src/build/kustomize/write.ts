import { SottoError } from '../../base/errors/index.ts';
import type { YamlNode, YamlScalar } from '../../text/yaml/index.ts';
import { fieldOf, isNull, setField, writeString, writeUntyped } from './node.ts';
import type { Resource } from './resource.ts';
import { formatId } from './resourceid.ts';

/** Upstream's names of node kinds, which its messages use. */
const NODE_KINDS = { map: 'MappingNode', sequence: 'SequenceNode', scalar: 'ScalarNode' } as const;

/** The error of a node of another kind, in a merge. Its content stays out: it can be secret. */
export function wrongNode(node: YamlNode, expected: YamlNode['kind']): SottoError {
  return new SottoError('KUSTOMIZE_MERGE', `${kindsOf(node, expected)} (line ${node.line})`);
}

/** The error of a node that is not what a transformer needs. */
export function wrongKind(node: YamlNode, expected: YamlNode['kind'], resource: Resource, what: string): SottoError {
  return new SottoError('KUSTOMIZE_FIELD', `${what} of ${formatId(resource.id)}: ${kindsOf(node, expected)}`, {
    at: { file: resource.source.file, ...(node.line > 0 ? { line: node.line, column: node.column } : {}) },
  });
}

function kindsOf(node: YamlNode, expected: YamlNode['kind']): string {
  return `wrong node kind: expected ${NODE_KINDS[expected]} but got ${NODE_KINDS[node.kind]}: node contents: not shown`;
}

/** Writes a value that is a string whatever it looks like; the style stays. */
export function writeStringAt(node: YamlNode, text: string, resource: Resource, what: string): void {
  writeString(scalar(node, resource, what), text);
}

/** Writes a value without a type of its own: quoted stays a string, plain is what it looks like. */
export function writeTextAt(node: YamlNode, text: string, resource: Resource, what: string): void {
  writeUntyped(scalar(node, resource, what), text);
}

function scalar(node: YamlNode, resource: Resource, what: string): YamlScalar {
  if (node.kind !== 'scalar') throw wrongKind(node, 'scalar', resource, what);
  return node;
}

/** Sets a string field of a map; a null there stays null. */
export function writeEntryAt(map: YamlNode, key: string, value: YamlScalar, resource: Resource, what: string): void {
  if (isNull(map)) return;
  if (map.kind !== 'map') throw wrongKind(map, 'map', resource, what);
  const old = fieldOf(map, key);
  if (old?.kind === 'scalar') writeString(old, value.text);
  else setField(map, key, value);
}
