import { wipe } from '../../base/sensitive/index.ts';
import { cipherKey } from './cipher.ts';
import { makeDataKey, wrapDataKey } from './datakey.ts';
import { inFile, inFileAsync } from './in-file.ts';
import { localKeyService } from './key-services.ts';
import { FORMAT_VERSION } from './metadata.ts';
import { checkTree, sealTree, storeContext, strictSelector, type Sealing } from './seal.ts';
import { activeRules, DEFAULT_SELECTION } from './selection.ts';
import { STORES } from './stores/index.ts';
import type { EncryptOptions, SelectionRule } from './types.ts';

/**
 * Encrypts a plain document. Every key must wrap the data key, and the result is parsed and verified before it is
 * returned: there is no partly encrypted output.
 *
 * @throws SottoError SOPS_PARSE, SOPS_NO_DOCUMENT, SOPS_RESERVED_KEY, SOPS_NO_KEYS, SOPS_SHAMIR, SOPS_SELECTION_CONFLICT,
 *   SOPS_SELECTION_INVALID, SOPS_COMMENT_COLLISION, SOPS_NOT_REVERSIBLE, SOPS_EMIT, or what wrapping a key throws
 */
export async function encrypt(bytes: Uint8Array, options: EncryptOptions): Promise<Uint8Array> {
  const { file, format } = options;
  const tree = inFile(file, () => STORES[format].parsePlain(bytes, storeContext(options)));
  inFile(file, () => checkTree(tree, STORES[options.outputFormat ?? format]));
  const sealing = await startSealing(options);
  return inFile(file, () => sealTree(tree, sealing, options));
}

/** A new data key, wrapped for everybody. */
export async function startSealing(options: EncryptOptions): Promise<Sealing> {
  const { file, format, groups, shamirThreshold = 0, credentials = {}, keyServices } = options;
  const selection = selectionFor(options);
  const selector = inFile(file, () => strictSelector(selection, format));
  const dataKey = makeDataKey(options);
  try {
    const services = keyServices ?? [localKeyService(credentials, options)];
    const wrapped = await inFileAsync(file, () => wrapDataKey(dataKey, { groups, threshold: shamirThreshold }, services, options));
    return {
      dataKey: cipherKey(dataKey.reveal()),
      selector,
      metadata: {
        groups: wrapped.groups,
        shamirThreshold: wrapped.threshold,
        macOnlyEncrypted: options.macOnlyEncrypted === true && format !== 'binary',
        selection,
        version: FORMAT_VERSION,
      },
    };
  } finally {
    wipe(dataKey.reveal());
  }
}

/** Binary files carry no rule, unless they are written in another format. */
function selectionFor({ format, selection = {}, macOnlyEncrypted, warn }: EncryptOptions): SelectionRule {
  if (format === 'binary') {
    const isIgnored = activeRules(selection).length > 0 || macOnlyEncrypted === true;
    if (isIgnored) warn?.('a binary file is encrypted as a whole: selection rules and mac_only_encrypted have no effect');
    return {};
  }
  return activeRules(selection).length === 0 ? DEFAULT_SELECTION : selection;
}
