/**
 * Floats as Go prints them. JavaScript finds the same shortest digits; only the layout differs.
 */

interface Digits {
  readonly sign: string;
  /** Shortest digits that read back, without a point. */
  readonly digits: string;
  /** Decimal exponent of the first digit. */
  readonly exponent: number;
}

function digitsOf(value: number): Digits {
  const [mantissa = '0', exponent = '0'] = Math.abs(value).toExponential().split('e');
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return { sign, digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? '+Inf' : '-Inf';
}

/** Go's format 'f' with precision -1: never an exponent. Tokens and the MAC use it. */
export function formatFloatPlain(value: number): string {
  const word = special(value);
  if (word !== undefined) return word;
  const { sign, digits, exponent } = digitsOf(value);
  if (value === 0) return `${sign}0`;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** Go's format 'g' with precision -1: an exponent below -4 and from `exponentFrom` on. */
function formatFloatShortest(value: number, exponentFrom: number): string {
  const word = special(value);
  if (word !== undefined) return word;
  const { sign, digits, exponent } = digitsOf(value);
  if (value === 0 || (exponent >= -4 && exponent < exponentFrom)) return formatFloatPlain(value);
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const mark = exponent < 0 ? '-' : '+';
  return `${sign}${digits.charAt(0)}${fraction}e${mark}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** Go's encoding/json: plain unless |x| < 1e-6 or ≥ 1e21. Undefined for NaN and infinities, which JSON lacks. */
export function formatFloatJson(value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined;
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-6 && size < 1e21)) return formatFloatPlain(value);
  return formatFloatShortest(value, 21).replace(/e-0(\d)$/, 'e-$1');
}

/** Go's 'G' plus `.0` where the text would look like an integer: dotenv, INI and environment values. */
export function formatFloatEnv(value: number): string {
  const text = formatFloatShortest(value, 6).toUpperCase();
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const GO_FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const GO_SPECIAL = /^[+-]?(?:inf|infinity|nan)$/i;

/** What Go's ParseFloat accepts, hexadecimal floats apart; undefined otherwise or when out of range. */
export function parseGoFloat(text: string): number | undefined {
  if (GO_SPECIAL.test(text)) return /nan$/i.test(text) ? Number.NaN : text.startsWith('-') ? -Infinity : Infinity;
  if (!GO_FLOAT.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** More digits need no look, and parsing very long integers is slow. */
const INT64_DIGITS = 19;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

export function isInt64(value: bigint): boolean {
  return value >= MIN_INT64 && value <= MAX_INT64;
}

/** A signed decimal integer of 64 bits; undefined otherwise. */
export function parseInt64(text: string): bigint | undefined {
  const [, sign = '', digits = ''] = /^([+-]?)0*(\d+)$/.exec(text) ?? [];
  if (digits === '' || digits.length > INT64_DIGITS) return undefined;
  const value = BigInt(`${sign === '-' ? '-' : ''}${digits}`);
  return isInt64(value) ? value : undefined;
}
