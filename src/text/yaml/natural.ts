const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;

/**
 * The order of keys in what go-yaml v2 writes (sorter.go): numbers inside keys count as numbers, so `a2` stands
 * before `a10`; letters come after everything else.
 *
 * Keys that mix leading zeros have no consistent order under this comparison; {@link sortKeys} fixes one.
 */
export function compareNatural(a: string, b: string): number {
  if (a === b) return 0;
  const left = Array.from(a);
  const right = Array.from(b);
  const shorter = Math.min(left.length, right.length);
  for (let index = 0; index < shorter; index += 1) {
    const [x = '', y = ''] = [left[index], right[index]];
    if (x !== y) return compareAt(left, right, index);
  }
  return left.length - right.length;
}

function compareAt(left: readonly string[], right: readonly string[], index: number): number {
  const [x = '', y = ''] = [left[index], right[index]];
  const byCodePoint = (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
  const [xLetter, yLetter] = [LETTER.test(x), LETTER.test(y)];
  if (xLetter && yLetter) return byCodePoint;
  if (xLetter !== yLetter) return xLetter ? 1 : -1;
  const lead = (x === '0' || y === '0') && followsNonZeroDigit(left, index) ? 1n : 0n;
  const [xRun, yRun] = [digitsFrom(left, index, lead), digitsFrom(right, index, lead)];
  if (xRun.value !== yRun.value) return xRun.value < yRun.value ? -1 : 1;
  return xRun.end - yRun.end || byCodePoint;
}

function followsNonZeroDigit(characters: readonly string[], index: number): boolean {
  for (let at = index - 1; at >= 0; at -= 1) {
    const character = characters[at] ?? '';
    if (!DIGIT.test(character)) return false;
    if (character !== '0') return true;
  }
  return false;
}

function digitsFrom(characters: readonly string[], start: number, lead: bigint): { value: bigint; end: number } {
  let value = lead;
  let end = start;
  for (; end < characters.length && DIGIT.test(characters[end] ?? ''); end += 1) {
    value = BigInt.asIntN(64, value * 10n + BigInt((characters[end]?.codePointAt(0) ?? 0x30) - 0x30));
  }
  return { value, end };
}

/** Keys in natural order; the same keys give the same order whatever order they came in. */
export function sortKeys(keys: readonly string[]): string[] {
  return keys.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).toSorted(compareNatural);
}
