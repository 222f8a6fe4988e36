import { SottoError } from '../../base/errors/index.ts';

/** `${name}` or `${name<operator>…}`. */
export interface Expression {
  readonly name: string;
  /** `''` for a plain reference, `'#'` without arguments for the length, else as written: `:=`, `//`, `%%`, `^` … */
  readonly operator: string;
  readonly words: readonly Word[];
  /** Line on which it starts, from 1. */
  readonly line: number;
}

/** Literal text, or an expression. */
export type Word = string | Expression;

/** A parsed text: its parts in order. */
export type Template = readonly Word[];

/** Defaults inside defaults; deeper input is an error, not a full stack. */
const MAX_DEPTH = 100;

const IDENTIFIER = /[\p{L}\p{Nd}_]+/uy;

/**
 * Parses a text. `$$` is a dollar sign that starts nothing; `$name` without braces is text.
 *
 * Follows fluxcd/pkg envsubst/parse; error messages are upstream's.
 *
 * @throws SottoError ENVSUBST, with the line of the expression
 */
export function parse(text: string): Template {
  return new TemplateParser(text).template();
}

/** Which characters end a word; `escapes`: `$$`, `\/` and `\\` stand for their second character. */
interface WordRule {
  readonly ends: string;
  readonly escapes: boolean;
}

const OFFSET: WordRule = { ends: ':}', escapes: false };
const UNTIL_BRACE: WordRule = { ends: '}', escapes: false };
const PATTERN: WordRule = { ends: '/', escapes: true };
const REPLACEMENT: WordRule = { ends: '}', escapes: true };

class TemplateParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #line = 1;
  #counted = 0;

  constructor(text: string) {
    this.#text = text;
  }

  template(): Template {
    const words: Word[] = [];
    const text = this.#text;
    let literal = '';
    while (this.#at < text.length) {
      const dollar = text.indexOf('$', this.#at);
      if (dollar < 0) break;
      literal += text.slice(this.#at, dollar);
      this.#at = dollar + 2;
      if (text[dollar + 1] === '{') {
        if (literal !== '') words.push(literal);
        literal = '';
        words.push(this.#expression(dollar));
      } else {
        literal += '$';
        if (text[dollar + 1] !== '$') this.#at = dollar + 1;
      }
    }
    literal += text.slice(this.#at);
    if (literal !== '') words.push(literal);
    return words;
  }

  /** Behind `${`. `start` is where that stands. */
  #expression(start: number): Expression {
    const line = this.#lineOf(start);
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw failure('expressions are nested too deeply', line);
    const { operator, name, words } = this.#body(line);
    this.#depth -= 1;
    return { name, operator, words, line };
  }

  #body(line: number): Omit<Expression, 'line'> {
    if (this.#accept('#')) return this.#length(line);
    const name = this.#identifier();
    if (name === '') throw failure('unable to parse variable name', line);
    switch (this.#peek()) {
      case ':':
        return '=-?+'.includes(this.#peek(1) || ' ') ? this.#default(name, 2, line) : this.#substring(name, line);
      case '=':
        return this.#default(name, 1, line);
      case ',':
      case '^':
        return this.#case(name, line);
      case '/':
        return this.#replace(name, line);
      case '#':
      case '%':
        return this.#remove(name, line);
      default:
        if (!this.#accept('}')) throw failure('missing closing brace', line);
        return { name, operator: '', words: [] };
    }
  }

  #length(line: number): Omit<Expression, 'line'> {
    const name = this.#identifier();
    if (name === '') throw failure('bad substitution', line);
    this.#close(line);
    return { name, operator: '#', words: [] };
  }

  /** Any number of words, until the brace. */
  #default(name: string, length: number, line: number): Omit<Expression, 'line'> {
    const operator = this.#take(length);
    const words: Word[] = [];
    while (this.#peek() !== '}') words.push(this.#word(UNTIL_BRACE, line));
    this.#close(line);
    return { name, operator, words };
  }

  #substring(name: string, line: number): Omit<Expression, 'line'> {
    const operator = this.#take(1);
    const offset = this.#word(OFFSET, line);
    if (this.#accept('}')) return { name, operator, words: [offset] };
    if (!this.#acceptRun(':')) throw failure('bad substitution', line);
    const length = this.#word(UNTIL_BRACE, line);
    this.#close(line);
    return { name, operator, words: [offset, length] };
  }

  #case(name: string, line: number): Omit<Expression, 'line'> {
    const operator = this.#take(/[,^]/.test(this.#peek(1)) ? 2 : 1);
    this.#close(line);
    return { name, operator, words: [] };
  }

  #remove(name: string, line: number): Omit<Expression, 'line'> {
    const operator = this.#take(this.#peek(1) === this.#peek() ? 2 : 1);
    const pattern = this.#word(UNTIL_BRACE, line);
    this.#close(line);
    return { name, operator, words: [pattern] };
  }

  #replace(name: string, line: number): Omit<Expression, 'line'> {
    const operator = this.#take(/[/#%]/.test(this.#peek(1)) ? 2 : 1);
    const pattern = this.#word(PATTERN, line);
    if (!this.#acceptRun('/')) throw failure('bad substitution', line);
    if (this.#accept('}')) return { name, operator, words: [pattern] };
    const replacement = this.#word(REPLACEMENT, line);
    this.#close(line);
    return { name, operator, words: [pattern, replacement] };
  }

  /** A nested expression, or text up to one or to an ending character. Never empty. */
  #word({ ends, escapes }: WordRule, line: number): Word {
    const text = this.#text;
    if (text.startsWith('${', this.#at)) {
      this.#at += 2;
      return this.#expression(this.#at - 2);
    }
    let word = '';
    for (; this.#at < text.length; this.#at += 1) {
      const character = text[this.#at] ?? '';
      if (text.startsWith('${', this.#at)) break;
      if (escapes && isEscaped(character, text[this.#at + 1])) this.#at += 1;
      else if (ends.includes(character)) break;
      word += text[this.#at] ?? '';
    }
    if (word === '') throw failure('unable to parse substitution within function', line);
    return word;
  }

  #identifier(): string {
    IDENTIFIER.lastIndex = this.#at;
    const name = IDENTIFIER.exec(this.#text)?.[0] ?? '';
    this.#at += name.length;
    return name;
  }

  #close(line: number): void {
    if (!this.#accept('}')) throw failure('bad substitution', line);
  }

  #peek(ahead = 0): string {
    return this.#text[this.#at + ahead] ?? '';
  }

  #take(length: number): string {
    this.#at += length;
    return this.#text.slice(this.#at - length, this.#at);
  }

  #accept(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  #acceptRun(character: string): boolean {
    const start = this.#at;
    while (this.#peek() === character) this.#at += 1;
    return this.#at > start;
  }

  /** Offsets come in ascending order, so that each line break is counted once. */
  #lineOf(offset: number): number {
    for (; this.#counted < offset; this.#counted += 1) if (this.#text[this.#counted] === '\n') this.#line += 1;
    return this.#line;
  }
}

function isEscaped(character: string, next: string | undefined): boolean {
  return (character === '$' && next === '$') || (character === '\\' && (next === '/' || next === '\\'));
}

function failure(message: string, line: number): SottoError {
  return new SottoError('ENVSUBST', message, {
    at: { line },
    hint: 'write $$ for a dollar sign that starts no variable',
  });
}
