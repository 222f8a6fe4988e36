import { SottoError } from '../../base/errors/index.ts';

/** Bech32 (BIP 173) without its limit of 90 characters, as age encodes recipients and identities. */
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const CHECKSUM_LENGTH = 6;

export interface Bech32 {
  /** Lower case. */
  readonly prefix: string;
  readonly bytes: Uint8Array;
}

/** The text in lower case; callers that want upper case convert it. */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const words = regroup(bytes, 8, 5, true) ?? [];
  const sum = polymod([...expandPrefix(prefix), ...words, ...Array<number>(CHECKSUM_LENGTH).fill(0)]) ^ 1;
  const checksum = Array.from({ length: CHECKSUM_LENGTH }, (_, index) => (sum >>> (5 * (5 - index))) & 31);
  return `${prefix}1${[...words, ...checksum].map((word) => ALPHABET.charAt(word)).join('')}`;
}

/**
 * @throws SottoError BECH32_INVALID; the message says what is wrong and quotes nothing, because the text can be a
 *   private key
 */
export function decodeBech32(text: string): Bech32 {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) throw invalid('mixed case');
  const separator = lower.lastIndexOf('1');
  if (separator < 1) throw invalid('no separator');
  const prefix = lower.slice(0, separator);
  const words = Array.from(lower.slice(separator + 1), (character) => ALPHABET.indexOf(character));
  if (words.length < CHECKSUM_LENGTH) throw invalid('too short');
  if (words.includes(-1)) throw invalid('a character outside the alphabet');
  if (polymod([...expandPrefix(prefix), ...words]) !== 1) throw invalid('wrong checksum');
  const bytes = regroup(words.slice(0, -CHECKSUM_LENGTH), 5, 8, false);
  if (bytes === undefined) throw invalid('wrong padding');
  return { prefix, bytes: Uint8Array.from(bytes) };
}

function invalid(problem: string): SottoError {
  return new SottoError('BECH32_INVALID', `malformed Bech32 text: ${problem}`);
}

function expandPrefix(prefix: string): number[] {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(words: readonly number[]): number {
  let sum = 1;
  for (const word of words) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ word;
    GENERATORS.forEach((generator, bit) => {
      if (((top >>> bit) & 1) === 1) sum ^= generator;
    });
  }
  return sum;
}

/** Regroups bits; undefined when unpadded input leaves bits over or has padding that is not zero. */
function regroup(values: Iterable<number>, from: number, to: number, pad: boolean): number[] | undefined {
  const result: number[] = [];
  let pending = 0;
  let bits = 0;
  for (const value of values) {
    pending = ((pending << from) | value) & 0xffff;
    bits += from;
    while (bits >= to) {
      bits -= to;
      result.push((pending >>> bits) & ((1 << to) - 1));
    }
  }
  const rest = pending & ((1 << bits) - 1);
  if (pad) return bits > 0 ? [...result, (rest << (to - bits)) & ((1 << to) - 1)] : result;
  return bits >= from || rest !== 0 ? undefined : result;
}
