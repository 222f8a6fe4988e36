import { CelOptional, failure, isList, isMap, lookup, noOverload, toCel, type CelValue } from './values.ts';

/** How Kubernetes writes property names that are no CEL identifiers. */
const ESCAPES: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/__dot__/g, '.'],
  [/__dash__/g, '-'],
  [/__slash__/g, '/'],
  [/__underscores__/g, '__'],
];
const ESCAPED_WORD = /^__([a-z]+)__$/;

function unescapeName(name: string): string {
  const word = ESCAPED_WORD.exec(name)?.[1];
  const plain = ESCAPES.reduce((text, [pattern, replacement]) => text.replaceAll(pattern, replacement), name);
  return plain === name && word !== undefined ? word : plain;
}

/** A field of a map by name, undefined when absent. */
function findField(operand: CelValue, name: string): CelValue | undefined {
  if (!isMap(operand)) throw noOverload(`field ${name} of`, operand);
  const found = lookup(operand, name);
  return found === undefined && name.includes('__') ? lookup(operand, unescapeName(name)) : found;
}

export function hasField(operand: CelValue, name: string): boolean {
  if (operand instanceof CelOptional) return operand.value !== undefined && hasField(operand.value, name);
  return findField(operand, name) !== undefined;
}

export function selectField(operand: CelValue, name: string): CelValue {
  if (operand instanceof CelOptional) return selectOptional(operand, name);
  const value = findField(operand, name);
  if (value === undefined) throw failure(`no such key: ${name}`);
  return value;
}

/** `a.?b`: an absent field is an absent optional. */
export function selectOptional(operand: CelValue, name: string): CelOptional {
  const target = operand instanceof CelOptional ? operand.value : operand;
  return new CelOptional(target === undefined ? undefined : findField(target, name));
}

export function index(operand: CelValue, key: CelValue): CelValue {
  if (operand instanceof CelOptional) return indexOptional(operand, key);
  const value = findElement(operand, key);
  if (value === undefined)
    throw failure(isList(operand) ? 'index out of range' : `no such key${typeof key === 'string' ? `: ${key}` : ''}`);
  return value;
}

/** `a[?b]`: an absent element is an absent optional. */
export function indexOptional(operand: CelValue, key: CelValue): CelOptional {
  const target = operand instanceof CelOptional ? operand.value : operand;
  return new CelOptional(target === undefined ? undefined : findElement(target, key));
}

function findElement(operand: CelValue, key: CelValue): CelValue | undefined {
  if (isMap(operand)) return lookup(operand, key);
  if (!isList(operand)) throw noOverload('[]', operand, key);
  const position = typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : key;
  if (typeof position !== 'bigint') throw noOverload('[]', operand, key);
  if (position < 0n || position >= BigInt(operand.length)) return undefined;
  return toCel(operand[Number(position)]);
}
