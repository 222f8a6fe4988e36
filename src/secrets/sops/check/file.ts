import { SottoError } from '../../../base/errors/index.ts';
import { needsRotation, type MasterKey } from '../../keys/index.ts';
import { ruleKeys, type CreationRule } from '../config/index.ts';
import { masterKeys, parseMetadata, type Metadata } from '../metadata.ts';
import { activeRules, compileSelection, SELECT_ALL, type Selector } from '../selection.ts';
import { STORES, type EncryptedFile } from '../stores/index.ts';
import { isToken } from '../token.ts';
import { textOf, type SopsTree } from '../tree.ts';
import type { SelectionRule, SopsFormat } from '../types.ts';
import { walkBranch } from '../walk.ts';
import { finding, type Finding } from './types.ts';

export interface FileContext {
  readonly file: string;
  readonly format: SopsFormat;
  /** The creation rule of the path; undefined: none matches, or there is no configuration. */
  readonly rule: CreationRule | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Everything that can be said about an encrypted file without its keys. */
export function checkEncryptedFile(bytes: Uint8Array, context: FileContext): Finding[] {
  const { file, format, rule } = context;
  try {
    const parsed = STORES[format].parseEncrypted(bytes, { warn: () => undefined, file });
    const metadata = parseMetadata(parsed.metadata);
    return [
      ...checkValues(parsed, metadata, context),
      ...(rule === undefined ? [] : compareWithRule(metadata, rule, context)),
      ...checkKeys(metadata, context),
    ];
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    return [finding('unreadable-file', file, error.message)];
  }
}

function checkValues({ tree }: EncryptedFile, metadata: Metadata, { file, format }: FileContext): Finding[] {
  const found: Finding[] = [];
  const selector = selectorOf(metadata, format, (problem) => found.push(finding('invalid-rule', file, problem)));
  const { selected, plain, stray } = sortValues(tree, selector);
  for (const where of plain) found.push(finding('plain-value', file, `${where} is not encrypted`));
  for (const where of stray) found.push(finding('stray-token', file, `${where} is encrypted, but not selected`));
  if (selected === 0) found.push(finding('nothing-selected', file, 'the selection rule selects no value'));
  return found;
}

function selectorOf({ selection }: Metadata, format: SopsFormat, onInvalid: (problem: string) => void): Selector {
  if (format === 'binary') return SELECT_ALL;
  return compileSelection(selection, (error) => onInvalid(`the selection rule of the file does not compile: ${error.message}`));
}

interface Sorted {
  readonly selected: number;
  /** Places of selected values that are no tokens, and of tokens that are not selected. */
  readonly plain: readonly string[];
  readonly stray: readonly string[];
}

function sortValues(tree: SopsTree, selector: Selector): Sorted {
  let selected = 0;
  const plain: string[] = [];
  const stray: string[] = [];
  for (const branch of tree.branches) {
    walkBranch(branch, {
      leaf: (leaf, place) => {
        const isSelected = selector.selects(place);
        const text = leaf.kind === 'str' ? textOf(leaf.bytes) : undefined;
        const isSealed = text !== undefined && isToken(text);
        if (isSelected) selected++;
        // empty texts and nulls are never encrypted
        if (isSelected && !isSealed && text !== '' && leaf.kind !== 'null') plain.push(place.where);
        if (!isSelected && isSealed) stray.push(place.where);
        return leaf;
      },
      comment: (comment) => comment,
      isCommentElement: (place) => selector.selects(place),
    });
  }
  return { selected, plain, stray };
}

function compareWithRule(metadata: Metadata, rule: CreationRule, { file, format }: FileContext): Finding[] {
  const [groups, wanted] = [masterKeys(metadata), ruleKeys(rule)];
  const found: Finding[] = [];
  // keys that come from flags or variables are nobody's rule
  const namesKeys = wanted.some((group) => group.length > 0);
  const difference = namesKeys ? describeDifference(groups, wanted) : undefined;
  if (difference !== undefined) found.push(finding('recipients-differ', file, difference));
  const [threshold, wantedThreshold] = [thresholdOf(metadata.shamirThreshold, groups), thresholdOf(rule.shamirThreshold, wanted)];
  if (namesKeys && threshold !== wantedThreshold) {
    found.push(finding('threshold-differs', file, `the file opens with ${threshold} key groups, the rule asks for ${wantedThreshold}`));
  }
  const [has, wants] = [selectionText(metadata.selection), selectionText(rule.selection)];
  if (format !== 'binary' && has !== wants) found.push(finding('selection-differs', file, `the file has ${has}, the rule ${wants}`));
  return found;
}

function thresholdOf(written: number, groups: readonly unknown[]): number {
  return groups.length > 1 ? written || groups.length : 1;
}

function describeDifference(groups: readonly MasterKey[][], wanted: readonly MasterKey[][]): string | undefined {
  if (groups.length !== wanted.length) return `the file has ${groups.length} key groups, the rule ${wanted.length}`;
  const parts = groups.flatMap((group, index) => {
    const [has, wants] = [displays(group), displays(wanted[index] ?? [])];
    return [
      ...wants.filter((key) => !has.includes(key)).map((key) => `lacks ${key}`),
      ...has.filter((key) => !wants.includes(key)).map((key) => `still has ${key}`),
    ];
  });
  return parts.length === 0 ? undefined : `the file ${parts.join(', ')}`;
}

function displays(keys: readonly MasterKey[]): string[] {
  return keys.map(({ type, display }) => `${type} ${display}`);
}

function selectionText(selection: SelectionRule): string {
  const [[property, value] = ['unencryptedSuffix', '_unencrypted'] as const] = activeRules(selection);
  return `${property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}: ${value}`;
}

function checkKeys(metadata: Metadata, { file, now }: FileContext): Finding[] {
  const old = metadata.groups.flat().filter(({ type, createdAt }) => needsRotation(type, createdAt, now));
  const [since] = old.map(({ createdAt = '' }) => createdAt).toSorted();
  const isSingle = metadata.groups.some(({ length }) => length === 1) && isNeeded(metadata);
  return [
    ...(since === undefined ? [] : [finding('old-data-key', file, `the data key was wrapped at ${since}`)]),
    ...(isSingle ? [finding('single-recipient', file, 'one key alone opens the file, or a group that is needed')] : []),
  ];
}

/** Whether no group of one key can be done without. */
function isNeeded({ groups, shamirThreshold }: Metadata): boolean {
  return groups.filter(({ length }) => length > 1).length < thresholdOf(shamirThreshold, groups);
}
