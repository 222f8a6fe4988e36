import { SottoError } from '../../base/errors/index.ts';
import { parseDocuments, type YamlMap, type YamlNode } from '../../text/yaml/index.ts';
import { cloneNode, fieldOf, isMissing, lookup, textOf } from './node.ts';
import { expandMergeKeys } from './mergekeys.ts';
import { Resource } from './resource.ts';

const SEPARATOR = /\n---.*\n/g;

/**
 * Reads a text as Kubernetes objects: split at document separators, empty documents dropped, lists expanded
 * (k:kyaml/kio/byteio_reader.go, k:api/resource/factory.go).
 *
 * @throws SottoError YAML_SYNTAX and the like, KUSTOMIZE_MANIFEST for what is no object
 */
export function parseManifests(text: string, file: string): Resource[] {
  const nodes = expandLists(parseNodes(text, file), file);
  return nodes.map((root) => new Resource(root, root.line > 0 ? { file, line: root.line } : { file }));
}

function parseNodes(text: string, file: string): YamlMap[] {
  const parts = splitDocuments(text.replaceAll('\r\n', '\n'), file);
  const nodes: YamlNode[] = [];
  for (const part of parts) {
    const root = parsePart(part, file);
    if (root === undefined || isMissing(root)) continue;
    const items = parts.length === 1 ? itemsOfWrapper(root) : undefined;
    if (items === undefined) nodes.push(root);
    else nodes.push(...items);
  }
  return nodes.filter((node) => !isNothing(node)).map((node) => validated(node, file));
}

interface Part {
  readonly text: string;
  /** Lines of the file above the part. */
  readonly above: number;
}

function splitDocuments(text: string, file: string): Part[] {
  const parts: Part[] = [];
  let start = 0;
  let above = 0;
  for (const match of text.matchAll(SEPARATOR)) {
    const junk = match[0].slice(4).trim();
    const part = text.slice(start, match.index);
    const lines = countLines(part);
    if (junk !== '' && !junk.startsWith('#')) {
      throw new SottoError('KUSTOMIZE_MANIFEST', `invalid document separator: ${match[0].trim()}`, {
        at: { file, line: above + lines + 2 },
      });
    }
    parts.push({ text: `${part}\n`, above });
    start = match.index + match[0].length;
    above += lines + 2;
  }
  if (text !== '') parts.push({ text: text.slice(start), above });
  return parts;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** Only the first document of a part counts; positions become those of the file. */
function parsePart({ text, above }: Part, file: string): YamlNode | undefined {
  try {
    const root = parseDocuments(text, { profile: 'goYaml3', file })[0]?.root;
    if (root === undefined) return undefined;
    if (above > 0) shiftLines(root, above);
    return expandMergeKeys(root, file);
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    const at = { ...error.at, file, ...(error.at?.line === undefined ? {} : { line: error.at.line + above }) };
    throw new SottoError(error.code, `MalformedYAMLError: yaml: line ${at.line ?? 1}: ${error.message} in File: ${file}`, {
      at,
      cause: error,
    });
  }
}

function shiftLines(node: YamlNode, by: number): void {
  (node as { line: number }).line += by;
  if (node.kind === 'sequence') for (const item of node.items) shiftLines(item, by);
  if (node.kind === 'map') {
    for (const { key, value } of node.items) {
      shiftLines(key, by);
      shiftLines(value, by);
    }
  }
}

/** `List` and `ResourceList` are unwrapped in place when they are a file's only document. */
function itemsOfWrapper(root: YamlNode): YamlNode[] | undefined {
  const kind = textOf(fieldOf(root, 'kind'));
  if (kind !== 'List' && kind !== 'ResourceList') return undefined;
  const items = fieldOf(root, 'items');
  if (items === undefined) return fieldOf(root, 'functionConfig') === undefined ? undefined : [];
  return items.kind === 'sequence' ? items.items : [];
}

function isNothing(node: YamlNode): boolean {
  if (node.kind === 'scalar') return isMissing(node) || node.text === '';
  return node.items.length === 0;
}

function validated(node: YamlNode, file: string): YamlMap {
  const at = { file, ...(node.line > 0 ? { line: node.line } : {}) };
  if (node.kind !== 'map') throw new SottoError('KUSTOMIZE_MANIFEST', 'missing Resource metadata: expected a map', { at });
  const kind = textOf(fieldOf(node, 'kind'));
  const name = textOf(lookup(node, 'metadata', 'name'));
  if (kind === '') {
    const bare = textOf(fieldOf(node, 'apiVersion')) === '' && !hasMetadata(node);
    throw new SottoError(
      'KUSTOMIZE_MANIFEST',
      bare ? 'missing Resource metadata' : `missing kind in object${name === '' ? '' : ` '${name}'`}`,
      { at },
    );
  }
  if (name === '' && !kind.endsWith('List')) {
    throw new SottoError('KUSTOMIZE_MANIFEST', `missing metadata.name in object of kind ${kind}`, { at });
  }
  return node;
}

function hasMetadata(node: YamlMap): boolean {
  return ['name', 'namespace', 'labels', 'annotations'].some((field) => {
    const found = lookup(node, 'metadata', field);
    return found !== undefined && !isNothing(found);
  });
}

/** The items of `*List` kinds go to the end of the file's objects. */
function expandLists(nodes: readonly YamlMap[], file: string): YamlMap[] {
  const queue = [...nodes];
  const result: YamlMap[] = [];
  for (let i = 0; i < queue.length; i++) {
    const node = queue[i];
    if (node === undefined) break;
    const kind = textOf(fieldOf(node, 'kind'));
    const items = kind.endsWith('List') ? fieldOf(node, 'items') : undefined;
    if (items === undefined) {
      result.push(node);
    } else if (items.kind === 'sequence') {
      const inner = items.items.filter((item) => !isNothing(item)).map((item) => validated(cloneNode(item), file));
      queue.push(...inner);
    } else if (!isMissing(items)) {
      throw new SottoError('KUSTOMIZE_MANIFEST', `expected array in ${kind}/items`, { at: { file, line: items.line } });
    }
  }
  return result;
}
