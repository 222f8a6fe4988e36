/**
 * The document model of SOPS: what the MAC, the AAD and the selection rules speak about. Strings are bytes,
 * because a binary file or `!!binary` need not be UTF-8; int and float stay apart, because they hash and print
 * differently.
 */
export type SopsLeaf =
  | SopsString
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  /** RFC 3339 with nanoseconds, trailing zeros cut. */
  | { readonly kind: 'time'; readonly text: string }
  | { readonly kind: 'null' };

export interface SopsString {
  readonly kind: 'str';
  readonly bytes: Uint8Array;
}

/** A comment line without its `#`. It stands before what it comments. */
export interface SopsComment {
  readonly kind: 'comment';
  readonly text: string;
  /** It stood behind its item on the same line. */
  readonly inline?: boolean;
  /** It is an element of a list in the encrypted file. */
  readonly element?: boolean;
}

export interface SopsEntry {
  readonly kind: 'entry';
  readonly key: string;
  readonly value: SopsValue;
}

export interface SopsMap {
  readonly kind: 'map';
  readonly items: readonly (SopsEntry | SopsComment)[];
}

export interface SopsList {
  readonly kind: 'list';
  readonly items: readonly (SopsValue | SopsComment)[];
}

export type SopsValue = SopsLeaf | SopsMap | SopsList;

/** One map per YAML document; exactly one for every other format. */
export interface SopsTree {
  readonly branches: readonly SopsMap[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function str(text: string): SopsString {
  return { kind: 'str', bytes: encoder.encode(text) };
}

/** The text of a string; invalid UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function entry(key: string, value: SopsValue): SopsEntry {
  return { kind: 'entry', key, value };
}

export function map(items: readonly (SopsEntry | SopsComment)[]): SopsMap {
  return { kind: 'map', items };
}

export function entriesOf(branch: SopsMap): SopsEntry[] {
  return branch.items.filter((item) => item.kind === 'entry');
}

/** The value under a key; the first one when a format keeps duplicates. */
export function findEntry(branch: SopsMap, key: string): SopsValue | undefined {
  return entriesOf(branch).find((item) => item.key === key)?.value;
}

/** The kind of a value in words, for messages. */
export function describeKind(value: SopsValue | SopsComment): string {
  return value.kind === 'str' ? 'string' : value.kind;
}
