import { SottoError } from '../../base/errors/index.ts';
import { STORES, type StoreContext } from './stores/index.ts';
import { findEntry, type SopsList, type SopsTree, type SopsValue } from './tree.ts';
import type { SopsFormat } from './types.ts';

/** One step of a path: a key of a map, or a position in a list. */
export type PathStep = string | number;

const ESCAPED_KEY = /^\[(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\]/;
const INDEX = /^\[(\d{1,9})\]/;
const POSITION = /^\+?\d{1,9}$/;

/**
 * Parses a path such as `["a"]["list"][0]`. First as upstream does, where a key is whatever stands between the first and the last
 * character of a bracket that begins with a quote; what that cannot read (keys with `[`) is read with backslashes quoting the
 * next character.
 *
 * @throws SottoError SOPS_PATH_INVALID
 */
export function parsePath(text: string): PathStep[] {
  if (text === '') throw new SottoError('SOPS_PATH_INVALID', 'error parsing path: it is empty');
  return parseBrackets(text) ?? parseEscaped(text);
}

/** Splits at every `[`. Undefined where upstream gives up. */
function parseBrackets(text: string): PathStep[] | undefined {
  const steps: PathStep[] = [];
  for (const piece of text.split('[')) {
    if (piece === '') continue;
    const inner = piece.slice(0, -1);
    if (!piece.endsWith(']')) return undefined;
    if (/^["'].*.$/s.test(inner)) steps.push(inner.slice(1, -1));
    else if (POSITION.test(inner)) steps.push(Number(inner));
    else return undefined;
  }
  return steps.length === 0 ? undefined : steps;
}

function parseEscaped(text: string): PathStep[] {
  const steps: PathStep[] = [];
  let rest = text;
  while (rest !== '') {
    const quoted = ESCAPED_KEY.exec(rest);
    const match = quoted ?? INDEX.exec(rest);
    if (match === null)
      throw new SottoError('SOPS_PATH_INVALID', `error parsing path: expected ["key"] or [0] at position ${text.length - rest.length + 1}`);
    steps.push(quoted === null ? Number(match[1]) : (quoted[1] ?? quoted[2] ?? '').replaceAll(/\\(.)/gs, '$1'));
    rest = rest.slice(match[0].length);
  }
  return steps;
}

/**
 * What lies at a path of the first document, written as `sops decrypt --extract` writes it: a string as its bytes, a
 * map as a document (followed by the other documents), anything else as one value of the format.
 *
 * @throws SottoError SOPS_PATH_NOT_FOUND
 */
export function extract(tree: SopsTree, path: readonly PathStep[], format: SopsFormat, context: StoreContext): Uint8Array {
  const [first, ...others] = tree.branches;
  const value = path.reduce<SopsValue | undefined>((current, step) => takeStep(current, step), first);
  if (value === undefined) throw notFound('');
  if (value.kind === 'str') return value.bytes;
  if (value.kind === 'map') return STORES[format].emitPlain({ branches: [value, ...others] }, context);
  return STORES[format].emitValue(value, context);
}

function takeStep(value: SopsValue | undefined, step: PathStep): SopsValue {
  const found = typeof step === 'string' ? valueOfKey(value, step) : valueAt(value, step);
  if (found === undefined) throw notFound(typeof step === 'string' ? `['${step}']` : `[${step}]`);
  return found;
}

function valueOfKey(value: SopsValue | undefined, key: string): SopsValue | undefined {
  return value?.kind === 'map' ? findEntry(value, key) : undefined;
}

/** Comments are no elements here; upstream counts them. */
function valueAt(value: SopsValue | undefined, index: number): SopsValue | undefined {
  return value?.kind === 'list' ? elements(value)[index] : undefined;
}

function elements(list: SopsList): SopsValue[] {
  return list.items.filter((item) => item.kind !== 'comment');
}

function notFound(component: string): SottoError {
  return new SottoError('SOPS_PATH_NOT_FOUND', `error extracting: component ${component} not found`, {
    hint: 'see the keys with sops decrypt',
  });
}
