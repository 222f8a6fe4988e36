import { isDeepStrictEqual } from 'node:util';

import { SottoError } from '../../base/errors/index.ts';
import { openDocument, sealDocument, type SopsDocument } from './document.ts';
import type { IvStash } from './iv-stash.ts';
import { masterKeys } from './metadata.ts';
import type { SealOptions } from './seal.ts';
import { entriesOf, map, type SopsComment, type SopsEntry, type SopsMap, type SopsTree, type SopsValue } from './tree.ts';
import type { DecryptOptions } from './types.ts';

/** The three versions of a file. */
export interface MergeInput {
  /** Undefined: both sides added the file. */
  readonly base: Uint8Array | undefined;
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
}

export interface MergeResult {
  readonly bytes: Uint8Array;
  /** Places that both sides changed in different ways; the result has ours there. */
  readonly conflicts: readonly string[];
}

/**
 * Merges plain values three ways, map by map, and seals the result: values that did not change keep their ciphertext, the MAC is
 * made anew. Lists and comments are merged as a whole. Recipients and data key come from the side that changed them.
 *
 * @throws SottoError as decrypt; SOPS_MERGE_KEYS when both sides changed recipients or selection in different ways
 */
export async function mergeDocuments({ base, ours, theirs }: MergeInput, options: DecryptOptions & SealOptions): Promise<MergeResult> {
  const [a, b] = [await openDocument(ours, options), await openDocument(theirs, options)];
  const origin = base === undefined ? undefined : await openDocument(base, options);
  const carrier = chooseCarrier(origin, a, b);
  const conflicts: string[] = [];
  const tree = mergeTrees(origin?.tree, a.tree, b.tree, conflicts);
  const ivs = a.dataKey.equals(b.dataKey) ? eitherStash(carrier.ivs, carrier === a ? b.ivs : a.ivs) : carrier.ivs;
  return { bytes: sealDocument({ ...carrier, ivs }, tree, options), conflicts };
}

/** The side whose keys and metadata the result gets. */
function chooseCarrier(base: SopsDocument | undefined, ours: SopsDocument, theirs: SopsDocument): SopsDocument {
  if (isDeepStrictEqual(settingsOf(ours), settingsOf(theirs))) {
    // a rotation on one side only is kept
    return base !== undefined && base.dataKey.equals(ours.dataKey) ? theirs : ours;
  }
  if (base !== undefined && isUnchanged(base, ours)) return theirs;
  if (base !== undefined && isUnchanged(base, theirs)) return ours;
  throw new SottoError('SOPS_MERGE_KEYS', 'both sides changed the recipients or the selection rule', {
    hint: 'check out one side, merge the values with sops edit, then run sops updatekeys',
  });
}

function isUnchanged(base: SopsDocument, side: SopsDocument): boolean {
  return base.dataKey.equals(side.dataKey) && isDeepStrictEqual(settingsOf(base), settingsOf(side));
}

function settingsOf({ metadata }: SopsDocument): unknown {
  const { shamirThreshold, selection, macOnlyEncrypted } = metadata;
  const groups = masterKeys(metadata).map((group) => group.map(({ type, display }) => `${type} ${display}`).toSorted());
  return { groups, shamirThreshold, selection, macOnlyEncrypted };
}

function eitherStash(first: IvStash, second: IvStash): IvStash {
  return { remember: (...value) => first.remember(...value), recall: (...value) => first.recall(...value) ?? second.recall(...value) };
}

function mergeTrees(base: SopsTree | undefined, ours: SopsTree, theirs: SopsTree, conflicts: string[]): SopsTree {
  if (ours.branches.length === theirs.branches.length && (base === undefined || base.branches.length === ours.branches.length)) {
    return {
      branches: ours.branches.map((branch, index) =>
        mergeMaps(base?.branches[index], branch, theirs.branches[index] ?? map([]), '', conflicts),
      ),
    };
  }
  return choose(base, ours, theirs, 'the documents', conflicts);
}

/** The side that changed; ours, and a conflict, when both did. */
function choose<T>(base: T | undefined, ours: T, theirs: T, where: string, conflicts: string[]): T {
  if (isDeepStrictEqual(ours, theirs) || isDeepStrictEqual(base, theirs)) return ours;
  if (isDeepStrictEqual(base, ours)) return theirs;
  conflicts.push(where);
  return ours;
}

/** An entry with the comments before it; the last one of a map may have no entry. */
interface Unit {
  readonly comments: readonly SopsComment[];
  readonly entry: SopsEntry | undefined;
}

function unitsOf(value: SopsMap | undefined): Map<string | undefined, Unit> {
  const units = new Map<string | undefined, Unit>();
  let comments: SopsComment[] = [];
  for (const item of value?.items ?? []) {
    if (item.kind === 'comment') {
      comments.push(item);
      continue;
    }
    units.set(item.key, { comments, entry: item });
    comments = [];
  }
  if (comments.length > 0) units.set(undefined, { comments, entry: undefined });
  return units;
}

function hasDuplicates(value: SopsMap): boolean {
  const entries = entriesOf(value);
  return new Set(entries.map(({ key }) => key)).size < entries.length;
}

function mergeMaps(base: SopsMap | undefined, ours: SopsMap, theirs: SopsMap, where: string, conflicts: string[]): SopsMap {
  if ([ours, theirs].some(hasDuplicates)) return choose(base, ours, theirs, where, conflicts);
  const [before, a, b] = [unitsOf(base), unitsOf(ours), unitsOf(theirs)];
  const merged = mergedOrder([...a.keys()], [...b.keys()]).flatMap((key) => {
    const place = key === undefined ? `${where} (comments)` : where === '' ? key : `${where}.${key}`;
    const unit = mergeUnits(before.get(key), a.get(key), b.get(key), place, conflicts);
    return unit === undefined ? [] : [...unit.comments, ...(unit.entry === undefined ? [] : [unit.entry])];
  });
  return map(merged);
}

/** Ours in our order; what only they have follows what it followed there. */
function mergedOrder(ours: readonly (string | undefined)[], theirs: readonly (string | undefined)[]): (string | undefined)[] {
  const order = [...ours];
  const known = new Set(ours);
  theirs.forEach((key, index) => {
    if (known.has(key)) return;
    known.add(key);
    order.splice(index === 0 ? 0 : order.indexOf(theirs[index - 1]) + 1, 0, key);
  });
  // comments without an entry end the map
  return known.has(undefined) ? [...order.filter((key) => key !== undefined), undefined] : order;
}

function mergeUnits(
  base: Unit | undefined,
  ours: Unit | undefined,
  theirs: Unit | undefined,
  where: string,
  conflicts: string[],
): Unit | undefined {
  if (ours?.entry === undefined || theirs?.entry === undefined) return choose(base, ours, theirs, where, conflicts);
  const value = mergeValues(base?.entry?.value, ours.entry.value, theirs.entry.value, where, conflicts);
  const comments = choose(base?.comments, ours.comments, theirs.comments, `${where} (comments)`, conflicts);
  return { comments, entry: { ...ours.entry, value } };
}

function mergeValues(base: SopsValue | undefined, ours: SopsValue, theirs: SopsValue, where: string, conflicts: string[]): SopsValue {
  if (ours.kind !== 'map' || theirs.kind !== 'map') return choose(base, ours, theirs, where, conflicts);
  return mergeMaps(base?.kind === 'map' ? base : undefined, ours, theirs, where, conflicts);
}
