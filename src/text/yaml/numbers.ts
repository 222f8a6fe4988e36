/**
 * Numbers as Go's strconv reads and prints them, as far as its YAML libraries use it.
 */

const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);

const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|0([0-7]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const POINT_FIRST = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const PREFIXES = ['0x', '0o', '0b', '0o', ''];

/** A signed or unsigned 64-bit integer with its base prefix, underscores ignored; undefined when it is none. */
export function parseGoInteger(text: string): bigint | undefined {
  const match = INTEGER.exec(text.replaceAll('_', ''));
  if (match === null) return undefined;
  const [, sign = '', ...bases] = match;
  const base = bases.findIndex((digits) => digits !== undefined);
  const magnitude = BigInt(`${PREFIXES[base] ?? ''}${bases[base] ?? ''}`);
  const value = sign === '-' ? -magnitude : magnitude;
  if (value < MIN_INT64 || value > MAX_UINT64) return undefined;
  // Unsigned parsing, which alone reaches beyond int64, takes no sign.
  return sign === '+' && value > MAX_UINT64 >> 1n ? undefined : value;
}

/** A decimal float in range, underscores ignored (a leading point allows them between digits only); undefined when it is none. */
export function parseGoFloat(text: string): number | undefined {
  const plain = text.replaceAll('_', '');
  if (!FLOAT.test(plain) || (text.startsWith('.') && !POINT_FIRST.test(text))) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

/** Integers within 2^53 are numbers, others stay bigint. */
export function toInteger(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/**
 * A float as Go's YAML libraries print it (strconv 'g', shortest digits): with an exponent of at least two digits
 * when the decimal exponent is below -4 or from 6 on, so 1000000 is `1e+06`; else plain. `.inf`, `-.inf`, `.nan`.
 */
export function formatGoFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value < 0 ? '-.inf' : '.inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return plainDecimal(mantissa, exponent);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** JavaScript prints every number of these magnitudes without an exponent, and with the same shortest digits. */
function plainDecimal(mantissa: string, exponent: number): string {
  return String(Number(`${mantissa}e${exponent}`));
}
