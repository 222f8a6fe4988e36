/** Resource quantities (`500m`, `1Gi`), in the canonical form in which the API stores them. */

const QUANTITY = /^([+-]?)(\d*)(?:\.(\d*))?(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE])|[eE]([+-]?\d{1,2}))?$/;
const NANO = 1_000_000_000n;
const MAX = 2n ** 63n - 1n;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** Suffixes of powers of a thousand, from 10^-9 on. */
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];

type Format = 'binary' | 'decimal' | 'exponent';

interface Quantity {
  /** Billionths, rounded away from zero. */
  readonly nano: bigint;
  readonly format: Format;
}

/** The canonical text of a quantity (`0.5` → `500m`, `1024Mi` → `1Gi`); undefined when the text is none. */
export function canonicalQuantity(value: string | number | bigint): string | undefined {
  const quantity = parseQuantity(String(value));
  return quantity === undefined ? undefined : formatQuantity(quantity);
}

function parseQuantity(text: string): Quantity | undefined {
  const [, sign = '', whole = '', fraction = '', suffix = '', exponent] = QUANTITY.exec(text) ?? [];
  if (whole === '' && fraction === '') return undefined;
  const binary = BINARY.indexOf(suffix);
  const factor = binary > 0 ? 1024n ** BigInt(binary) : 1n;
  const power = exponent === undefined ? (binary > 0 ? 0 : (DECIMAL.indexOf(suffix) - 3) * 3) : Number(exponent);
  const digits = BigInt(`${whole}${fraction}`) * factor * NANO;
  const shift = power - fraction.length;
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift));
  const capped = magnitude > MAX * NANO ? MAX * NANO : magnitude;
  const format = exponent === undefined ? (binary > 0 ? 'binary' : 'decimal') : 'exponent';
  return { nano: sign === '-' ? -capped : capped, format };
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const sign = nano < 0n ? '-' : '';
  const magnitude = nano < 0n ? -nano : nano;
  // Binary suffixes cannot say fractions, and small numbers need none.
  if (format === 'binary' && magnitude % NANO === 0n && magnitude >= 1024n * NANO) {
    const [mantissa, steps] = reduce(magnitude / NANO, 1024n, BINARY.length - 1);
    return `${sign}${mantissa}${BINARY[steps] ?? ''}`;
  }
  const [mantissa, steps] = reduce(magnitude, 1000n, DECIMAL.length - 1);
  if (format !== 'exponent') return `${sign}${mantissa}${DECIMAL[steps] ?? ''}`;
  return steps === 3 ? `${sign}${mantissa}` : `${sign}${mantissa}e${(steps - 3) * 3}`;
}

/** Takes whole factors out of a number: the rest, and how many they were. */
function reduce(value: bigint, factor: bigint, limit: number): readonly [bigint, number] {
  let [rest, steps] = [value, 0];
  while (steps < limit && rest % factor === 0n) {
    rest /= factor;
    steps++;
  }
  return [rest, steps];
}
