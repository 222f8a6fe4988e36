import type { KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import { wipe } from '../../base/sensitive/index.ts';
import { cipherKey } from './cipher.ts';
import { makeDataKey, type WrappedDataKey } from './datakey.ts';
import { inFile, inFileAsync, storeContext, warnOf } from './decrypt.ts';
import { FORMAT_VERSION, metadataBlock, parseMetadata, type Metadata } from './metadata.ts';
import { activeRules, compileSelection, DEFAULT_SELECTION, SELECT_ALL, type Selector } from './selection.ts';
import { STORES, type Store } from './stores/index.ts';
import { formatUtc } from './times.ts';
import { decryptTree, encryptTree } from './transform.ts';
import type { SopsTree } from './tree.ts';
import type { EncryptOptions, SelectionRule, SopsFormat } from './types.ts';
import { decryptMac, encryptMac, isSameMac } from './verify-mac.ts';

/**
 * Encrypts a plain document. Every key must wrap the data key, and the result is parsed and verified before it is
 * returned: there is no partly encrypted output.
 *
 * @throws SottoError SOPS_PARSE, SOPS_NO_DOCUMENT, SOPS_RESERVED_KEY, SOPS_NO_KEYS, SOPS_SHAMIR, SOPS_SELECTION_CONFLICT,
 *   SOPS_SELECTION_INVALID, SOPS_COMMENT_COLLISION, SOPS_NOT_REVERSIBLE, SOPS_EMIT, or what wrapping a key throws
 */
export async function encrypt(bytes: Uint8Array, options: EncryptOptions): Promise<Uint8Array> {
  const output = options.outputFormat ?? options.format;
  const store = STORES[output];
  const context = storeContext(options);
  const tree = inFile(options.file, () => STORES[options.format].parsePlain(bytes, context));
  inFile(options.file, () => checkTree(tree, store));
  const selection = selectionFor(options);
  const selector = inFile(options.file, () => selectorFor(selection, options));
  const wrapped = await inFileAsync(options.file, () =>
    makeDataKey(options.groups, options.shamirThreshold ?? 0, options.credentials ?? {}, options),
  );
  try {
    return inFile(options.file, () => seal(tree, { wrapped, selection, selector, output, options }));
  } finally {
    wipe(wrapped.dataKey.reveal());
  }
}

interface Sealing {
  readonly wrapped: WrappedDataKey;
  readonly selection: SelectionRule;
  readonly selector: Selector;
  readonly output: SopsFormat;
  readonly options: EncryptOptions;
}

function seal(tree: SopsTree, sealing: Sealing): Uint8Array {
  const { wrapped, selection, selector, output, options } = sealing;
  const dataKey = cipherKey(wrapped.dataKey.reveal());
  const onlyEncrypted = options.macOnlyEncrypted === true && options.format !== 'binary';
  const encrypted = encryptTree(tree, { dataKey, selector, mac: { onlyEncrypted }, warn: warnOf(options), entropy: options.entropy });
  if (encrypted.selected === 0 && tree.branches.some(({ items }) => items.length > 0)) {
    warnOf(options)('the selection rule matches no value: nothing is encrypted');
  }
  const lastModified = formatUtc(options.world.clock.now());
  const metadata: Metadata = {
    groups: wrapped.groups,
    shamirThreshold: wrapped.threshold,
    lastModified,
    mac: encryptMac(encrypted.mac, lastModified, dataKey, options.entropy),
    macOnlyEncrypted: onlyEncrypted,
    selection,
    version: FORMAT_VERSION,
  };
  const emitted = STORES[output].emitEncrypted(encrypted.tree, metadataBlock(metadata), storeContext(options));
  verify(emitted, encrypted.mac, dataKey, sealing);
  return emitted;
}

/**
 * Reads the result back. A change of format can turn plain values into other types (a bool into a string), over which
 * the MAC no longer holds; better to say so now than when the file is needed.
 */
function verify(emitted: Uint8Array, mac: string, dataKey: KeyObject, { selector, output, options }: Sealing): void {
  const { tree, metadata } = STORES[output].parseEncrypted(emitted, { warn: () => undefined });
  const read = parseMetadata(metadata);
  const decrypted = decryptTree(tree, {
    dataKey,
    selector: output === 'binary' ? SELECT_ALL : selector,
    mac: { onlyEncrypted: read.macOnlyEncrypted && output !== 'binary' },
    warn: () => undefined,
  });
  if (isSameMac(decrypted.mac, mac) && isSameMac(decryptMac(read, dataKey), mac)) return;
  throw new SottoError('SOPS_NOT_REVERSIBLE', `the document cannot be kept as ${output}: its plain values would read back differently`, {
    hint: options.format === output ? 'please report this file as a bug' : `encrypt it as ${options.format}, or encrypt every value`,
  });
}

/** Binary files carry no rule, unless they are written in another format. */
function selectionFor(options: EncryptOptions): SelectionRule {
  const { format, selection = {} } = options;
  if (format === 'binary') {
    const isIgnored = activeRules(selection).length > 0 || options.macOnlyEncrypted === true;
    if (isIgnored) warnOf(options)('a binary file is encrypted as a whole: selection rules and mac_only_encrypted have no effect');
    return {};
  }
  return activeRules(selection).length === 0 ? DEFAULT_SELECTION : selection;
}

/** A rule that does not compile would leave everything in plain text: it fails before anything is written. */
function selectorFor(selection: SelectionRule, { format }: EncryptOptions): Selector {
  if (format === 'binary') return SELECT_ALL;
  return compileSelection(selection, (cause) => {
    throw new SottoError('SOPS_SELECTION_INVALID', `the selection rule does not compile: ${cause.message}`, { cause });
  });
}

function checkTree(tree: SopsTree, store: Store): void {
  if (tree.branches.length === 0)
    throw new SottoError('SOPS_NO_DOCUMENT', 'File cannot be completely empty, it must contain at least one document');
  const reserved = store.reservedKey(tree);
  if (reserved === undefined) return;
  throw new SottoError(
    'SOPS_RESERVED_KEY',
    `Found key '${reserved}', which is reserved: a file with a top-level entry called 'sops' is already encrypted, or uses the name that SOPS needs for its metadata`,
    {
      hint: 'if the file is not encrypted, rename the key',
    },
  );
}
