import type { KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import { openDocumentTree, type OpenedTree } from './decrypt.ts';
import { startSealing } from './encrypt.ts';
import { inFile } from './in-file.ts';
import { ivStash, type IvStash } from './iv-stash.ts';
import { FORMAT_VERSION, isOlderVersion, metadataBlock, parseMetadata, type Metadata } from './metadata.ts';
import { checkTree, sealTree, storeContext, strictSelector, type SealOptions, type Sealing } from './seal.ts';
import { STORES } from './stores/index.ts';
import { formatUtc } from './times.ts';
import type { SopsMap, SopsTree } from './tree.ts';
import type { DecryptOptions, EncryptOptions, SopsFormat } from './types.ts';

/** A decrypted document that can be written again under the data key it has. */
export interface SopsDocument extends Pick<OpenedTree, 'tree'> {
  readonly metadata: Sealing['metadata'];
  readonly dataKey: KeyObject;
  readonly ivs: IvStash;
  /** What the file said last; a new file has a placeholder. */
  readonly shown: Pick<Metadata, 'lastModified' | 'mac'>;
}

/** Decrypts a document to change it. @throws SottoError as decrypt */
export async function openDocument(bytes: Uint8Array, options: DecryptOptions): Promise<SopsDocument> {
  const ivs = ivStash();
  const { tree, metadata, dataKey } = await openDocumentTree(bytes, options, ivs);
  return { tree, metadata, dataKey, ivs, shown: metadata };
}

/** A document that is not written yet, with a new data key wrapped for everybody. @throws SottoError as encrypt */
export async function newDocument(tree: SopsTree, options: EncryptOptions): Promise<SopsDocument> {
  const shown = { lastModified: formatUtc(options.world.clock.now()), mac: '' };
  return { tree, ivs: ivStash(), shown, ...(await startSealing(options)) };
}

/**
 * Encrypts a tree in place of the document's own. Data key and wrapped keys stay; values that did not change keep
 * their ciphertext.
 *
 * @param options with `raiseVersion`, the document carries our version when its own is older
 * @throws SottoError SOPS_NO_DOCUMENT, SOPS_RESERVED_KEY, SOPS_SELECTION_INVALID, SOPS_COMMENT_COLLISION, SOPS_NOT_REVERSIBLE, SOPS_EMIT
 */
export function sealDocument(
  document: SopsDocument,
  tree: SopsTree,
  options: SealOptions & { readonly raiseVersion?: boolean },
): Uint8Array {
  const { metadata, dataKey, ivs } = document;
  const { format, outputFormat = format } = options;
  return inFile(options.file, () => {
    checkTree(tree, STORES[outputFormat]);
    const selector = strictSelector(metadata.selection, format);
    const isOlder = options.raiseVersion === true && isOlderVersion(metadata.version, FORMAT_VERSION);
    return sealTree(tree, { dataKey, ivs, selector, metadata: isOlder ? { ...metadata, version: FORMAT_VERSION } : metadata }, options);
  });
}

/** Parses a plain text. @throws SottoError what the format's parser throws */
export function parsePlain(bytes: Uint8Array, format: SopsFormat, file?: string): SopsTree {
  return inFile(file, () => STORES[format].parsePlain(bytes, storeContext(file === undefined ? {} : { file })));
}

/** The text of a plain tree. @throws SottoError SOPS_EMIT */
export function formatPlain(tree: SopsTree, format: SopsFormat, options: Pick<SealOptions, 'indent' | 'warn' | 'file'> = {}): Uint8Array {
  return STORES[format].emitPlain(tree, storeContext(options));
}

/** The plain text with the document's metadata in it, for looking at. */
export function formatWithMetadata(
  document: SopsDocument,
  format: SopsFormat,
  options: Pick<SealOptions, 'indent' | 'warn' | 'file'> = {},
): Uint8Array {
  return STORES[format].emitEncrypted(document.tree, shownBlock(document), storeContext(options));
}

/**
 * Parses such a text. Only values may have changed.
 *
 * @throws SottoError SOPS_METADATA_CHANGED, or what the format's parser throws
 */
export function parseWithMetadata(bytes: Uint8Array, document: SopsDocument, format: SopsFormat, file?: string): SopsTree {
  return inFile(file, () => {
    const { tree, metadata } = STORES[format].parseEncrypted(bytes, storeContext(file === undefined ? {} : { file }));
    const same = JSON.stringify(metadataBlock(parseMetadata(metadata)), withText) === JSON.stringify(shownBlock(document), withText);
    if (same) return tree;
    throw new SottoError('SOPS_METADATA_CHANGED', 'the sops metadata cannot be changed in an editor', {
      hint: 'use sops rotate, sops updatekeys or sops groups',
    });
  });
}

function shownBlock({ metadata, shown }: SopsDocument): SopsMap {
  return metadataBlock({ ...metadata, lastModified: shown.lastModified, mac: shown.mac });
}

function withText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
