import type { KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import { wipe, type Sensitive } from '../../base/sensitive/index.ts';
import { cipherKey } from './cipher.ts';
import { openDataKey, type OpenedDataKey } from './datakey.ts';
import { inFile, inFileAsync } from './in-file.ts';
import type { IvStash } from './iv-stash.ts';
import { localKeyService } from './key-services.ts';
import { masterKeys, isOlderVersion, parseMetadata, type Metadata } from './metadata.ts';
import { storeContext } from './seal.ts';
import { compileSelection, SELECT_ALL, type Selector } from './selection.ts';
import { STORES, type EncryptedFile } from './stores/index.ts';
import { decryptTree, type Transformed } from './transform.ts';
import type { SopsTree } from './tree.ts';
import type { Decrypted, DecryptOptions } from './types.ts';
import { decryptMac, isSameMac, macMismatch } from './verify-mac.ts';

/** From this version on, integers of JSON files are integers. */
const JSON_INTEGERS_SINCE = '3.13.2';

/** A decrypted document before it is written in a format. */
export interface OpenedTree extends Omit<Decrypted, 'bytes'> {
  readonly tree: SopsTree;
  readonly metadata: Metadata;
}

/**
 * Decrypts a document. Nothing is returned before every value's tag and, unless `ignoreMac`, the MAC are verified.
 *
 * @throws SottoError SOPS_METADATA_NOT_FOUND, SOPS_METADATA_INVALID, SOPS_PARSE, SOPS_NO_IDENTITY, SOPS_KEY_FAILED,
 *   SOPS_VALUE_TAMPERED, SOPS_VALUE_MALFORMED, SOPS_VALUE_TYPE, SOPS_MAC_MISMATCH, SOPS_MAC_INVALID, SOPS_EMIT;
 *   messages name file and path of the value, never the value
 */
export async function decrypt(bytes: Uint8Array, options: DecryptOptions): Promise<Decrypted> {
  const { tree, metadata: _metadata, ...opened } = await decryptToTree(bytes, options);
  const emitted = inFile(options.file, () => STORES[options.outputFormat ?? options.format].emitPlain(tree, storeContext(options)));
  return { ...opened, bytes: emitted };
}

/** Like {@link decrypt}, up to the tree of plain values. */
export async function decryptToTree(bytes: Uint8Array, options: DecryptOptions): Promise<OpenedTree> {
  const { dataKey: _dataKey, ...opened } = await openDocumentTree(bytes, options);
  return opened;
}

/** Decrypts a document and keeps its data key. */
export async function openDocumentTree(
  bytes: Uint8Array,
  options: DecryptOptions,
  ivs?: IvStash,
): Promise<OpenedTree & { readonly dataKey: KeyObject }> {
  const parsed = inFile(options.file, () => STORES[options.format].parseEncrypted(bytes, storeContext(options)));
  const metadata = inFile(options.file, () => parseMetadata(parsed.metadata, warnOf(options)));
  const { dataKey, openedBy } = await openKeyOf(metadata, options);
  const key = inFile(options.file, () => takeKey(dataKey));
  const { tree, macVerified } = inFile(options.file, () => openTree(parsed, metadata, { dataKey: key, ivs }, options));
  const recipients = masterKeys(metadata).flatMap((group) => group.map(({ display }) => display));
  return { tree, metadata, macVerified, recipients, openedBy: openedBy.join(', '), lastModified: metadata.lastModified, dataKey: key };
}

/** Opens the data key with what the options give. */
export function openKeyOf(metadata: Metadata, options: Omit<DecryptOptions, 'format'>): Promise<OpenedDataKey> {
  const { credentials, dataKeys, decryptionOrder } = options;
  const services = options.keyServices ?? [localKeyService(credentials, options, dataKeys)];
  return inFileAsync(options.file, () => openDataKey(metadata, { services, credentials, order: decryptionOrder }));
}

/** The key moves out of JavaScript's memory. */
function takeKey(dataKey: Sensitive<Uint8Array>): KeyObject {
  const bytes = dataKey.reveal();
  const key = cipherKey(bytes);
  wipe(bytes);
  return key;
}

function openTree(
  file: EncryptedFile,
  metadata: Metadata,
  { dataKey, ivs }: { readonly dataKey: KeyObject; readonly ivs: IvStash | undefined },
  options: DecryptOptions,
): { tree: SopsTree; macVerified: boolean } {
  const selector = selectorFor(metadata, options);
  const open = (integersAsFloats: boolean): Transformed =>
    decryptTree(file.tree, {
      dataKey,
      selector,
      mac: { onlyEncrypted: metadata.macOnlyEncrypted && options.format !== 'binary', integersAsFloats },
      warn: warnOf(options),
      ivs,
    });
  const { tree, mac } = open(false);
  try {
    const claimed = decryptMac(metadata, dataKey);
    if (isSameMac(claimed, mac)) return { tree, macVerified: true };
    const isOldJson = options.format === 'json' && isOlderVersion(metadata.version, JSON_INTEGERS_SINCE);
    if (isOldJson && isSameMac(claimed, open(true).mac)) return { tree, macVerified: true };
    throw macMismatch(claimed, mac);
  } catch (error) {
    if (options.ignoreMac !== true || !(error instanceof SottoError)) throw error;
    return { tree, macVerified: false };
  }
}

function selectorFor({ selection }: Metadata, options: DecryptOptions): Selector {
  if (options.format === 'binary') return SELECT_ALL;
  return compileSelection(selection, (error) => {
    warnOf(options)(`the selection rule of the file does not compile and matches nothing: ${error.message}`);
  });
}

function warnOf({ warn }: { readonly warn?: (message: string) => void }): (message: string) => void {
  return warn ?? (() => undefined);
}
