import { SottoError, type Position } from '../../../base/errors/index.ts';
import {
  formatTimestamp,
  parseDocuments,
  resolveScalar,
  type YamlDocument,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
  type YamlSequence,
} from '../../../text/yaml/index.ts';
import { isInt64 } from '../numbers.ts';
import { entry, map, str, textOf, type SopsComment, type SopsMap, type SopsTree, type SopsValue } from '../tree.ts';

/**
 * Parses YAML into the SOPS model, comments included, by the scalar rules of go.yaml.in/yaml v3.
 *
 * @throws SottoError SOPS_PARSE, or what text/yaml throws; with line and column
 */
export function parseYamlTree(bytes: Uint8Array, file: string | undefined): SopsTree {
  const documents = readDocuments(closeEmptyCollections(textOf(bytes)), file);
  if (documents.length === 0 && bytes.length > 0) throw failure('Error unmarshaling input yaml: EOF', { file });
  return { branches: documents.map((document) => readDocument(document, file)) };
}

/**
 * Upstream writes a comment inside an empty collection on a line of its own, and the closing bracket in the first
 * column, where only Go's reader accepts it. A bracket there is never part of a block scalar. Line numbers stay.
 */
const EMPTY_WITH_COMMENT = /(?<=[:-] )([{[])\n *#([^\n]*)\n([}\]])(?= *(?:\n|$))/g;

function closeEmptyCollections(text: string): string {
  return text.replaceAll(EMPTY_WITH_COMMENT, (_all, open: string, comment: string, close: string) => `${open}${close} #${comment}\n\n`);
}

/** Input too large for the call stack is an error like any other, never a crash. */
function readDocuments(text: string, file: string | undefined): YamlDocument[] {
  try {
    return parseDocuments(text, { profile: 'goYaml3', ...(file === undefined ? {} : { file }) });
  } catch (error) {
    if (error instanceof RangeError) throw failure('Error unmarshaling input yaml: the file is too large to read', { file });
    throw error;
  }
}

interface Source {
  readonly file: string | undefined;
}

function failure(message: string, { file }: Source, node?: YamlNode): SottoError {
  const at: Position = { ...(file === undefined ? {} : { file }), ...(node === undefined ? {} : { line: node.line, column: node.column }) };
  return new SottoError('SOPS_PARSE', message, { at });
}

function readDocument({ root, trailingComments }: YamlDocument, file: string | undefined): SopsMap {
  const trailing = comments(trailingComments);
  if (root === undefined || (root.kind === 'scalar' && root.tag === '!!null')) return map([...comments(root?.comments), ...trailing]);
  if (root.kind === 'map') return map([...comments(root.comments), ...readMap(root, { file }).items, ...trailing]);
  const kind = root.kind === 'sequence' ? 'list' : 'scalar';
  throw failure(`YAML documents that are ${kind}s are not supported`, { file }, root);
}

function comments(texts: readonly string[] | undefined): SopsComment[] {
  return (texts ?? []).map((text) => ({ kind: 'comment', text }));
}

function inline(text: string | undefined): SopsComment[] {
  return text === undefined ? [] : [{ kind: 'comment', text, inline: true }];
}

function readMap(node: YamlMap, source: Source): SopsMap {
  const items = node.items.flatMap(({ key, value }) => [...commentsOf(key, value), entry(keyOf(key, source), readValue(value, source))]);
  return map([...items, ...comments(node.footComments)]);
}

/** What stands above an item, and behind it: inline comments come before their item. */
function commentsOf(key: YamlNode, value: YamlNode): SopsComment[] {
  const above = comments(key.comments);
  const behindKey = comments(key.inlineComment === undefined ? undefined : [key.inlineComment]);
  if (value.kind !== 'scalar') return [...above, ...behindKey];
  return [...above, ...behindKey, ...comments(value.comments), ...inline(value.inlineComment)];
}

function keyOf(key: YamlNode, source: Source): string {
  if (key.kind === 'scalar' && (key.tag === '!!str' || key.tag === '!!merge')) return key.text;
  const type = key.kind === 'scalar' ? key.tag.replace('!!', '') : key.kind;
  throw failure(`Tree contains a non-string key (type ${type}): only strings can be keys`, source, key);
}

function readValue(node: YamlNode, source: Source): SopsValue {
  switch (node.kind) {
    case 'map':
      return map([...insideComments(node), ...readMap(node, source).items]);
    case 'sequence':
      return { kind: 'list', items: [...insideComments(node), ...readList(node, source)] };
    default:
      return readScalar(node, source);
  }
}

/** A comment behind a flow or empty collection becomes the first one inside it. */
function insideComments(node: YamlMap | YamlSequence): SopsComment[] {
  return comments([...(node.inlineComment === undefined ? [] : [node.inlineComment]), ...(node.comments ?? [])]);
}

function readList(node: YamlSequence, source: Source): (SopsValue | SopsComment)[] {
  const items = node.items.flatMap((item) => [
    ...comments(item.comments),
    ...inline(item.inlineComment),
    readValue(withoutComments(item), source),
  ]);
  return [...items, ...comments(node.footComments)];
}

/** A list item's own comments stand before it in the list, not inside it. */
function withoutComments(node: YamlNode): YamlNode {
  const { comments: _comments, inlineComment: _inline, ...rest } = node;
  return rest;
}

function readScalar(node: YamlScalar, source: Source): SopsValue {
  switch (node.tag) {
    case '!!null':
      return { kind: 'null' };
    case '!!bool':
      return { kind: 'bool', value: resolve(node) === true };
    case '!!int':
      return readInteger(toBigInt(resolve(node)), node, source);
    case '!!float':
      return { kind: 'float', value: Number(resolve(node)) };
    case '!!timestamp':
      return { kind: 'time', text: formatTimestamp(node.text) ?? node.text };
    case '!!binary':
      return { kind: 'str', bytes: new Uint8Array(Buffer.from(node.text, 'base64')) };
    default:
      return str(node.text);
  }
}

function resolve(node: YamlScalar): null | boolean | number | bigint | string {
  return resolveScalar(node.text, node.style, node.tag, 'goYaml3').value;
}

function toBigInt(value: ReturnType<typeof resolve>): bigint {
  return typeof value === 'bigint' || typeof value === 'number' ? BigInt(value) : 0n;
}

function readInteger(value: bigint, node: YamlScalar, source: Source): SopsValue {
  if (!isInt64(value)) throw failure('Cannot walk value, unknown type: uint64', source, node);
  return { kind: 'int', value };
}
