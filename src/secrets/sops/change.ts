import { SottoError } from '../../base/errors/index.ts';
import type { PathStep } from './extract.ts';
import { parseJsonTree } from './stores/json-read.ts';
import { describeKind, entry, map, type SopsList, type SopsMap, type SopsTree, type SopsValue } from './tree.ts';

/**
 * The value of a JSON text, as `sops set` takes it: an integer stays an integer, maps keep their order.
 *
 * @throws SottoError SOPS_PARSE
 */
export function parseJsonValue(text: string): SopsValue {
  return parseJsonTree(text);
}

/**
 * Sets a value in the first document. Missing maps and lists on the way are made, a scalar in the way is replaced, a
 * position behind the end of a list appends. Comments are no elements of a list here; upstream counts them.
 *
 * @returns the new tree, and whether it differs
 * @throws SottoError SOPS_PATH_UNSUPPORTED for a key in a list or a position in a map, SOPS_NO_DOCUMENT
 */
export function setValue(
  tree: SopsTree,
  path: readonly PathStep[],
  value: SopsValue,
): { readonly tree: SopsTree; readonly changed: boolean } {
  const [first, ...others] = tree.branches;
  if (first === undefined) throw new SottoError('SOPS_NO_DOCUMENT', 'the file holds no document');
  const changed = put(first, path, value);
  if (changed.kind !== 'map') throw unsupported(path[0] ?? '', first);
  return { tree: { branches: [changed, ...others] }, changed: !isSame(first, changed) };
}

function put(target: SopsValue | undefined, path: readonly PathStep[], value: SopsValue): SopsValue {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (target?.kind === 'map') {
    if (typeof step === 'number') throw unsupported(step, target);
    return putKey(target, step, rest, value);
  }
  if (target?.kind === 'list') {
    if (typeof step === 'string') throw unsupported(step, target);
    return putAt(target, step, rest, value);
  }
  const inner = put(undefined, rest, value);
  return typeof step === 'string' ? map([entry(step, inner)]) : { kind: 'list', items: [inner] };
}

function putKey(target: SopsMap, key: string, rest: readonly PathStep[], value: SopsValue): SopsMap {
  const index = target.items.findIndex((item) => item.kind === 'entry' && item.key === key);
  const found = target.items[index];
  if (found?.kind !== 'entry') return map([...target.items, entry(key, put(undefined, rest, value))]);
  return map(target.items.with(index, entry(key, put(found.value, rest, value))));
}

function putAt(target: SopsList, position: number, rest: readonly PathStep[], value: SopsValue): SopsList {
  const { index, found } = elementAt(target, position);
  if (found === undefined) return { kind: 'list', items: [...target.items, put(undefined, rest, value)] };
  return { kind: 'list', items: target.items.with(index, put(found, rest, value)) };
}

function elementAt(list: SopsList, position: number): { readonly index: number; readonly found: SopsValue | undefined } {
  const elements = list.items.flatMap((item, index) => (item.kind === 'comment' ? [] : [{ index, found: item }]));
  return elements[position] ?? { index: -1, found: undefined };
}

/**
 * Removes what lies at a path of the first document.
 *
 * @throws SottoError SOPS_KEY_NOT_FOUND when nothing is there, SOPS_PATH_UNSUPPORTED when the path does not fit the document
 */
export function unsetValue(tree: SopsTree, path: readonly PathStep[]): SopsTree {
  const [first, ...others] = tree.branches;
  if (first === undefined) throw new SottoError('SOPS_NO_DOCUMENT', 'the file holds no document');
  const changed = remove(first, path);
  return changed.kind === 'map' ? { branches: [changed, ...others] } : tree;
}

function remove(target: SopsValue, path: readonly PathStep[]): SopsValue {
  const [step, ...rest] = path;
  if (step === undefined) return target;
  if (target.kind === 'map' && typeof step === 'string') {
    const index = target.items.findIndex((item) => item.kind === 'entry' && item.key === step);
    const found = target.items[index];
    if (found?.kind !== 'entry') throw new SottoError('SOPS_KEY_NOT_FOUND', `Key not found: ${step}`);
    return map(rest.length === 0 ? target.items.toSpliced(index, 1) : target.items.with(index, entry(step, remove(found.value, rest))));
  }
  if (target.kind === 'list' && typeof step === 'number') {
    const { index, found } = elementAt(target, step);
    if (found === undefined) throw new SottoError('SOPS_KEY_NOT_FOUND', `Index ${step} out of bounds`);
    return { kind: 'list', items: rest.length === 0 ? target.items.toSpliced(index, 1) : target.items.with(index, remove(found, rest)) };
  }
  throw unsupported(step, target);
}

function unsupported(step: PathStep, target: SopsValue): SottoError {
  return new SottoError('SOPS_PATH_UNSUPPORTED', `Unsupported type: ${describeKind(target)} for item '${step}'`, {
    hint: 'a key such as ["name"] leads into a map, a position such as [0] into a list',
  });
}

/** Equal in type and value; comments count. */
function isSame(a: SopsValue, b: SopsValue): boolean {
  if (a === b) return true;
  if (a.kind === 'map' && b.kind === 'map') {
    return (
      a.items.length === b.items.length &&
      a.items.every((item, index) => {
        const other = b.items[index];
        if (item.kind === 'comment') return other?.kind === 'comment' && other.text === item.text;
        return other?.kind === 'entry' && other.key === item.key && isSame(item.value, other.value);
      })
    );
  }
  if (a.kind === 'list' && b.kind === 'list') {
    return (
      a.items.length === b.items.length &&
      a.items.every((item, index) => {
        const other = b.items[index];
        if (item.kind === 'comment' || other?.kind === 'comment') return item === other;
        return other !== undefined && isSame(item, other);
      })
    );
  }
  return scalarText(a) === scalarText(b);
}

function scalarText(value: SopsValue): string {
  switch (value.kind) {
    case 'str':
      return `str ${Buffer.from(value.bytes).toString('latin1')}`;
    case 'int':
    case 'bool':
    case 'float':
      return `${value.kind} ${value.value}`;
    case 'time':
      return `time ${value.text}`;
    default:
      return value.kind;
  }
}
