import { formatGoFloat } from './numbers.ts';
import { sortKeys } from './natural.ts';
import { resolveScalar } from './resolve.ts';
import { analyse, renderScalar } from './scalar-text.ts';
import type { ScalarStyle, YamlValue } from './types.ts';

/** Lines are folded at the first space beyond this column. */
const WIDTH = 80;
/** Longer keys, in bytes, are written behind a question mark. */
const LONGEST_SIMPLE_KEY = 128;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/**
 * A JSON value as sigs.k8s.io/yaml (go-yaml v2) writes it, byte for byte: keys in natural order, indentation of two,
 * list items at the column of their key, long text folded. This is the output of `kustomize build`, per object.
 *
 * Takes any JSON value; fields that are undefined are left out.
 *
 * Follows emitterc.go and encode.go of go.yaml.in/yaml/v2.
 */
export function stringifyYaml(value: unknown, _options: { readonly profile: 'goYaml2' } = { profile: 'goYaml2' }): string {
  const writer = new Writer();
  writer.node(value as YamlValue, 0, 'root');
  return `${writer.text()}\n`;
}

/** What stands before a node on its line: nothing, `key:`, or a two-column indicator (`- `, `: `). */
type Before = 'root' | 'key' | 'indicator';

class Writer {
  readonly #parts: string[] = [];

  text(): string {
    return this.#parts.join('');
  }

  /** `indent` is the column of the collection that holds the node. */
  node(value: YamlValue, indent: number, before: Before): void {
    if (Array.isArray(value)) this.#list(value, indent, before);
    else if (typeof value === 'object' && value !== null) this.#map(value, indent, before);
    else this.#scalar(value, indent, before);
  }

  #list(items: readonly YamlValue[], indent: number, before: Before): void {
    if (items.length === 0) return this.#put(before, '[]');
    const column = before === 'indicator' ? indent + 2 : indent;
    for (const [index, item] of items.entries()) {
      this.#startLine(column, index === 0, before);
      this.#parts.push('-');
      this.node(item, column, 'indicator');
    }
  }

  #map(map: { readonly [key: string]: YamlValue }, indent: number, before: Before): void {
    const keys = Object.keys(map).filter((key) => map[key] !== undefined);
    if (keys.length === 0) return this.#put(before, '{}');
    const column = before === 'root' ? indent : indent + 2;
    for (const [index, key] of sortKeys(keys).entries()) {
      this.#startLine(column, index === 0, before);
      this.#entry(key, map[key] ?? null, column);
    }
  }

  #entry(key: string, value: YamlValue, column: number): void {
    const { style, simple } = keyStyle(key);
    if (simple) {
      const text = renderScalar(key, style, { column, indent: column, indicator: 2 });
      this.#parts.push(`${text}:`);
      this.#value(value, column, column + Array.from(text).length + 1);
    } else {
      this.#parts.push('? ', renderScalar(key, style, { column: column + 2, indent: column + 2, indicator: 2, fold: WIDTH }));
      this.#parts.push(`\n${' '.repeat(column)}:`);
      this.node(value, column, 'indicator');
    }
  }

  #value(value: YamlValue, column: number, written: number): void {
    if (typeof value === 'object' && value !== null) this.node(value, column, 'key');
    else this.#parts.push(' ', scalarText(value, written + 1, column + 2));
  }

  #scalar(value: Exclude<YamlValue, YamlValue[] | object> | null, indent: number, before: Before): void {
    const space = before === 'root' ? '' : ' ';
    this.#parts.push(space, scalarText(value, before === 'root' ? 0 : indent + 2, indent + 2));
  }

  #put(before: Before, text: string): void {
    this.#parts.push(before === 'root' ? text : ` ${text}`);
  }

  #startLine(column: number, first: boolean, before: Before): void {
    if (first && before === 'root') return;
    this.#parts.push(first && before === 'indicator' ? ' ' : `\n${' '.repeat(column)}`);
  }
}

function keyStyle(key: string): { style: ScalarStyle; simple: boolean } {
  const simple = !analyse(key, { tabs: false }).multiline && Buffer.byteLength(key) <= LONGEST_SIMPLE_KEY;
  return { style: stringStyle(key), simple };
}

function scalarText(value: null | boolean | number | bigint | string, column: number, indent: number): string {
  if (typeof value === 'string') return renderScalar(value, stringStyle(value), { column, indent, indicator: 2, fold: WIDTH });
  return typeof value === 'number' ? numberText(value) : String(value);
}

/** Integral floats within 64 bits are printed as integers. */
function numberText(value: number): string {
  return Number.isInteger(value) && value < 2 ** 64 && value >= -(2 ** 63) ? String(BigInt(value)) : formatGoFloat(value);
}

function stringStyle(text: string): ScalarStyle {
  const { plain, single, literal } = analyse(text, { tabs: false });
  if (text.includes('\n')) return literal ? 'literal' : 'double';
  if (readsAsOtherType(text)) return 'double';
  return plain ? 'plain' : single ? 'single' : 'double';
}

/** YAML 1.1 readers would not see a string. A merge key is plain all the same. */
function readsAsOtherType(text: string): boolean {
  const { tag } = resolveScalar(text, 'plain', undefined, 'goYaml2');
  return (tag !== '!!str' && tag !== '!!merge') || BASE_60.test(text);
}
