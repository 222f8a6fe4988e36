/**
 * Scalars as the emitters of Go's YAML libraries (descendants of libyaml) write them: what a text allows, and the
 * text in each style.
 */
import type { ScalarStyle } from './types.ts';

/** Which styles can hold a text. */
export interface Analysis {
  readonly multiline: boolean;
  readonly plain: boolean;
  readonly single: boolean;
  readonly literal: boolean;
}

const BREAK = /[\n\r\u0085\u2028\u2029]/;
const LEADING_INDICATOR = /^(?:[#,[\]{}&*!|>'"%@`]|---|\.\.\.|[-?:](?:[ \t]|$))/;
const INNER_INDICATOR = /:(?:[ \t]|$)|(?:[ \t\n\r\u0085\u2028\u2029])#/;

/**
 * True for the characters that libyaml's emitters write as they are. Beyond the BMP nothing is. Upstream also writes
 * U+2028 and U+2029 raw, where its own reader takes them for line breaks; we escape them.
 */
function isPrintable(code: number): boolean {
  return (
    code === 0x0a ||
    (code >= 0x20 && code <= 0x7e) ||
    (code >= 0xa0 && code <= 0xd7ff && code !== 0x2028 && code !== 0x2029) ||
    (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff)
  );
}

/** `tabs`: v3 lets a literal block hold tabs, v2 treats them like control characters. */
export function analyse(text: string, { tabs }: { readonly tabs: boolean }): Analysis {
  if (text === '') return { multiline: false, plain: true, single: true, literal: false };
  const special = hasSpecial(text, tabs);
  const multiline = BREAK.test(text);
  const spaceBreak = / [\n\r\u0085\u2028\u2029]/.test(text);
  const edgeSpace = text.startsWith(' ') || text.endsWith(' ');
  const quotable = !spaceBreak && !special && !/[\n\r\u0085\u2028\u2029] /.test(text) && !text.includes('\t');
  return {
    multiline,
    plain: quotable && !multiline && !edgeSpace && !LEADING_INDICATOR.test(text) && !INNER_INDICATOR.test(text),
    single: quotable,
    literal: !spaceBreak && !special && !text.endsWith(' '),
  };
}

function hasSpecial(text: string, tabs: boolean): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    // A surrogate is outside the ranges, so astral characters need no decoding here.
    if (!isPrintable(code) && !(tabs && code === 0x09)) return true;
  }
  return false;
}

/** Where a scalar is written. */
export interface Place {
  /** Characters already on the line. */
  readonly column: number;
  /** Column of continuation lines and of the lines of a literal block. */
  readonly indent: number;
  /** Fold at spaces beyond this column; undefined: never. */
  readonly fold?: number;
  /** The indentation indicator of a literal block that needs one. */
  readonly indicator: number;
  /** A comment on the first line, without `#`. */
  readonly comment?: string | undefined;
}

/** A scalar in the given style, without a final line break. */
export function renderScalar(text: string, style: ScalarStyle, place: Place): string {
  if (style === 'literal' || style === 'folded') return renderLiteral(text, place);
  const comment = place.comment === undefined ? '' : ` #${place.comment}`;
  const render = style === 'single' ? renderSingle : style === 'double' ? renderDouble : renderPlain;
  return render(text, place) + comment;
}

function renderPlain(text: string, place: Place): string {
  return foldSingleSpaces(text, place.column, place, false);
}

function renderSingle(text: string, place: Place): string {
  return `'${foldSingleSpaces(text.replaceAll("'", "''"), place.column + 1, place, true)}'`;
}

/** Breaks at a space that has no space beside it; the space goes. `inner`: not at the first or last character. */
function foldSingleSpaces(text: string, column: number, { fold, indent }: Place, inner: boolean): string {
  if (fold === undefined || column + text.length <= fold) return text;
  const width = fold;
  const pad = `\n${' '.repeat(indent)}`;
  const characters = Array.from(text);
  let at = column;
  let result = '';
  for (const [index, character] of characters.entries()) {
    const alone = character === ' ' && characters[index - 1] !== ' ' && characters[index + 1] !== ' ';
    const edge = inner && (index === 0 || index === characters.length - 1);
    if (alone && at > width && !edge) {
      result += pad;
      at = indent;
    } else {
      result += character;
      at += 1;
    }
  }
  return result;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\u000b': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeCharacter(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  if (isPrintable(code)) return character;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** Breaks at the first space of a run; when more follow, the next line starts with a backslash. */
function renderDouble(text: string, { column, indent, fold }: Place): string {
  const pad = `\n${' '.repeat(indent)}`;
  const characters = Array.from(text);
  let at = column + 1;
  let result = '';
  for (const [index, character] of characters.entries()) {
    const breakable = character === ' ' && characters[index - 1] !== ' ' && index > 0 && index < characters.length - 1;
    if (breakable && fold !== undefined && at > fold) {
      const more = characters[index + 1] === ' ';
      result += more ? `${pad}\\` : pad;
      at = more ? indent + 1 : indent;
      continue;
    }
    const escaped = escapeCharacter(character);
    result += escaped;
    at += escaped === character ? 1 : escaped.length;
  }
  return `"${result}"`;
}

function renderLiteral(text: string, { indent, indicator, comment }: Place): string {
  const hint = /^[ \n]/.test(text) ? String(indicator) : '';
  const chomp = text.endsWith('\n') ? (text === '\n' || text.endsWith('\n\n') ? '+' : '') : '-';
  const pad = ' '.repeat(indent);
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const lines = body.split('\n').map((line) => (line === '' ? '' : pad + line));
  return `|${hint}${chomp}${comment === undefined ? '' : ` #${comment}`}\n${lines.join('\n')}`;
}
