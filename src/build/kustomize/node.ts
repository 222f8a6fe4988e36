/**
 * Small operations on YAML trees. Objects stay trees during a build, because a strategic merge keeps the
 * style of the scalars it replaces.
 */
import { resolveScalar, type YamlMap, type YamlMapItem, type YamlNode, type YamlScalar, type YamlSequence } from '../../text/yaml/index.ts';

const NOWHERE = { line: 0, column: 0 };

export function isMap(node: YamlNode | undefined): node is YamlMap {
  return node?.kind === 'map';
}

export function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.tag === '!!null';
}

/** True for nothing and for null. */
export function isMissing(node: YamlNode | undefined): boolean {
  return node === undefined || isNull(node);
}

/** The text of a scalar; '' for everything else. */
export function textOf(node: YamlNode | undefined): string {
  return node?.kind === 'scalar' ? node.text : '';
}

export function itemOf(map: YamlNode | undefined, key: string): YamlMapItem | undefined {
  if (map?.kind !== 'map') return undefined;
  for (const item of map.items) if (item.key.kind === 'scalar' && item.key.text === key) return item;
  return undefined;
}

export function fieldOf(map: YamlNode | undefined, key: string): YamlNode | undefined {
  return itemOf(map, key)?.value;
}

/** The node at the end of a path of map keys. */
export function lookup(node: YamlNode | undefined, ...path: readonly string[]): YamlNode | undefined {
  let found = node;
  for (const key of path) found = fieldOf(found, key);
  return found;
}

export function newMap(items: YamlMapItem[] = []): YamlMap {
  return { kind: 'map', tag: '!!map', flow: false, items, ...NOWHERE };
}

export function newSequence(items: YamlNode[] = []): YamlSequence {
  return { kind: 'sequence', tag: '!!seq', flow: false, items, ...NOWHERE };
}

/** A string, whatever its text looks like. */
export function newString(text: string): YamlScalar {
  return { kind: 'scalar', tag: '!!str', style: styleOf(text), text, ...NOWHERE };
}

/** A plain scalar that is what its text looks like: `5` is a number. */
export function newPlain(text: string): YamlScalar {
  return { kind: 'scalar', tag: resolvePlain(text), style: 'plain', text, ...NOWHERE };
}

export function newBoolean(value: boolean): YamlScalar {
  return { kind: 'scalar', tag: '!!bool', style: 'plain', text: String(value), ...NOWHERE };
}

function styleOf(text: string): YamlScalar['style'] {
  if (text.includes('\n')) return 'literal';
  return readsAsString(text) ? 'plain' : 'double';
}

/** True when YAML 1.1, too, reads this text as a string; others are quoted for its readers. */
export function readsAsString(text: string): boolean {
  if (text === '') return true;
  return resolveScalar(text, 'plain', undefined, 'yaml11').tag === '!!str' && !/^[[{#]|: |:$/.test(text);
}

function resolvePlain(text: string): string {
  return resolveScalar(text, 'plain', undefined, 'goYaml3').tag;
}

export function setField(map: YamlMap, key: string, value: YamlNode): void {
  const item = itemOf(map, key);
  if (item === undefined) map.items.push({ key: newString(key), value });
  else item.value = value;
}

export function removeField(map: YamlMap, key: string): void {
  const index = map.items.findIndex((item) => textOf(item.key) === key);
  if (index >= 0) map.items.splice(index, 1);
}

/** The map under a key; made when it is missing or null. Undefined when something else is there. */
export function mapAt(map: YamlMap, key: string): YamlMap | undefined {
  const found = fieldOf(map, key);
  if (found !== undefined && !isNull(found)) return found.kind === 'map' ? found : undefined;
  const made = newMap();
  setField(map, key, made);
  return made;
}

/** Overwrites a scalar with a string, keeping its style where that can hold a string. */
export function writeString(node: YamlScalar, text: string): void {
  node.text = text;
  node.tag = '!!str';
}

/** Overwrites a scalar with text that has no type of its own: quoted stays a string, plain is what it looks like. */
export function writeUntyped(node: YamlScalar, text: string): void {
  node.text = text;
  node.tag = node.style === 'plain' ? resolvePlain(text) : '!!str';
}

/** Turns a node into another one, in place: whoever holds the node sees the change. */
export function become(node: YamlNode, value: YamlNode): void {
  const target = node as unknown as Record<string, unknown>;
  for (const key of Object.keys(target)) if (!(key in value)) delete target[key];
  Object.assign(target, value);
}

export function cloneNode<T extends YamlNode>(node: T): T;
export function cloneNode(node: YamlNode): YamlNode {
  if (node.kind === 'scalar') return { ...node };
  if (node.kind === 'sequence') return { ...node, items: node.items.map((item) => cloneNode(item)) };
  return { ...node, items: node.items.map(({ key, value }) => ({ key: cloneNode(key), value: cloneNode(value) })) };
}

/** How many nodes a tree has. */
export function countNodes(node: YamlNode): number {
  if (node.kind === 'scalar') return 1;
  const children = node.kind === 'sequence' ? node.items : node.items.map(({ value }) => value);
  return children.reduce((size, child) => size + countNodes(child), 1);
}

/** A map of scalars as texts, as kustomize reads labels and annotations: what is no scalar has the text ''. */
export function textsOf(map: YamlNode | undefined): Map<string, string> {
  const texts = new Map<string, string>();
  if (map?.kind === 'map') for (const { key, value } of map.items) texts.set(textOf(key), textOf(value));
  return texts;
}

/** Sorted string entries as a map node. */
export function stringMap(entries: ReadonlyMap<string, string>): YamlMap {
  const keys = [...entries.keys()].toSorted();
  return newMap(keys.map((key) => ({ key: newString(key), value: newString(entries.get(key) ?? '') })));
}
