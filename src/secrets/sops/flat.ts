import { SottoError } from '../../base/errors/index.ts';
import { entriesOf, entry, map, str, textOf, type SopsEntry, type SopsMap, type SopsValue } from './tree.ts';

/** How dotenv and INI files spell nested metadata: `age__list_0__map_enc`. */
const MAP_MARK = '__map_';
const LIST_MARK = '__list_';
const STEP = /__(map|list)_/;
const MAX_INDEX = 10_000;
/** Metadata nest six levels; far more is an attack on the call stack. */
const MAX_STEPS = 20;

export type FlatPairs = readonly (readonly [name: string, value: string])[];

/** A `sops` block as name/value pairs, depth first; empty lists leave nothing. */
export function flattenMetadata(block: SopsMap): FlatPairs {
  return entriesOf(block).flatMap((item) => flatten(item.key, item.value));
}

function flatten(name: string, value: SopsValue): FlatPairs {
  switch (value.kind) {
    case 'map':
      return entriesOf(value).flatMap((item) => flatten(`${name}${MAP_MARK}${item.key}`, item.value));
    case 'list':
      return value.items.flatMap((item, index) => (item.kind === 'comment' ? [] : flatten(`${name}${LIST_MARK}${index}`, item)));
    case 'str':
      return [[name, textOf(value.bytes)]];
    case 'time':
      return [[name, value.text]];
    case 'null':
      return [];
    default:
      return [[name, String(value.value)]];
  }
}

/**
 * Rebuilds the block. Every leaf is a string.
 *
 * @throws SottoError SOPS_METADATA_INVALID for a name used twice, a name that is both map and list, a list with holes
 */
export function unflattenMetadata(pairs: FlatPairs): SopsMap {
  const root: FlatNode = { kind: 'map', children: new Map() };
  for (const [name, value] of pairs) insert(root, splitName(name), value, name);
  const block = build(root, '');
  return block.kind === 'map' ? block : map([]);
}

type FlatNode =
  | { readonly kind: 'leaf'; readonly value: string }
  | { readonly kind: 'map' | 'list'; readonly children: Map<string, FlatNode> };
interface Step {
  readonly kind: 'map' | 'list';
  readonly key: string;
}

function splitName(name: string): Step[] {
  const [first = '', ...rest] = name.split(STEP);
  const steps: Step[] = [{ kind: 'map', key: first }];
  for (let index = 0; index + 1 < rest.length; index += 2)
    steps.push({ kind: rest[index] === 'list' ? 'list' : 'map', key: rest[index + 1] ?? '' });
  if (steps.length > MAX_STEPS) throw invalid(`a name nests more than ${MAX_STEPS} levels`);
  return steps;
}

function insert(root: FlatNode, steps: readonly Step[], value: string, name: string): void {
  let node = root;
  for (const [index, step] of steps.entries()) {
    if (node.kind !== step.kind) throw invalid(`Type mismatch at ${name}`);
    const next = steps[index + 1];
    const existing = node.children.get(step.key);
    if (next === undefined) {
      if (existing !== undefined) throw invalid(`Duplicate value for ${name}`);
      node.children.set(step.key, { kind: 'leaf', value });
      return;
    }
    const child: FlatNode = existing ?? { kind: next.kind, children: new Map() };
    node.children.set(step.key, child);
    node = child;
  }
}

function build(node: FlatNode, name: string): SopsValue {
  if (node.kind === 'leaf') return str(node.value);
  const children = [...node.children];
  if (node.kind === 'map') return map(children.map(([key, child]): SopsEntry => entry(key, build(child, key))));
  if (children.length > MAX_INDEX) throw invalid(`${name} has more than ${MAX_INDEX} elements`);
  const items = Array.from({ length: children.length }, (_, index) => {
    const child = node.children.get(String(index));
    if (child === undefined) throw invalid(`Incomplete list ${name}: element ${index} is missing`);
    return build(child, name);
  });
  return { kind: 'list', items };
}

function invalid(problem: string): SottoError {
  return new SottoError('SOPS_METADATA_INVALID', `the sops metadata are invalid: ${problem}`);
}
