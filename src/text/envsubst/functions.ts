import { SottoError } from '../../base/errors/index.ts';
import { matchedPrefixes } from './glob.ts';

/** The value of a variable and the expanded words of the expression → the text to insert. */
type Operation = (value: string, words: readonly string[]) => string;

const orDefault: Operation = (value, words) => (value === '' ? words.join('') : value);

/**
 * The operators. `:?` and `:+` behave like a default upstream, so they do here. Unknown ones (`^,`) give the value.
 */
const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  [',', (value) => changeFirst(value, lower)],
  [',,', (value) => Array.from(value, lower).join('')],
  ['^', (value) => changeFirst(value, upper)],
  ['^^', (value) => Array.from(value, upper).join('')],
  ['#', (value, [pattern]) => (pattern === undefined ? String(Buffer.byteLength(value)) : trimPrefix(value, pattern, shortest))],
  ['##', (value, [pattern = '']) => trimPrefix(value, pattern, longest)],
  ['%', (value, [pattern = '']) => reverse(trimPrefix(reverse(value), reverse(pattern), shortest))],
  ['%%', (value, [pattern = '']) => reverse(trimPrefix(reverse(value), reverse(pattern), longest))],
  [':', (value, [offset = '', length]) => substring(value, offset, length)],
  ['/', (value, [pattern = '', replacement = '']) => value.replace(pattern, () => replacement)],
  ['//', (value, [pattern = '', replacement = '']) => replaceAll(value, pattern, replacement)],
  ['/#', (value, words) => replacePrefix(value, words)],
  ['/%', (value, words) => replaceSuffix(value, words)],
]);

/** Operators that supply a value of their own, so that the variable may be unset in strict mode. */
const DEFAULTS = new Set(['=', ':=', ':-', ':?', ':+']);

export function providesDefault(operator: string): boolean {
  return DEFAULTS.has(operator);
}

export function apply(operator: string, value: string, words: readonly string[]): string {
  return (OPERATIONS.get(operator) ?? orDefault)(value, words);
}

/** Go maps character by character: what becomes several in full case mapping stays. */
function upper(character: string): string {
  const mapped = character.toUpperCase();
  return Array.from(mapped).length === 1 ? mapped : character;
}

function lower(character: string): string {
  const mapped = character.toLowerCase();
  return Array.from(mapped).length === 1 ? mapped : character;
}

function changeFirst(value: string, change: (character: string) => string): string {
  const [first = '', ...rest] = Array.from(value);
  return first === '' ? '' : change(first) + rest.join('');
}

const INTEGER = /^[-+]?\d+$/;

/** Offsets and lengths count bytes; what is no number leaves the value as it is. */
function substring(value: string, offset: string, length: string | undefined): string {
  if (!INTEGER.test(offset) || (length !== undefined && !INTEGER.test(length))) return value;
  const bytes = Buffer.from(value);
  const start = Number(offset) < 0 ? Math.max(0, bytes.length + Number(offset)) : Number(offset);
  if (length === undefined) return bytes.toString('utf8', Math.min(start, bytes.length));
  if (Number(length) < 0) throw new SottoError('ENVSUBST', 'negative substring length');
  return bytes.toString('utf8', Math.min(start, bytes.length), Math.min(start + Number(length), bytes.length));
}

function replaceAll(value: string, pattern: string, replacement: string): string {
  if (pattern !== '') return value.replaceAll(pattern, () => replacement);
  return replacement + Array.from(value, (character) => character + replacement).join('');
}

function replacePrefix(value: string, [pattern = '', replacement]: readonly string[]): string {
  return replacement !== undefined && value.startsWith(pattern) ? replacement + value.slice(pattern.length) : value;
}

function replaceSuffix(value: string, [pattern = '', replacement]: readonly string[]): string {
  return replacement !== undefined && value.endsWith(pattern) ? value.slice(0, value.length - pattern.length) + replacement : value;
}

const shortest = (lengths: readonly number[]): number => lengths[0] ?? 0;
const longest = (lengths: readonly number[]): number => lengths.at(-1) ?? 0;

function trimPrefix(value: string, pattern: string, choose: (lengths: readonly number[]) => number): string {
  return Array.from(value)
    .slice(choose(matchedPrefixes(pattern, value)))
    .join('');
}

/** Suffix operators work on reversed text and reversed pattern, which is why classes fail in them. */
function reverse(text: string): string {
  return Array.from(text).toReversed().join('');
}
