import { wipe } from '../../base/sensitive/index.ts';
import type { MasterKey } from '../keys/index.ts';
import { cipherKey } from './cipher.ts';
import { makeDataKey, wrapDataKey, type WrappedDataKey } from './datakey.ts';
import { openKeyOf } from './decrypt.ts';
import { openDocument } from './document.ts';
import { inFile, inFileAsync } from './in-file.ts';
import { localKeyService } from './key-services.ts';
import { masterKeys, metadataBlock, parseMetadata } from './metadata.ts';
import { sealTree, storeContext, strictSelector } from './seal.ts';
import { STORES } from './stores/index.ts';
import type { DecryptOptions } from './types.ts';

export type KeyGroups = readonly (readonly MasterKey[])[];

/** New recipients for a document. */
export interface RewrapOptions extends DecryptOptions {
  /** From the groups that the file has, and how many of them open it (0: all). */
  readonly groups: (current: KeyGroups, shamirThreshold: number) => KeyGroups;
  /** Groups that have to open from now on; default the file's own number. 0 means all. */
  readonly shamirThreshold?: number;
}

/**
 * Wraps the data key of a document for other recipients. The data key, the values, the MAC and `lastmodified` stay. Who
 * could read the file and knows its data key can read this one as well: rotate when somebody is to lose access.
 *
 * @throws SottoError as decrypt, SOPS_NO_KEYS, SOPS_SHAMIR, or what wrapping throws
 */
export async function rewrapDataKey(bytes: Uint8Array, options: RewrapOptions): Promise<Uint8Array> {
  const { format, file, outputFormat = format } = options;
  const parsed = inFile(file, () => STORES[format].parseEncrypted(bytes, storeContext(options)));
  const metadata = inFile(file, () => parseMetadata(parsed.metadata, options.warn));
  const { dataKey } = await openKeyOf(metadata, options);
  try {
    const groups = options.groups(masterKeys(metadata), metadata.shamirThreshold);
    const threshold = options.shamirThreshold ?? metadata.shamirThreshold;
    const wrapped = await wrapWith(dataKey, groups, threshold, options);
    const block = metadataBlock({ ...metadata, groups: wrapped.groups, shamirThreshold: wrapped.threshold });
    return inFile(file, () => STORES[outputFormat].emitEncrypted(parsed.tree, block, storeContext(options)));
  } finally {
    wipe(dataKey.reveal());
  }
}

/**
 * Gives a document a new data key and encrypts every value again, for other recipients if asked.
 *
 * @throws SottoError as decrypt and encrypt
 */
export async function rotateDataKey(bytes: Uint8Array, options: RewrapOptions): Promise<Uint8Array> {
  const { format, file } = options;
  const document = await openDocument(bytes, options);
  const { metadata } = document;
  const selector = inFile(file, () => strictSelector(metadata.selection, format));
  const dataKey = makeDataKey(options);
  try {
    const groups = options.groups(masterKeys(metadata), metadata.shamirThreshold);
    const wrapped = await wrapWith(dataKey, groups, options.shamirThreshold ?? metadata.shamirThreshold, options);
    const sealing = {
      dataKey: cipherKey(dataKey.reveal()),
      selector,
      ivs: document.ivs,
      metadata: { ...metadata, groups: wrapped.groups, shamirThreshold: wrapped.threshold },
    };
    return inFile(file, () => sealTree(document.tree, sealing, options));
  } finally {
    wipe(dataKey.reveal());
  }
}

function wrapWith(
  dataKey: WrappedDataKey['dataKey'],
  groups: KeyGroups,
  threshold: number,
  options: DecryptOptions,
): Promise<WrappedDataKey> {
  const services = options.keyServices ?? [localKeyService(options.credentials, options)];
  return inFileAsync(options.file, () => wrapDataKey(dataKey, { groups, threshold }, services, options));
}
