import { SottoError } from '../../base/errors/index.ts';
import type { Entropy } from '../../base/world/index.ts';

/** Shamir's secret sharing byte by byte over GF(2^8) modulo x^8+x^4+x^3+x+1, as sops:shamir/shamir.go has it. */
const POLYNOMIAL = 0x11b;
const MAX_SHARES = 255;

/**
 * Splits a secret so that any `threshold` of the `count` shares give it back. A share is one byte y per secret
 * byte, then the byte x = index + 1.
 *
 * @throws SottoError SOPS_SHAMIR unless 2 ≤ threshold ≤ count ≤ 255 and the secret is not empty
 */
export function splitSecret(secret: Uint8Array, count: number, threshold: number, entropy: Entropy): Uint8Array[] {
  if (threshold < 2) throw shamirError(`the threshold ${threshold} is less than 2`);
  if (threshold > count) throw shamirError(`the threshold ${threshold} is greater than the number of groups, ${count}`);
  if (count > MAX_SHARES) throw shamirError(`${count} groups are more than ${MAX_SHARES}`);
  if (secret.length === 0) throw shamirError('cannot split an empty secret');
  const polynomials = Array.from(secret, (byte) => Uint8Array.from([byte, ...entropy.bytes(threshold - 1)]));
  const shares = Array.from({ length: count }, (_, index) => {
    const x = index + 1;
    return Uint8Array.from([...polynomials.map((polynomial) => evaluate(polynomial, x)), x]);
  });
  for (const polynomial of polynomials) polynomial.fill(0);
  return shares;
}

/**
 * Gives the secret back from all shares at hand. A wrong share gives a wrong secret silently: only the MAC tells.
 *
 * @throws SottoError SOPS_SHAMIR for fewer than two shares, unequal or too short ones, or a repeated x
 */
export function combineShares(shares: readonly Uint8Array[]): Uint8Array {
  const [first] = shares;
  if (first === undefined || shares.length < 2) throw shamirError('fewer than two parts cannot give the secret back');
  if (first.length < 2) throw shamirError('parts are shorter than two bytes');
  if (shares.some((share) => share.length !== first.length)) throw shamirError('parts have different lengths');
  const xs = shares.map((share) => share.at(-1) ?? 0);
  if (new Set(xs).size !== xs.length) throw shamirError('the same part appears twice');
  const weights = xs.map((x, index) =>
    weightAtZero(
      x,
      xs.filter((_, other) => other !== index),
    ),
  );
  return Uint8Array.from({ length: first.length - 1 }, (_, byte) =>
    shares.reduce((sum, share, index) => sum ^ multiply(share[byte] ?? 0, weights[index] ?? 0), 0),
  );
}

function shamirError(message: string): SottoError {
  return new SottoError('SOPS_SHAMIR', `cannot share the data key between groups: ${message}`);
}

/** The Lagrange basis polynomial of x at zero. */
function weightAtZero(x: number, others: readonly number[]): number {
  return others.reduce((product, other) => multiply(product, divide(other, x ^ other)), 1);
}

function evaluate(polynomial: Uint8Array, x: number): number {
  return polynomial.reduceRight((sum, coefficient) => multiply(sum, x) ^ coefficient, 0);
}

/** Without branches or tables that depend on the operands. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = a;
  for (let bit = 0; bit < 8; bit++) {
    product ^= factor & -((b >>> bit) & 1);
    factor = (factor << 1) ^ (POLYNOMIAL & -(factor >>> 7));
  }
  return product & 0xff;
}

function divide(a: number, b: number): number {
  if (b === 0) throw shamirError('the same part appears twice');
  return multiply(a, inverse(b));
}

/** b^254, which is the inverse in GF(2^8). */
function inverse(b: number): number {
  let result = 1;
  let power = b;
  for (let bit = 1; bit < 8; bit++) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}
