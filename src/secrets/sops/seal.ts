import type { KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import type { KeyContext } from '../keys/index.ts';
import type { IvStash } from './iv-stash.ts';
import { metadataBlock, parseMetadata, type Metadata } from './metadata.ts';
import { compileSelection, SELECT_ALL, type Selector } from './selection.ts';
import { STORES, type Store, type StoreContext } from './stores/index.ts';
import { formatUtc } from './times.ts';
import { decryptTree, encryptTree } from './transform.ts';
import type { SopsTree } from './tree.ts';
import type { SelectionRule, SopsFormat } from './types.ts';
import { decryptMac, encryptMac, isSameMac } from './verify-mac.ts';

/** How a document is written. */
export interface SealOptions extends KeyContext {
  /** The format that the tree was read in. */
  readonly format: SopsFormat;
  /** Default: `format`. */
  readonly outputFormat?: SopsFormat;
  /** Spaces of indentation of YAML (4) or JSON (-1, a tab). */
  readonly indent?: number;
  readonly file?: string;
  /** Told what is odd but no error; never a value. */
  readonly warn?: (message: string) => void;
}

/** What goes into a document besides its values. */
export interface Sealing {
  readonly dataKey: KeyObject;
  /** Everything but what follows from the values and the time. */
  readonly metadata: Omit<Metadata, 'lastModified' | 'mac'>;
  readonly selector: Selector;
  readonly ivs?: IvStash;
}

/**
 * Encrypts a tree and writes it. The result is parsed and verified before it is returned.
 *
 * @throws SottoError SOPS_COMMENT_COLLISION, SOPS_NOT_REVERSIBLE, SOPS_EMIT
 */
export function sealTree(tree: SopsTree, sealing: Sealing, options: SealOptions): Uint8Array {
  const { dataKey, selector, ivs } = sealing;
  const { entropy, warn = () => undefined } = options;
  const { macOnlyEncrypted } = sealing.metadata;
  const mac = { onlyEncrypted: macOnlyEncrypted && options.format !== 'binary' };
  const encrypted = encryptTree(tree, { dataKey, selector, mac, warn, entropy, ivs });
  if (encrypted.selected === 0 && tree.branches.some(({ items }) => items.length > 0)) {
    warn('the selection rule matches no value: nothing is encrypted');
  }
  const lastModified = formatUtc(options.world.clock.now());
  const metadata: Metadata = {
    ...sealing.metadata,
    lastModified,
    mac: encryptMac(encrypted.mac, lastModified, dataKey, entropy),
  };
  const emitted = STORES[options.outputFormat ?? options.format].emitEncrypted(
    encrypted.tree,
    metadataBlock(metadata),
    storeContext(options),
  );
  verify(emitted, encrypted.mac, sealing, options);
  return emitted;
}

/**
 * Reads the result back. A change of format can turn plain values into other types (a bool into a string), over which
 * the MAC no longer holds; better to say so now than when the file is needed.
 */
function verify(emitted: Uint8Array, mac: string, { dataKey, selector }: Sealing, options: SealOptions): void {
  const output = options.outputFormat ?? options.format;
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

/** A rule that does not compile would leave everything in plain text: it fails before anything is written. */
export function strictSelector(selection: SelectionRule, format: SopsFormat): Selector {
  if (format === 'binary') return SELECT_ALL;
  return compileSelection(selection, (cause) => {
    throw new SottoError('SOPS_SELECTION_INVALID', `the selection rule does not compile: ${cause.message}`, { cause });
  });
}

/** @throws SottoError SOPS_NO_DOCUMENT, SOPS_RESERVED_KEY */
export function checkTree(tree: SopsTree, store: Store): void {
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

export function storeContext(options: {
  readonly file?: string;
  readonly indent?: number;
  readonly warn?: (message: string) => void;
}): StoreContext {
  const { file, indent, warn = () => undefined } = options;
  return { warn, ...(file === undefined ? {} : { file }), ...(indent === undefined ? {} : { indent }) };
}
