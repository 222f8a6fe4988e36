import type { KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import type { Entropy } from '../../base/world/index.ts';
import { decryptValue, encryptValue } from './cipher.ts';
import type { IvStash } from './iv-stash.ts';
import { startMac, type MacOptions } from './mac.ts';
import type { Selector } from './selection.ts';
import { isToken } from './token.ts';
import { describeKind, str, textOf, type SopsComment, type SopsLeaf, type SopsTree } from './tree.ts';
import { walkBranch, type Place, type Visitor } from './walk.ts';

/** IVs to try until the ciphertext of a comment does not match the comment rule by accident. */
const MAX_IV_ATTEMPTS = 32;

export interface TransformOptions {
  readonly dataKey: KeyObject;
  readonly selector: Selector;
  readonly mac: MacOptions;
  readonly warn: (message: string) => void;
  /** Filled by decryption, used by encryption. */
  readonly ivs?: IvStash | undefined;
}

export interface Transformed {
  readonly tree: SopsTree;
  /** The MAC of the plain values. */
  readonly mac: string;
  /** Values and comments that the rule selected. */
  readonly selected: number;
}

/** The additional authenticated data of a value: its keys, each followed by a colon; a lone colon at the top. */
function aadOf(path: readonly string[]): string {
  return `${path.join(':')}:`;
}

/** Replaces every selected value and comment by its token. */
export function encryptTree(tree: SopsTree, options: TransformOptions & { readonly entropy: Entropy }): Transformed {
  const { selector, dataKey, entropy, ivs } = options;
  return transform(tree, options, (mac, count) => ({
    leaf: (leaf, place) => {
      const isSelected = selector.selects(place);
      if (isSelected || !options.mac.onlyEncrypted) mac.add(leaf);
      if (!isSelected || leaf.kind === 'null') return leaf;
      count();
      return str(encryptValue(leaf, dataKey, aadOf(place.path), entropy, ivs));
    },
    comment: (comment, place) => {
      if (!selector.selects(place)) return comment;
      count();
      if (place.inList && comment.text === '') {
        options.warn(`${place.where}: an empty comment between list items is dropped: it would come back as an empty element`);
        return undefined;
      }
      const text = encryptComment(comment, place, options);
      return place.inList ? str(text) : { ...comment, text };
    },
  }));
}

function encryptComment(
  comment: SopsComment,
  place: Place,
  { selector, dataKey, entropy, ivs }: TransformOptions & { readonly entropy: Entropy },
): string {
  for (let attempt = 0; attempt < MAX_IV_ATTEMPTS; attempt++) {
    const text = encryptValue(comment, dataKey, aadOf(place.path), entropy, attempt === 0 ? ivs : undefined);
    if (!selector.matchesComment(text)) return text;
  }
  throw new SottoError(
    'SOPS_COMMENT_COLLISION',
    `${place.where}: the encrypted comment matches UnencryptedCommentRegex! or encrypted_comment_regex`,
    {
      hint: 'choose a pattern that random base64 text does not match',
    },
  );
}

/**
 * Replaces every selected token by its value.
 *
 * @throws SottoError as {@link decryptValue}; SOPS_VALUE_MALFORMED also for a selected value that is no string
 */
export function decryptTree(tree: SopsTree, options: TransformOptions): Transformed {
  const { selector } = options;
  return transform(tree, options, (mac, count) => ({
    leaf: (leaf, place) => {
      const isSelected = selector.selects(place);
      if (isSelected) count();
      const plain = isSelected ? decryptLeaf(leaf, place, options) : leaf;
      if (isSelected || !options.mac.onlyEncrypted) mac.add(plain);
      return plain;
    },
    comment: (comment, place) => (selector.selects(place) ? decryptComment(comment, place, options) : comment),
    isCommentElement: (place) => selector.selects(place),
  }));
}

function decryptLeaf(leaf: SopsLeaf, { path, where }: Place, { dataKey, ivs }: TransformOptions): SopsLeaf {
  if (leaf.kind === 'null') return leaf;
  if (leaf.kind !== 'str') {
    throw new SottoError('SOPS_VALUE_MALFORMED', `${where}: Expected encrypted value as string, but got ${describeKind(leaf)}`, {
      hint: 'the selection rule of the file says that this value is encrypted, but it is plain',
    });
  }
  const plain = decryptValue(textOf(leaf.bytes), dataKey, aadOf(path), where, ivs);
  return plain.kind === 'comment' ? str(plain.text) : plain;
}

/** Old files have plain comments under a rule that selects them: they stay as they are. */
function decryptComment(comment: SopsComment, { path, where }: Place, { dataKey, ivs, warn }: TransformOptions): SopsComment {
  if (comment.text === '') return comment;
  if (!isToken(comment.text)) {
    warn(`${where}: found a comment that is not encrypted`);
    return comment;
  }
  try {
    const plain = decryptValue(comment.text, dataKey, aadOf(path), where, ivs);
    return { kind: 'comment', text: plain.kind === 'comment' ? plain.text : comment.text };
  } catch (error) {
    if (!(error instanceof SottoError) || comment.element === true) throw error;
    warn(`${where}: a comment does not decrypt and stays as it is`);
    return comment;
  }
}

type MakeVisitor = (mac: ReturnType<typeof startMac>, count: () => void) => Visitor;

function transform(tree: SopsTree, options: TransformOptions, makeVisitor: MakeVisitor): Transformed {
  const mac = startMac(options.mac);
  let selected = 0;
  const visitor = makeVisitor(mac, () => selected++);
  const branches = tree.branches.map((branch) => walkBranch(branch, visitor));
  return { tree: { branches }, mac: mac.digest(), selected };
}
