import { isUtf8 } from 'node:buffer';

import { SottoError } from '../../../base/errors/index.ts';
import { textOf } from '../tree.ts';
import { at } from './common.ts';
import type { StoreContext } from './store.ts';

/** A section or key with its one comment, as written, marks included. */
export interface IniKey {
  readonly name: string;
  value: string;
  comment: string;
}

export interface IniSection {
  readonly name: string;
  comment: string;
  readonly keys: IniKey[];
}

/** Name of the section before the first header. */
export const DEFAULT_SECTION = 'DEFAULT';

const SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const LEADING = new RegExp(`^${SPACE.source}+`);

/** Go's idea of white space, which is not JavaScript's. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(0, end).replace(LEADING, '');
}

/**
 * Parses INI by the rules of gopkg.in/ini.v1 v1.67 with repeated sections allowed.
 *
 * @throws SottoError SOPS_PARSE with the line; the message never quotes the text
 */
export function parseIni(bytes: Uint8Array, context: StoreContext): IniSection[] {
  if (!isUtf8(bytes)) throw new SottoError('SOPS_PARSE', 'Could not unmarshal input data: an INI file must be UTF-8', at(context));
  const parser = new IniParser(textOf(bytes).replace(/^\ufeff/, ''), context);
  return parser.parse();
}

class IniParser {
  readonly #lines: readonly string[];
  readonly #context: StoreContext;
  #next = 0;
  #comment = '';
  #keys = new Map<string, IniKey>();

  constructor(text: string, context: StoreContext) {
    this.#lines = text.split(/(?<=\n)/);
    this.#context = context;
  }

  parse(): IniSection[] {
    let section: IniSection = { name: DEFAULT_SECTION, comment: '', keys: [] };
    const sections = [section];
    while (this.#next < this.#lines.length) {
      const line = this.#read().replace(LEADING, '');
      if (line === '') continue;
      if (line.startsWith('#') || line.startsWith(';')) this.#comment += line;
      else if (line.startsWith('[')) {
        section = this.#section(line);
        sections.push(section);
        this.#keys = new Map();
      } else this.#key(line, section);
    }
    return sections;
  }

  #read(): string {
    return this.#lines[this.#next++] ?? '';
  }

  #takeComment(): string {
    const comment = trimSpace(this.#comment);
    this.#comment = '';
    return comment;
  }

  #section(line: string): IniSection {
    const close = line.lastIndexOf(']');
    if (close === -1) throw this.#error('unclosed section');
    const name = line.slice(1, close);
    if (name === '') throw this.#error('empty section name');
    this.#comment += inlineComment(line.slice(close + 1));
    return { name, comment: this.#takeComment(), keys: [] };
  }

  #key(line: string, section: IniSection): void {
    const { name, rest } = this.#keyName(line);
    if (name === '-') throw this.#error("a key named '-' cannot be kept");
    const value = this.#value(rest);
    const comment = this.#takeComment();
    const existing = this.#keys.get(name);
    if (existing !== undefined) {
      Object.assign(existing, { value, comment });
      return;
    }
    const key: IniKey = { name, value, comment };
    this.#keys.set(name, key);
    section.keys.push(key);
  }

  #keyName(line: string): { readonly name: string; readonly rest: string } {
    const quote = line.startsWith('"""') && line.length > 6 ? '"""' : /^["`]/.exec(line)?.[0];
    if (quote !== undefined) {
      const end = line.indexOf(quote, quote.length);
      if (end === -1) throw this.#error('missing closing key quote');
      const tail = line.slice(end + quote.length);
      const delimiter = tail.search(/[=:]/);
      if (delimiter === -1) throw this.#error('key-value delimiter not found');
      return { name: line.slice(quote.length, end), rest: tail.slice(delimiter + 1) };
    }
    const delimiter = line.search(/[=:]/);
    if (delimiter === -1) throw this.#error('key-value delimiter not found');
    if (delimiter === 0) throw this.#error('empty key name');
    return { name: trimSpace(line.slice(0, delimiter)), rest: line.slice(delimiter + 1) };
  }

  #value(rest: string): string {
    const line = rest.replace(LEADING, '');
    const quote = line.startsWith('"""') && line.length > 3 ? '"""' : line.startsWith('`') ? '`' : undefined;
    if (quote !== undefined) return this.#quoted(line.slice(quote.length), quote);
    const trimmed = trimSpace(line);
    if (trimmed.endsWith('\\')) return this.#continued(trimmed.slice(0, -1));
    const mark = trimmed.search(/[#;]/);
    if (mark !== -1) this.#comment += trimmed.slice(mark);
    return withoutQuotes(mark === -1 ? trimmed : trimSpace(trimmed.slice(0, mark)));
  }

  #quoted(text: string, quote: string): string {
    const end = text.lastIndexOf(quote);
    if (end !== -1) return text.slice(0, end);
    let value = text;
    while (this.#next < this.#lines.length) {
      const line = this.#read();
      const close = line.lastIndexOf(quote);
      if (close === -1) {
        value += line;
        continue;
      }
      this.#comment += trimSpace(inlineComment(line.slice(close)));
      return value + line.slice(0, close);
    }
    throw this.#error('missing closing quote of a value');
  }

  #continued(start: string): string {
    let value = start;
    for (;;) {
      const next = trimSpace(this.#read());
      if (next === '') return value;
      value += next;
      if (!value.endsWith('\\')) return value;
      value = value.slice(0, -1);
    }
  }

  #error(problem: string): SottoError {
    const { file } = this.#context;
    return new SottoError('SOPS_PARSE', `Could not unmarshal input data: ${problem}`, {
      at: { line: this.#next, ...(file === undefined ? {} : { file }) },
    });
  }
}

function inlineComment(text: string): string {
  const mark = text.search(/[#;]/);
  return mark === -1 ? '' : text.slice(mark);
}

/** One pair of quotes around a value without that quote inside. */
function withoutQuotes(value: string): string {
  const quote = value.charAt(0);
  const isQuoted = value.length >= 2 && (quote === '"' || quote === "'") && value.indexOf(quote, 1) === value.length - 1;
  return isQuoted ? value.slice(1, -1) : value;
}
