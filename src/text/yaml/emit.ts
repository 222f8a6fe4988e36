import { isOldBoolean, resolveScalar } from './resolve.ts';
import { analyse, renderScalar } from './scalar-text.ts';
import type { ScalarStyle, YamlDocument, YamlMap, YamlNode, YamlScalar, YamlSequence } from './types.ts';

export interface EmitOptions {
  readonly profile: 'goYaml3';
  /** Spaces per level: 2 to 9; anything else counts as 2. Default 4, as SOPS has it. */
  readonly indent?: number;
}

const LONGEST_SIMPLE_KEY = 128;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/**
 * Documents as go-yaml v3 emits nodes without styles of their own, which is how SOPS writes YAML: order kept, block
 * collections, comments, no folding. A string's style follows from its text; other scalars are written as their `text`,
 * which the caller has made canonical ({@link formatGoFloat}, {@link formatTimestamp}). A `!!merge` tag and any string
 * `<<` are written with the tag, `!!binary` with its base64 text.
 *
 * Comments on a mapping or list itself stand before its first item, but for a list item before its dash.
 */
export function emitNodes(documents: readonly Pick<YamlDocument, 'root' | 'trailingComments'>[], options: EmitOptions): string {
  const indent = options.indent ?? 4;
  const step = indent >= 2 && indent <= 9 ? indent : 2;
  return documents
    .map(({ root, trailingComments }) => {
      const emitter = new Emitter(step);
      emitter.document(root, trailingComments);
      return emitter.text();
    })
    .join('---\n');
}

/** What stands before a node on its line. */
type Before = 'nothing' | 'key' | 'dash' | 'colon';

/** Lines end when the next one begins, so that inline comments can follow whatever was written. */
class Emitter {
  readonly #step: number;
  readonly #parts: string[] = [];
  #column = 0;
  /** Something was written since the last line break, be it an empty line of a literal block. */
  #open = false;
  /** The last thing written is an indicator, behind which a collection may start. */
  #behindIndicator = false;

  constructor(step: number) {
    this.#step = step;
  }

  text(): string {
    return this.#parts.join('');
  }

  document(root: YamlNode | undefined, trailing: readonly string[]): void {
    if (root === undefined) this.#write('{}');
    else {
      this.#comments(root.comments, 0);
      this.#node(root, 0, 'nothing');
    }
    this.#comments(trailing, 0);
    this.#endLine();
  }

  /** `parent` is the column of the collection that holds the node. */
  #node(node: YamlNode, parent: number, before: Before): void {
    if (node.kind === 'scalar') return this.#scalarValue(node, parent, before);
    if (node.items.length === 0) return this.#emptyCollection(node, parent, before);
    const column = this.#columnOf(parent, before);
    if (before === 'key') {
      this.#endLine();
      this.#comments(node.comments, column);
    }
    if (node.kind === 'map') this.#map(node, column, before === 'dash');
    else this.#sequence(node, column, before === 'dash');
    this.#comments(node.footComments, column);
  }

  #columnOf(parent: number, before: Before): number {
    if (before === 'nothing') return parent;
    return before === 'dash' ? parent + 2 : this.#step * Math.floor((parent + this.#step) / this.#step);
  }

  #emptyCollection(node: YamlMap | YamlSequence, parent: number, before: Before): void {
    this.#space(before);
    const inside = before === 'key' ? [...(node.comments ?? []), ...(node.footComments ?? [])] : [];
    const [open, close] = node.kind === 'map' ? ['{', '}'] : ['[', ']'];
    this.#write(open);
    if (inside.length > 0) {
      this.#comments(inside, this.#columnOf(parent, before));
      this.#indentTo(parent);
    }
    this.#write(close);
    this.#inline(node.inlineComment);
  }

  #map(map: YamlMap, column: number, behindDash: boolean): void {
    for (const [index, { key, value }] of map.items.entries()) {
      if (index > 0 || !behindDash) this.#comments(key.comments, column);
      this.#indentTo(column);
      this.#entry(key, value, column);
    }
  }

  #entry(key: YamlNode, value: YamlNode, column: number): void {
    const simple = key.kind === 'scalar' && isSimpleKey(key);
    if (simple) {
      this.#write(renderScalar(prefixed(key), scalarStyle(key), { column, indent: column, indicator: 2 }));
      this.#write(':');
      if (key.inlineComment !== undefined && isBlock(value)) this.#inline(key.inlineComment);
      this.#node(value, column, 'key');
    } else {
      this.#indicator('?');
      this.#node(key, column, 'colon');
      this.#indentTo(column);
      this.#indicator(':');
      this.#node(value, column, 'colon');
    }
  }

  #sequence(sequence: YamlSequence, column: number, behindDash: boolean): void {
    for (const [index, item] of sequence.items.entries()) {
      if (index > 0 || !behindDash) this.#comments(leadingComments(item), column);
      this.#indentTo(column);
      this.#indicator('-');
      this.#node(item, column, 'dash');
    }
  }

  #scalarValue(node: YamlScalar, parent: number, before: Before): void {
    this.#space(before);
    const indent = before === 'nothing' ? this.#step : this.#columnOf(parent, before);
    const text = renderScalar(prefixed(node), scalarStyle(node), {
      column: this.#column,
      indent,
      // Upstream writes the step here, which inside a list is not the distance: such a file cannot be read again.
      indicator: before === 'nothing' ? indent : indent - parent,
      comment: node.inlineComment,
    });
    this.#write(text);
    if (node.inlineComment !== undefined && !text.includes('\n')) this.#endLine();
  }

  #space(before: Before): void {
    if (before !== 'nothing') this.#write(' ');
  }

  #comments(texts: readonly string[] | undefined, column: number): void {
    for (const text of texts ?? []) {
      this.#endLine();
      this.#indentTo(column);
      this.#write(`#${text}`);
      this.#endLine();
    }
  }

  #inline(comment: string | undefined): void {
    if (comment === undefined) return;
    this.#write(` #${comment}`);
    this.#endLine();
  }

  /** Moves to a column: on this line when it is just behind an indicator and leaves a space, else on a new one. */
  #indentTo(column: number): void {
    if (!this.#behindIndicator || column <= this.#column) this.#endLine();
    this.#write(' '.repeat(column - this.#column));
  }

  #write(text: string): void {
    if (text === '') return;
    this.#open = true;
    this.#behindIndicator = false;
    this.#parts.push(text);
    const lineBreak = text.lastIndexOf('\n');
    this.#column = lineBreak < 0 ? this.#column + text.length : text.length - lineBreak - 1;
  }

  #indicator(text: string): void {
    this.#write(text);
    this.#behindIndicator = true;
  }

  #endLine(): void {
    this.#behindIndicator = false;
    if (!this.#open) return;
    this.#parts.push('\n');
    this.#column = 0;
    this.#open = false;
  }
}

/** Comments that stand before the dash of a list item: its own and those of whatever starts on its line. */
function leadingComments(item: YamlNode): string[] {
  const first = item.kind === 'scalar' ? undefined : item.kind === 'map' ? item.items[0]?.key : item.items[0];
  return [...(item.comments ?? []), ...(first === undefined ? [] : leadingComments(first))];
}

function isBlock(node: YamlNode): boolean {
  return node.kind !== 'scalar' && node.items.length > 0;
}

function isSimpleKey(key: YamlScalar): boolean {
  const tag = prefixed(key).length - key.text.length;
  return !analyse(key.text, { tabs: true }).multiline && Buffer.byteLength(key.text) + tag <= LONGEST_SIMPLE_KEY;
}

/** The text with the tag that it needs. */
function prefixed(node: YamlScalar): string {
  if (node.text === '<<' && (node.tag === '!!str' || node.tag === '!!merge')) return '!!merge <<';
  return node.tag === '!!binary' ? `!!binary ${node.text}` : node.text;
}

function scalarStyle(node: YamlScalar): ScalarStyle {
  const { text, tag } = node;
  if (text === '<<' || /^!!(?:int|float|bool|null|timestamp|binary)$/.test(tag)) return 'plain';
  const { plain, single, literal } = analyse(text, { tabs: true });
  if (text.includes('\n')) return literal ? 'literal' : 'double';
  if (readsAsOtherType(text)) return 'double';
  return plain ? 'plain' : single ? 'single' : 'double';
}

function readsAsOtherType(text: string): boolean {
  return resolveScalar(text, 'plain', undefined, 'goYaml3').tag !== '!!str' || BASE_60.test(text) || isOldBoolean(text);
}
