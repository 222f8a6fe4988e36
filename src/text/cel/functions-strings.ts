import { compileRegExp } from '../regexp/index.ts';
import { charge, chargeText } from './budget.ts';
import type { CelFunction } from './function.ts';
import type { CelBudget, CelStaticType } from './types.ts';
import { failure, noOverload, type CelValue } from './values.ts';

const PATTERN_PER_UNIT = 4;
const TEXT_PER_UNIT = 10;

/** A predicate or a mapping over texts; all its arguments are strings. */
function texts(result: CelStaticType, arity: readonly number[], apply: (...args: string[]) => CelValue): CelFunction {
  return {
    result,
    arity,
    apply: (args, budget) => {
      const strings = args.filter((value) => typeof value === 'string');
      if (strings.length !== args.length) throw noOverload('string function', ...args);
      chargeText(
        budget,
        strings.reduce((sum, text) => sum + text.length, 0),
      );
      return apply(...strings);
    },
  };
}

/** A function of one text and trailing ints; positions count code points. */
function positioned(
  result: CelStaticType,
  arity: readonly number[],
  apply: (points: readonly string[], ints: readonly number[], text: string) => CelValue,
): CelFunction {
  return {
    result,
    arity,
    apply: (args, budget) => {
      const [text, ...rest] = args;
      const ints = rest.filter((value) => typeof value === 'bigint').map(Number);
      if (typeof text !== 'string' || ints.length !== rest.length) throw noOverload('string function', ...args);
      chargeText(budget, text.length);
      return apply(Array.from(text), ints, text);
    },
  };
}

function substring(points: readonly string[], [start = 0, end = points.length]: readonly number[]): string {
  if (start < 0 || end > points.length || start > end) throw failure('substring is out of range');
  return points.slice(start, end).join('');
}

function charAt(points: readonly string[], [index = 0]: readonly number[]): string {
  if (index < 0 || index > points.length) throw failure('charAt is out of range');
  return points[index] ?? '';
}

/** cel-go's cost: text length times pattern length. */
function matches(args: readonly CelValue[], budget: CelBudget): boolean {
  const [text = null, pattern = null] = args;
  if (typeof text !== 'string' || typeof pattern !== 'string') throw noOverload('matches', text, pattern);
  charge(budget, Math.ceil((text.length + 1) / TEXT_PER_UNIT) * Math.ceil((pattern.length + 1) / PATTERN_PER_UNIT));
  return compileRegExp(pattern).test(text);
}

function indexIn(direction: 'first' | 'last'): CelFunction {
  return {
    result: 'int',
    arity: [2, 3],
    apply: (args, budget) => {
      const [text = null, part = null, from = null] = args;
      if (typeof text !== 'string' || typeof part !== 'string' || (args.length > 2 && typeof from !== 'bigint'))
        throw noOverload('indexOf', ...args);
      charge(budget, Math.ceil((text.length + 1) / TEXT_PER_UNIT) * Math.ceil((part.length + 1) / TEXT_PER_UNIT));
      return BigInt(findIndex(Array.from(text), Array.from(part), from === null ? undefined : Number(from), direction));
    },
  };
}

function findIndex(points: readonly string[], part: readonly string[], from: number | undefined, direction: 'first' | 'last'): number {
  if (from !== undefined && (from < 0 || from > points.length)) throw failure('indexOf is out of range');
  const last = points.length - part.length;
  const isAt = (start: number): boolean => part.every((point, offset) => points[start + offset] === point);
  if (direction === 'first') {
    for (let start = from ?? 0; start <= last; start++) if (isAt(start)) return start;
  } else {
    for (let start = Math.min(from ?? last, last); start >= 0; start--) if (isAt(start)) return start;
  }
  return -1;
}

function limitOf(args: readonly CelValue[]): number {
  const limit = args.at(-1);
  return typeof limit === 'bigint' ? Number(limit) : -1;
}

function split(args: readonly CelValue[], budget: CelBudget): CelValue {
  const [text = null, separator = null] = args;
  if (typeof text !== 'string' || typeof separator !== 'string') throw noOverload('split', ...args);
  chargeText(budget, text.length);
  const limit = args.length > 2 ? limitOf(args) : -1;
  if (limit === 0) return [];
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  return limit < 0 || parts.length <= limit ? parts : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

function replace(args: readonly CelValue[], budget: CelBudget): CelValue {
  const [text = null, part = null, replacement = null] = args;
  if (typeof text !== 'string' || typeof part !== 'string' || typeof replacement !== 'string') throw noOverload('replace', ...args);
  const pieces = part === '' ? ['', ...Array.from(text), ''] : text.split(part);
  const limit = args.length > 3 ? limitOf(args) : -1;
  const count = limit < 0 ? pieces.length - 1 : Math.min(limit, pieces.length - 1);
  chargeText(budget, text.length + count * replacement.length);
  const tail = pieces.slice(count).join(part);
  return [...pieces.slice(0, count), tail].join(replacement);
}

const ASCII_UPPER = /[A-Z]+/g;
const ASCII_LOWER = /[a-z]+/g;

/** The string functions of CEL and of cel-go's `strings` extension. */
export const STRING_FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  startsWith: texts('bool', [2], (text = '', part = '') => text.startsWith(part)),
  endsWith: texts('bool', [2], (text = '', part = '') => text.endsWith(part)),
  contains: texts('bool', [2], (text = '', part = '') => text.includes(part)),
  matches: { result: 'bool', arity: [2], apply: matches },
  substring: positioned('string', [2, 3], substring),
  charAt: positioned('string', [2], charAt),
  reverse: positioned('string', [1], (points) => points.toReversed().join('')),
  indexOf: indexIn('first'),
  lastIndexOf: indexIn('last'),
  lowerAscii: texts('string', [1], (text = '') => text.replaceAll(ASCII_UPPER, (part) => part.toLowerCase())),
  upperAscii: texts('string', [1], (text = '') => text.replaceAll(ASCII_LOWER, (part) => part.toUpperCase())),
  trim: texts('string', [1], (text = '') => text.trim()),
  split: { result: 'list', arity: [2, 3], apply: split },
  replace: { result: 'string', arity: [3, 4], apply: replace },
};
