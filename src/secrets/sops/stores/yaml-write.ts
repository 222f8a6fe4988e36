import { isUtf8 } from 'node:buffer';

import { SottoError } from '../../../base/errors/index.ts';
import { emitNodes, formatGoFloat, type YamlMap, type YamlNode, type YamlScalar, type YamlSequence } from '../../../text/yaml/index.ts';
import { textOf, type SopsComment, type SopsLeaf, type SopsList, type SopsMap, type SopsTree, type SopsValue } from '../tree.ts';

const NOWHERE = { line: 0, column: 0 };
const DEFAULT_INDENT = 4;

/**
 * @param indent spaces per level; negative is an error
 * @throws SottoError SOPS_INDENT_INVALID, SOPS_EMIT
 */
export function formatYamlTree(tree: SopsTree, indent = DEFAULT_INDENT): string {
  if (indent < 0) throw new SottoError('SOPS_INDENT_INVALID', `YAML cannot be indented by ${indent}`);
  const documents = tree.branches.map((branch) => {
    const root = mapNode(branch);
    const { footComments: trailingComments = [], ...rest } = root;
    return { root: rest, trailingComments };
  });
  return emitNodes(documents, { profile: 'goYaml3', indent });
}

export function formatYamlValue(value: SopsValue): string {
  return emitNodes([{ root: valueNode(value), trailingComments: [] }], { profile: 'goYaml3', indent: DEFAULT_INDENT });
}

/** Comments waiting for the item they stand before. */
class Pending {
  #lines: string[] = [];
  #inline: string | undefined;

  add({ text, inline }: SopsComment): void {
    if (this.#inline !== undefined) this.#lines.push(this.#inline);
    this.#inline = undefined;
    if (inline === true) this.#inline = text;
    else this.#lines.push(text);
  }

  /** Puts them on an item; one flagged inline stays behind a scalar, else it becomes a line above. */
  attach(head: YamlNode, value: YamlNode): void {
    if (this.#inline !== undefined && value.kind === 'scalar') value.inlineComment = this.#inline;
    else if (this.#inline !== undefined) this.#lines.push(this.#inline);
    if (this.#lines.length > 0) head.comments = this.#lines;
    this.#lines = [];
    this.#inline = undefined;
  }

  /** Comments in a list without items follow it, as upstream writes them. */
  addHidden(value: SopsValue): void {
    if (value.kind !== 'list' || !value.items.every((item) => item.kind === 'comment')) return;
    for (const { text } of value.items.filter((item) => item.kind === 'comment')) this.add({ kind: 'comment', text });
  }

  /** Those after the last item. */
  rest(): string[] {
    return this.#inline === undefined ? this.#lines : [...this.#lines, this.#inline];
  }
}

function mapNode(branch: SopsMap): YamlMap {
  const pending = new Pending();
  const items: YamlMap['items'] = [];
  for (const item of branch.items) {
    if (item.kind === 'comment') {
      pending.add(item);
      continue;
    }
    const key: YamlScalar = { kind: 'scalar', tag: '!!str', style: 'plain', text: item.key, ...NOWHERE };
    if (item.key === '<<' && item.value.kind !== 'map' && item.value.kind !== 'list') {
      throw new SottoError('SOPS_EMIT', "a key '<<' with a plain value would make a file that cannot be read again", {
        hint: 'rename the key',
      });
    }
    const value = valueNode(item.value);
    pending.attach(key, value);
    pending.addHidden(item.value);
    items.push({ key, value });
  }
  return { kind: 'map', tag: '!!map', flow: false, items, ...foot(pending), ...NOWHERE };
}

function listNode(list: SopsList): YamlSequence {
  const pending = new Pending();
  const items: YamlNode[] = [];
  for (const item of list.items) {
    if (item.kind === 'comment') {
      pending.add(item);
      continue;
    }
    const value = valueNode(item);
    pending.attach(value, value);
    pending.addHidden(item);
    items.push(value);
  }
  return { kind: 'sequence', tag: '!!seq', flow: false, items, ...(items.length === 0 ? {} : foot(pending)), ...NOWHERE };
}

function foot(pending: Pending): { footComments?: string[] } {
  const rest = pending.rest();
  return rest.length === 0 ? {} : { footComments: rest };
}

function valueNode(value: SopsValue): YamlNode {
  if (value.kind === 'map') return mapNode(value);
  if (value.kind === 'list') return listNode(value);
  return { kind: 'scalar', style: 'plain', ...scalarOf(value), ...NOWHERE };
}

function scalarOf(leaf: SopsLeaf): { readonly tag: string; readonly text: string } {
  switch (leaf.kind) {
    case 'str':
      return isUtf8(leaf.bytes)
        ? { tag: '!!str', text: textOf(leaf.bytes) }
        : { tag: '!!binary', text: Buffer.from(leaf.bytes).toString('base64') };
    case 'int':
      return { tag: '!!int', text: leaf.value.toString() };
    case 'float':
      return { tag: '!!float', text: formatGoFloat(leaf.value) };
    case 'bool':
      return { tag: '!!bool', text: String(leaf.value) };
    case 'time':
      return { tag: '!!timestamp', text: leaf.text };
    default:
      return { tag: '!!null', text: 'null' };
  }
}
