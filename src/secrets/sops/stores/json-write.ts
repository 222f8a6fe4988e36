import { SottoError } from '../../../base/errors/index.ts';
import { formatFloatJson } from '../numbers.ts';
import { entriesOf, textOf, type SopsList, type SopsMap, type SopsValue } from '../tree.ts';

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};
const ESCAPED = /[^ !#-%'-;=?-[\]-\u2027\u202a-\uffff]/g;

/** Go's encoding/json: HTML characters and line separators escaped. */
function quote(text: string): string {
  return `"${text.replaceAll(ESCAPED, (character) => SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
}

/**
 * The unit of indentation: a tab for -1, spaces for a positive number, line breaks alone for 0.
 *
 * @throws SottoError SOPS_INDENT_INVALID
 */
function unitOf(indent: number): string {
  if (indent === -1) return '\t';
  if (!Number.isInteger(indent) || indent < 0) throw new SottoError('SOPS_INDENT_INVALID', `JSON cannot be indented by ${indent}`);
  return ' '.repeat(indent);
}

/** The value as Go's json.Indent lays it out, without a final newline. Comments are dropped: JSON has none. */
export function formatJsonTree(value: SopsValue, indent = -1): string {
  return format(value, unitOf(indent), '\n');
}

function format(value: SopsValue, unit: string, lineBreak: string): string {
  switch (value.kind) {
    case 'map':
      return formatMap(value, unit, lineBreak);
    case 'list':
      return formatList(value, unit, lineBreak);
    case 'str':
      return quote(textOf(value.bytes));
    case 'int':
      return value.value.toString();
    case 'float':
      return formatFloat(value.value);
    case 'bool':
      return String(value.value);
    case 'time':
      return quote(value.text);
    default:
      return 'null';
  }
}

function formatFloat(value: number): string {
  const text = formatFloatJson(value);
  if (text === undefined) throw new SottoError('SOPS_EMIT', 'JSON has no way to write NaN or an infinity');
  return text;
}

function formatMap(value: SopsMap, unit: string, lineBreak: string): string {
  const inner = lineBreak + unit;
  const lines = entriesOf(value).map((item) => `${inner}${quote(item.key)}: ${format(item.value, unit, inner)}`);
  return lines.length === 0 ? '{}' : `{${lines.join(',')}${lineBreak}}`;
}

function formatList(value: SopsList, unit: string, lineBreak: string): string {
  const inner = lineBreak + unit;
  const lines = value.items.flatMap((item) => (item.kind === 'comment' ? [] : [`${inner}${format(item, unit, inner)}`]));
  return lines.length === 0 ? '[]' : `[${lines.join(',')}${lineBreak}]`;
}
