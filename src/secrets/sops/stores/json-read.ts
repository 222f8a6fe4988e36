import { SottoError, type Position } from '../../../base/errors/index.ts';
import { parseInt64 } from '../numbers.ts';
import { entry, map, str, type SopsEntry, type SopsValue } from '../tree.ts';

const MAX_DEPTH = 500;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const PLAIN_CHARACTERS = /[ !#-[\]-\uffff]+/y;
const WHITESPACE = /[ \t\r\n]*/y;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const WORDS: Readonly<Record<string, SopsValue>> = {
  true: { kind: 'bool', value: true },
  false: { kind: 'bool', value: false },
  null: { kind: 'null' },
};
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Parses JSON into the SOPS model: key order and duplicate keys kept, an integer literal that fits int64 is an int,
 * every other number a float. Text after the value is an error. The message never quotes the text.
 *
 * @throws SottoError SOPS_PARSE with line and column
 */
export function parseJsonTree(text: string, file?: string): SopsValue {
  const reader = new JsonReader(text, file);
  const value = reader.value(0);
  reader.end();
  return value;
}

class JsonReader {
  readonly #text: string;
  readonly #file: string | undefined;
  #position = 0;

  constructor(text: string, file: string | undefined) {
    this.#text = text;
    this.#file = file;
  }

  value(depth: number): SopsValue {
    if (depth > MAX_DEPTH) throw this.#error(`nested more than ${MAX_DEPTH} levels`);
    this.#skipBlanks();
    const character = this.#text.charAt(this.#position);
    if (character === '{') return this.#object(depth);
    if (character === '[') return this.#array(depth);
    if (character === '"') return str(this.#string());
    for (const [word, value] of Object.entries(WORDS)) if (this.#take(word)) return value;
    return this.#number();
  }

  end(): void {
    this.#skipBlanks();
    if (this.#position < this.#text.length) throw this.#error('text after the end of the value');
  }

  #object(depth: number): SopsValue {
    const items: SopsEntry[] = [];
    this.#position++;
    this.#skipBlanks();
    if (this.#take('}')) return map(items);
    do {
      this.#skipBlanks();
      if (this.#text.charAt(this.#position) !== '"') throw this.#error('expected a key in double quotes');
      const key = this.#string();
      this.#skipBlanks();
      if (!this.#take(':')) throw this.#error("expected ':' after a key");
      items.push(entry(key, this.value(depth + 1)));
      this.#skipBlanks();
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#error("expected ',' or '}' in an object");
    return map(items);
  }

  #array(depth: number): SopsValue {
    const items: SopsValue[] = [];
    this.#position++;
    this.#skipBlanks();
    if (this.#take(']')) return { kind: 'list', items };
    do {
      items.push(this.value(depth + 1));
      this.#skipBlanks();
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#error("expected ',' or ']' in a list");
    return { kind: 'list', items };
  }

  #string(): string {
    const parts: string[] = [];
    this.#position++;
    while (!this.#take('"')) {
      const plain = this.#match(PLAIN_CHARACTERS);
      if (plain !== undefined) parts.push(plain[0]);
      else if (this.#take('\\')) parts.push(this.#escape());
      else throw this.#error(this.#position >= this.#text.length ? 'a string has no end' : 'a control character in a string');
    }
    return parts.join('').replaceAll(LONE_SURROGATE, '\ufffd');
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#position++);
    if (letter === 'u') {
      const digits = this.#text.slice(this.#position, this.#position + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('a \\u escape needs four hexadecimal digits');
      this.#position += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const escaped = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (escaped === undefined) throw this.#error('an unknown escape in a string');
    return escaped;
  }

  #number(): SopsValue {
    const match = this.#match(NUMBER);
    if (match === undefined) throw this.#error(this.#position >= this.#text.length ? 'the text ends too early' : 'expected a value');
    const [literal, fraction, exponent] = match;
    const integer = fraction === undefined && exponent === undefined ? parseInt64(literal) : undefined;
    if (integer !== undefined) return { kind: 'int', value: integer };
    const value = Number(literal);
    if (!Number.isFinite(value)) throw this.#error('a number is out of range');
    return { kind: 'float', value };
  }

  #skipBlanks(): void {
    this.#match(WHITESPACE);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text) ?? undefined;
    this.#position += match?.[0].length ?? 0;
    return match;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#position)) return false;
    this.#position += token.length;
    return true;
  }

  #error(problem: string): SottoError {
    const before = this.#text.slice(0, this.#position);
    const line = before.split('\n').length;
    const at: Position = {
      line,
      column: this.#position - before.lastIndexOf('\n'),
      ...(this.#file === undefined ? {} : { file: this.#file }),
    };
    return new SottoError('SOPS_PARSE', `Could not unmarshal input data: ${problem}`, { at });
  }
}
