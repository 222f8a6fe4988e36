import { randomFillSync } from 'node:crypto';

/** Randomness for jitter, names and uids: replayable from a seed in simulations. */
export interface Random {
  /** A number in [0, 1). */
  number(): number;
  /** An integer in [0, limit). */
  below(limit: number): number;
  /** One element of a non-empty list. */
  pick<T>(items: readonly T[]): T;
  /** `length` characters of the alphabet. */
  text(length: number, alphabet: string): string;
  /** A version 4 UUID. */
  uuid(): string;
}

/** First digit of the third group of a version 4 UUID (RFC 9562). */
const VARIANTS = '89ab';
const TWO_32 = 2 ** 32;

function randomFrom(next: () => number): Random {
  const number = (): number => next() / TWO_32;
  const below = (limit: number): number => Math.floor(number() * limit);
  const text = (length: number, alphabet: string): string => Array.from({ length }, () => alphabet[below(alphabet.length)]).join('');
  return {
    number,
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    text,
    uuid: () => {
      const hex = [next(), next(), next(), next()].map((part) => part.toString(16).padStart(8, '0')).join('');
      const variant = VARIANTS[Number.parseInt(hex.charAt(16), 16) % VARIANTS.length];
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
    },
  };
}

/** Numbers drawn at a time: one call of the system's generator costs as much as a hundred of them. */
const POOL = 256;

/** Draws from the system's generator. */
export function systemRandom(): Random {
  const pool = new Uint32Array(POOL);
  let next = POOL;
  return randomFrom(() => {
    if (next === POOL) {
      randomFillSync(pool);
      next = 0;
    }
    return pool[next++] ?? 0;
  });
}

/** The same sequence for the same seed (sfc32 started from a splitmix of the seed). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const splitmix = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, counter] = [splitmix(), splitmix(), splitmix(), 1];
  return randomFrom(() => {
    const sum = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum;
  });
}
