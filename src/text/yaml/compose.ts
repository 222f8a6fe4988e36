import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

import { SottoError } from '../../base/errors/index.ts';
import { MAX_ALIAS_NODES, MAX_DEPTH } from './limits.ts';
import { resolveScalar } from './resolve.ts';
import type { ParseOptions, ScalarStyle, YamlMap, YamlMapItem, YamlNode, YamlPosition, YamlScalar } from './types.ts';

/** A node under an anchor, with what its expansion costs. */
interface Anchored {
  readonly node: YamlNode;
  readonly size: number;
  readonly height: number;
}

const STYLES: Readonly<Record<string, ScalarStyle>> = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'single',
  QUOTE_DOUBLE: 'double',
  BLOCK_LITERAL: 'literal',
  BLOCK_FOLDED: 'folded',
};

const CORE_TAG = 'tag:yaml.org,2002:';
const KNOWN_TAGS = new Set(['!!str', '!!int', '!!float', '!!bool', '!!null', '!!timestamp', '!!binary', '!!merge']);

/** Offsets in the text. A list item starts at its dash. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Turns one parsed document into our tree: scalars typed by profile, aliases expanded, duplicate keys found. */
export class TreeBuilder {
  readonly #lines: LineCounter;
  readonly #options: ParseOptions;
  readonly #anchors = new Map<string, Anchored>();
  readonly #open = new Set<string>();
  #aliasNodes = 0;
  /** Where nodes of the text lie. Copies made for aliases have one for their root only. */
  readonly spans: Map<YamlNode, Span> = new Map();

  constructor(lines: LineCounter, options: ParseOptions) {
    this.#lines = lines;
    this.#options = options;
  }

  build(document: Document.Parsed): YamlNode | undefined {
    const { contents } = document;
    if (contents === null || isAbsent(contents)) return undefined;
    return this.#node(contents, 1).node;
  }

  fail(code: string, message: string, at: YamlPosition): SottoError {
    const { file } = this.#options;
    return new SottoError(code, message, { at: { ...(file === undefined ? {} : { file }), line: at.line, column: at.column } });
  }

  #node(source: Node | null, depth: number): Anchored {
    if (isAlias(source)) return this.#alias(source, depth);
    if (depth > MAX_DEPTH) throw this.fail('YAML_LIMIT', `more than ${MAX_DEPTH} nested levels`, this.#position(source));
    const anchor = source !== null && 'anchor' in source ? source.anchor : undefined;
    if (anchor !== undefined) this.#open.add(anchor);
    const built = this.#unanchored(source, depth);
    this.#record(built.node, source);
    if (anchor !== undefined) {
      this.#open.delete(anchor);
      this.#anchors.set(anchor, built);
    }
    return built;
  }

  #unanchored(source: Node | null, depth: number): Anchored {
    if (isMap(source)) return this.#map(source, depth);
    if (isSeq(source)) return this.#sequence(source, depth);
    if (isScalar(source)) return { node: this.#scalar(source), size: 1, height: 1 };
    return { node: { kind: 'scalar', tag: '!!null', style: 'plain', text: '', ...this.#position(source) }, size: 1, height: 1 };
  }

  #alias(source: Alias, depth: number): Anchored {
    const at = this.#position(source);
    if (this.#open.has(source.source)) throw this.fail('YAML_SYNTAX', `anchor '${source.source}' value contains itself`, at);
    const target = this.#anchors.get(source.source);
    if (target === undefined) throw this.fail('YAML_SYNTAX', `unknown anchor '${source.source}' referenced`, at);
    this.#aliasNodes += target.size;
    if (this.#aliasNodes > MAX_ALIAS_NODES) throw this.fail('YAML_LIMIT', `aliases expand to more than ${MAX_ALIAS_NODES} nodes`, at);
    if (depth + target.height > MAX_DEPTH) throw this.fail('YAML_LIMIT', `more than ${MAX_DEPTH} nested levels`, at);
    const node: YamlNode = { ...cloneNode(target.node), ...at };
    this.#record(node, source);
    return { ...target, node };
  }

  #scalar(source: Scalar): YamlScalar {
    const style = STYLES[source.type ?? 'PLAIN'] ?? 'plain';
    const text = typeof source.value === 'string' ? source.value : '';
    const at = this.#position(source);
    return { kind: 'scalar', tag: this.#scalarTag(source, text, style, at), style, text, ...at };
  }

  #scalarTag(source: Scalar, text: string, style: ScalarStyle, at: YamlPosition): string {
    // The non-specific tag `!` changes nothing for Go's libraries.
    const tag = source.tag === '!' ? undefined : shortTag(source.tag);
    if (tag !== undefined && !KNOWN_TAGS.has(tag)) return tag;
    try {
      return resolveScalar(text, style, tag, this.#options.profile).tag;
    } catch (error) {
      if (error instanceof SottoError) throw this.fail(error.code, error.message, at);
      throw error;
    }
  }

  #sequence(source: YAMLSeq, depth: number): Anchored {
    const built = source.items.map((item) =>
      isPair(item) ? this.#pairInSequence(item, depth + 1) : this.#node(item as Node | null, depth + 1),
    );
    for (const [index, offset] of dashOffsets(source).entries()) {
      const item = built[index];
      const span = item === undefined ? undefined : this.spans.get(item.node);
      if (item !== undefined) this.spans.set(item.node, { start: offset, end: Math.max(span?.end ?? 0, offset + 1) });
    }
    const node: YamlNode = {
      kind: 'sequence',
      tag: shortTag(source.tag) ?? '!!seq',
      flow: source.flow === true,
      items: built.map((item) => item.node),
      ...this.#position(source),
    };
    return { node, ...measure(built) };
  }

  /** `[a: b]` is a list of one-pair maps. */
  #pairInSequence(pair: { key: unknown; value: unknown }, depth: number): Anchored {
    const key = this.#node(pair.key as Node | null, depth + 1);
    const value = this.#node(pair.value as Node | null, depth + 1);
    const { line, column } = key.node;
    const node: YamlMap = { kind: 'map', tag: '!!map', flow: true, items: [{ key: key.node, value: value.node }], line, column };
    return { node, ...measure([key, value]) };
  }

  #map(source: YAMLMap, depth: number): Anchored {
    const built: Anchored[] = [];
    const items: YamlMapItem[] = [];
    for (const pair of source.items) {
      const key = this.#node(pair.key as Node | null, depth + 1);
      const value = this.#node(pair.value as Node | null, depth + 1);
      built.push(key, value);
      items.push({ key: key.node, value: value.node });
    }
    const node: YamlMap = {
      kind: 'map',
      tag: shortTag(source.tag) ?? '!!map',
      flow: source.flow === true,
      items: this.#unique(items),
      ...this.#position(source),
    };
    return { node, ...measure(built) };
  }

  #unique(items: YamlMapItem[]): YamlMapItem[] {
    const seen = new Map<string, number>();
    const dropped = new Set<number>();
    for (const [index, { key }] of items.entries()) {
      if (key.kind !== 'scalar') continue;
      const earlier = seen.get(key.text);
      if (earlier !== undefined) {
        if (this.#options.duplicateKeys !== 'last') throw this.#duplicate(key, items[earlier]?.key);
        dropped.add(earlier);
      }
      seen.set(key.text, index);
    }
    return dropped.size === 0 ? items : items.filter((_, index) => !dropped.has(index));
  }

  #duplicate(key: YamlScalar, earlier: YamlNode | undefined): SottoError {
    return this.fail(
      'YAML_DUPLICATE_KEY',
      `mapping key ${JSON.stringify(key.text)} already defined at line ${earlier?.line ?? key.line}`,
      key,
    );
  }

  #record(node: YamlNode, source: Node | null): void {
    const range = source?.range;
    if (range !== undefined && range !== null) this.spans.set(node, { start: range[0], end: range[1] });
  }

  #position(source: Node | null): YamlPosition {
    const offset = source?.range?.[0];
    if (offset === undefined) return { line: 1, column: 1 };
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

function dashOffsets(source: YAMLSeq): readonly number[] {
  const token = source.srcToken;
  if (token?.type !== 'block-seq') return [];
  return token.items.flatMap(({ start }) => start.filter(({ type }) => type === 'seq-item-ind').map(({ offset }) => offset));
}

function isAbsent(contents: Node): boolean {
  return (
    isScalar(contents) && contents.value === '' && contents.type === 'PLAIN' && contents.tag === undefined && contents.anchor === undefined
  );
}

function shortTag(tag: string | undefined): string | undefined {
  return tag?.startsWith(CORE_TAG) === true ? `!!${tag.slice(CORE_TAG.length)}` : tag;
}

function measure(children: readonly Anchored[]): { size: number; height: number } {
  let size = 1;
  let height = 0;
  for (const child of children) {
    size += child.size;
    height = Math.max(height, child.height);
  }
  return { size, height: height + 1 };
}

/** A deep copy of a tree, comments included. */
export function cloneNode<T extends YamlNode>(node: T): T {
  const copy: YamlNode =
    node.kind === 'scalar'
      ? { ...node }
      : node.kind === 'sequence'
        ? { ...node, items: node.items.map((item) => cloneNode(item)) }
        : { ...node, items: node.items.map(({ key, value }) => ({ key: cloneNode(key), value: cloneNode(value) })) };
  return copy as T;
}
