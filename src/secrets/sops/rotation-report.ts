import { masterKeys, parseMetadata } from './metadata.ts';
import { STORES } from './stores/index.ts';
import { isToken } from './token.ts';
import { textOf } from './tree.ts';
import type { SopsFormat } from './types.ts';
import { walkBranch } from './walk.ts';

/** What a rotation changed, as far as the two files show it; no key is needed. */
export interface RotationReport {
  readonly removed: readonly string[];
  readonly added: readonly string[];
  /** Recipients whose wrapped data key is still the old one: none after a rotation. */
  readonly sameWrappedKeys: readonly string[];
  /** Places of values whose ciphertext is still the old one: none after a rotation. */
  readonly sameTokens: readonly string[];
  /** Places of all encrypted values: who lost access may have read them before. */
  readonly values: readonly string[];
}

/**
 * Compares an encrypted file before and after a rotation.
 *
 * @throws SottoError SOPS_METADATA_NOT_FOUND, SOPS_METADATA_INVALID, SOPS_PARSE
 */
export function rotationReport(before: Uint8Array, after: Uint8Array, format: SopsFormat): RotationReport {
  const [old, now] = [contentOf(before, format), contentOf(after, format)];
  return {
    removed: old.keys.filter((key) => !now.keys.includes(key)),
    added: now.keys.filter((key) => !old.keys.includes(key)),
    sameWrappedKeys: now.keys.filter((_key, index) => old.wrapped.includes(now.wrapped[index] ?? '')),
    sameTokens: now.tokens.filter(({ token }) => old.tokens.some((other) => other.token === token)).map(({ where }) => where),
    values: now.tokens.map(({ where }) => where),
  };
}

interface Content {
  readonly keys: readonly string[];
  readonly wrapped: readonly string[];
  readonly tokens: readonly { readonly where: string; readonly token: string }[];
}

function contentOf(bytes: Uint8Array, format: SopsFormat): Content {
  const parsed = STORES[format].parseEncrypted(bytes, { warn: () => undefined });
  const metadata = parseMetadata(parsed.metadata);
  const tokens: { where: string; token: string }[] = [];
  for (const branch of parsed.tree.branches) {
    walkBranch(branch, {
      leaf: (leaf, { where }) => {
        const token = leaf.kind === 'str' ? textOf(leaf.bytes) : '';
        if (isToken(token)) tokens.push({ where, token });
        return leaf;
      },
      comment: (comment) => comment,
    });
  }
  return {
    keys: masterKeys(metadata).flatMap((group) => group.map(({ display }) => display)),
    wrapped: metadata.groups.flatMap((group) => group.map(({ enc }) => enc)),
    tokens,
  };
}
