/**
 * Blowfish, as far as bcrypt needs it. Its tables are the fractional binary digits of π, so they are computed when first
 * used instead of being written down.
 */
const ROUNDS = 16;
const SUBKEYS = ROUNDS + 2;
const BOX = 256;
const TABLE_WORDS = SUBKEYS + 4 * BOX;
const GUARD_BITS = 64n;

/** Eighteen subkeys, then four boxes of 256 words, in one array. */
export type BlowfishState = Int32Array;

let digits: Int32Array | undefined;

/** A fresh state. */
export function blowfish(): BlowfishState {
  digits ??= piDigits();
  return Int32Array.from(digits);
}

/** Machin: π = 16·arctan(1/5) − 4·arctan(1/239), in fixed point. */
function piDigits(): Int32Array {
  const bits = BigInt(TABLE_WORDS * 32) + GUARD_BITS;
  const pi = 16n * arctanInverse(5n, bits) - 4n * arctanInverse(239n, bits);
  const fraction = (pi - (3n << bits)) >> GUARD_BITS;
  const bytes = Buffer.from(fraction.toString(16).padStart(TABLE_WORDS * 8, '0'), 'hex');
  return Int32Array.from({ length: TABLE_WORDS }, (_, index) => bytes.readInt32BE(index * 4));
}

function arctanInverse(x: bigint, bits: bigint): bigint {
  const square = x * x;
  let power = (1n << bits) / x;
  let sum = power;
  for (let n = 3n, sign = -1n; power > 0n; n += 2n, sign = -sign) {
    power /= square;
    sum += (sign * power) / n;
  }
  return sum;
}

/** Enciphers the two words at `at` in place. */
export function encipher(state: BlowfishState, block: Int32Array, at: number): void {
  let left = block[at] ?? 0;
  let right = block[at + 1] ?? 0;
  for (let round = 0; round < ROUNDS; round += 2) {
    left ^= state[round] ?? 0;
    right ^= mix(state, left);
    right ^= state[round + 1] ?? 0;
    left ^= mix(state, right);
  }
  block[at] = right ^ (state[ROUNDS + 1] ?? 0);
  block[at + 1] = left ^ (state[ROUNDS] ?? 0);
}

function mix(state: BlowfishState, word: number): number {
  const a = state[SUBKEYS + (word >>> 24)] ?? 0;
  const b = state[SUBKEYS + BOX + ((word >>> 16) & 255)] ?? 0;
  const c = state[SUBKEYS + 2 * BOX + ((word >>> 8) & 255)] ?? 0;
  const d = state[SUBKEYS + 3 * BOX + (word & 255)] ?? 0;
  return (((a + b) ^ c) + d) | 0;
}

/** Mixes a key into the state, with a salt when there is one. Both are used round and round. */
export function expand(state: BlowfishState, key: Int32Array, salt: Int32Array = Int32Array.of(0)): void {
  for (let index = 0; index < SUBKEYS; index++) state[index] = (state[index] ?? 0) ^ (key[index % key.length] ?? 0);
  const block = new Int32Array(2);
  for (let index = 0; index < TABLE_WORDS; index += 2) {
    block[0] = (block[0] ?? 0) ^ (salt[index % salt.length] ?? 0);
    block[1] = (block[1] ?? 0) ^ (salt[(index + 1) % salt.length] ?? 0);
    encipher(state, block, 0);
    state[index] = block[0];
    state[index + 1] = block[1];
  }
}
