import { createHash } from 'node:crypto';

import { blowfish, encipher, expand, type BlowfishState } from './blowfish.ts';

const BLOCK_LENGTH = 32;
const MAGIC = 'OxychromaticBlowfishSwatDynamite';
const ITERATIONS = 64;

/** The key derivation of protected OpenSSH private keys: bcrypt in a PBKDF2-like frame, its output bytes interleaved. */
export function bcryptPbkdf(passphrase: Uint8Array, salt: Uint8Array, rounds: number, length: number): Uint8Array {
  const secret = sha512(passphrase);
  const key = new Uint8Array(length);
  const blocks = Math.ceil(length / BLOCK_LENGTH);
  for (let block = 0; block < blocks; block++) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(block + 1);
    let step = bcryptHash(secret, sha512(Buffer.concat([salt, counter])));
    const sum = Uint8Array.from(step);
    for (let round = 1; round < rounds; round++) {
      step = bcryptHash(secret, sha512(step));
      step.forEach((byte, index) => {
        sum[index] = (sum[index] ?? 0) ^ byte;
      });
    }
    for (let index = 0; index * blocks + block < length; index++) key[index * blocks + block] = sum[index] ?? 0;
  }
  return key;
}

function sha512(bytes: Uint8Array): Uint8Array {
  return createHash('sha512').update(bytes).digest();
}

function bcryptHash(secret: Uint8Array, salt: Uint8Array): Uint8Array {
  const state: BlowfishState = blowfish();
  const [secretWords, saltWords] = [words(secret), words(salt)];
  expand(state, secretWords, saltWords);
  for (let round = 0; round < ITERATIONS; round++) {
    expand(state, saltWords);
    expand(state, secretWords);
  }
  const text = words(Buffer.from(MAGIC, 'latin1'));
  for (let round = 0; round < ITERATIONS; round++) {
    for (let index = 0; index < text.length; index += 2) encipher(state, text, index);
  }
  const out = Buffer.alloc(BLOCK_LENGTH);
  text.forEach((word, index) => out.writeUInt32LE(word >>> 0, index * 4));
  return out;
}

function words(bytes: Uint8Array): Int32Array {
  const buffer = Buffer.from(bytes);
  return Int32Array.from({ length: bytes.length / 4 }, (_, index) => buffer.readInt32BE(index * 4));
}
