import type { KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import { wipe, type Sensitive } from '../../base/sensitive/index.ts';
import { cipherKey } from './cipher.ts';
import { openDataKey } from './datakey.ts';
import { masterKeys, isOlderVersion, parseMetadata, type Metadata } from './metadata.ts';
import { compileSelection, SELECT_ALL, type Selector } from './selection.ts';
import { STORES, type EncryptedFile, type StoreContext } from './stores/index.ts';
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
  const parsed = inFile(options.file, () => STORES[options.format].parseEncrypted(bytes, storeContext(options)));
  const metadata = inFile(options.file, () => parseMetadata(parsed.metadata, warnOf(options)));
  const { dataKey, openedBy } = await inFileAsync(options.file, () =>
    openDataKey(metadata, options.credentials, options, options.decryptionOrder),
  );
  const key = inFile(options.file, () => takeKey(dataKey));
  const { tree, macVerified } = inFile(options.file, () => openTree(parsed, metadata, key, options));
  const recipients = masterKeys(metadata).flatMap((group) => group.map(({ display }) => display));
  return { tree, metadata, macVerified, recipients, openedBy: openedBy.join(', '), lastModified: metadata.lastModified };
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
  dataKey: KeyObject,
  options: DecryptOptions,
): { tree: SopsTree; macVerified: boolean } {
  const selector = selectorFor(metadata, options);
  const open = (integersAsFloats: boolean): Transformed =>
    decryptTree(file.tree, {
      dataKey,
      selector,
      mac: { onlyEncrypted: metadata.macOnlyEncrypted && options.format !== 'binary', integersAsFloats },
      warn: warnOf(options),
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

export function warnOf({ warn }: { readonly warn?: (message: string) => void }): (message: string) => void {
  return warn ?? (() => undefined);
}

export function storeContext(options: {
  readonly file?: string;
  readonly indent?: number;
  readonly warn?: (message: string) => void;
}): StoreContext {
  const { file, indent } = options;
  return { warn: warnOf(options), ...(file === undefined ? {} : { file }), ...(indent === undefined ? {} : { indent }) };
}

/** Runs work whose errors do not know the file they are about. */
export function inFile<T>(file: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withFile(error, file);
  }
}

export async function inFileAsync<T>(file: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw withFile(error, file);
  }
}

function withFile(error: unknown, file: string | undefined): unknown {
  if (file === undefined || !(error instanceof SottoError) || error.at?.file !== undefined || error.constructor !== SottoError)
    return error;
  const { code, message, hint, retry, cause, at } = error;
  return new SottoError(code, message, { ...(hint === undefined ? {} : { hint }), retry, cause, at: { ...at, file } });
}
