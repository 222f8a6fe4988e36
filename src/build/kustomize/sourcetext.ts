/**
 * YAML text of a tree in the tree's own styles, as go-yaml v3 writes nodes that it has read: key order, quotes, comments
 * and flow collections stay; two columns per level, dashes at the column of their key.
 */
import { resolveScalar, type YamlMap, type YamlNode, type YamlScalar, type YamlSequence } from '../../text/yaml/index.ts';

/** The text of a node; a line break at the end unless it is a plain or quoted scalar alone. */
export function sourceText(node: YamlNode): string {
  if (node.kind === 'scalar') return scalarText(node, 2) + inlineComment(node);
  return isFlow(node) ? `${flowText(node)}${inlineComment(node)}\n` : `${blockLines(node).join('\n')}\n`;
}

function isFlow(node: YamlNode): boolean {
  return node.kind !== 'scalar' && (node.flow || node.items.length === 0);
}

function blockLines(node: YamlNode): string[] {
  if (node.kind === 'map') return mapLines(node);
  if (node.kind === 'sequence') return listLines(node);
  return scalarText(node, 2).split('\n');
}

function mapLines(map: YamlMap): string[] {
  return map.items.flatMap(({ key, value }) => {
    const name = key.kind === 'scalar' ? scalarText(key, 2) : flowText(key);
    const above = commentLines(key);
    if (value.kind === 'scalar') return [...above, ...attach(`${name}:`, scalarText(value, 2), inlineComment(value) || inlineComment(key))];
    if (isFlow(value)) return [...above, `${name}: ${flowText(value)}${inlineComment(value) || inlineComment(key)}`];
    const inner = blockLines(value);
    const indented = value.kind === 'map' ? inner.map(indent) : inner;
    return [...above, `${name}:${inlineComment(key)}`, ...indented];
  });
}

function listLines(list: YamlSequence): string[] {
  return list.items.flatMap((item) => {
    const above = item.kind === 'scalar' || isFlow(item) ? commentLines(item) : [];
    if (item.kind === 'scalar') return [...above, ...attach('-', scalarText(item, 2), inlineComment(item))];
    if (isFlow(item)) return [...above, `- ${flowText(item)}${inlineComment(item)}`];
    return blockLines(item).map((line, index) => (index === 0 ? `- ${line}` : indent(line)));
  });
}

function indent(line: string): string {
  return line === '' ? '' : `  ${line}`;
}

function attach(before: string, text: string, comment: string): string[] {
  if (text === '') return [`${before}${comment}`];
  const [first = '', ...more] = text.split('\n');
  return [`${before} ${first}${comment}`, ...more];
}

function commentLines(node: YamlNode): string[] {
  return (node.comments ?? []).map((comment) => `#${comment}`);
}

function inlineComment(node: YamlNode): string {
  return node.inlineComment === undefined ? '' : ` #${node.inlineComment}`;
}

function flowText(node: YamlNode): string {
  if (node.kind === 'scalar') return scalarText({ ...node, style: isBlock(node) ? 'double' : node.style }, 0);
  if (node.kind === 'sequence') return `[${node.items.map(flowText).join(', ')}]`;
  return `{${node.items.map(({ key, value }) => `${flowText(key)}: ${flowText(value)}`).join(', ')}}`;
}

function isBlock({ style }: YamlScalar): boolean {
  return style === 'literal' || style === 'folded';
}

/** A scalar in its own style; a plain one that would not be read as what it is gets quotes or its tag. */
function scalarText(node: YamlScalar, blockIndent: number): string {
  const { text, style, tag } = node;
  if (style === 'single') return `'${text.replaceAll("'", "''")}'`;
  if (style === 'double') return doubleQuoted(text);
  if (isBlock(node) || (style === 'plain' && text.includes('\n'))) return blockText(node, blockIndent);
  const read = resolveScalar(text, 'plain', undefined, 'goYaml3').tag;
  if (tag !== '!!str') return read === tag || !TYPED.has(tag) ? text : `${tag} ${text}`;
  if (read !== '!!str') return doubleQuoted(text);
  return isPlainSafe(text) ? text : `'${text.replaceAll("'", "''")}'`;
}

const TYPED = new Set(['!!int', '!!float', '!!bool', '!!null']);

/** True when a text needs no quotes for its characters. */
export function isPlainSafe(text: string): boolean {
  return !/^[\s\-?:,[\]{}#&*!|>'"%@`]|: |:$| #|[\s]$|[\u0000-\u001f]/.test(text) || /^[-?:][^\s]/.test(text);
}

function doubleQuoted(text: string): string {
  return JSON.stringify(text);
}

function blockText({ text, style }: YamlScalar, blockIndent: number): string {
  const sign = style === 'folded' ? '>' : '|';
  const hint = /^[ \n]/.test(text) ? String(blockIndent) : '';
  const chomp = !text.endsWith('\n') ? '-' : text.endsWith('\n\n') || text === '\n' ? '+' : '';
  const lines = text.replace(/\n$/, '').split('\n');
  return [`${sign}${hint}${chomp}`, ...lines.map((line) => (line === '' ? '' : ' '.repeat(blockIndent) + line))].join('\n');
}
