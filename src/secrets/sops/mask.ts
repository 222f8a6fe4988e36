import { createHash } from 'node:crypto';

import { inFile } from './in-file.ts';
import { STORES } from './stores/index.ts';
import { masterKeys, parseMetadata } from './metadata.ts';
import { isToken } from './token.ts';
import { str, textOf } from './tree.ts';
import type { SopsFormat } from './types.ts';
import { walkBranch } from './walk.ts';

const MARK_LENGTH = 8;

/**
 * An encrypted document to look at without any key: its structure and plain values, a mark in place of each encrypted value that
 * changes when the ciphertext does, and its recipients.
 *
 * @throws SottoError SOPS_METADATA_NOT_FOUND, SOPS_METADATA_INVALID, SOPS_PARSE
 */
export function maskDocument(bytes: Uint8Array, format: SopsFormat, file?: string): string {
  return inFile(file, () => {
    const parsed = STORES[format].parseEncrypted(bytes, { warn: () => undefined });
    const branches = parsed.tree.branches.map((branch) =>
      walkBranch(branch, {
        leaf: (leaf) => (leaf.kind === 'str' && isToken(textOf(leaf.bytes)) ? str(mask(textOf(leaf.bytes))) : leaf),
        comment: (comment) => (isToken(comment.text) ? { ...comment, text: ` ${mask(comment.text)}` } : comment),
      }),
    );
    const text = textOf(STORES[format].emitPlain({ branches }, { warn: () => undefined }));
    const groups = masterKeys(parseMetadata(parsed.metadata));
    const keys = groups.flatMap((group, index) => group.map(({ type, display }) => `sops: group ${index + 1}: ${type} ${display}\n`));
    return `${text}${text.endsWith('\n') ? '' : '\n'}${keys.join('')}`;
  });
}

function mask(token: string): string {
  return `*** ${createHash('sha256').update(token).digest('hex').slice(0, MARK_LENGTH)}`;
}
