import type { SopsMap, SopsTree, SopsValue } from '../tree.ts';

export interface StoreContext {
  /** For error positions. */
  readonly file?: string;
  /** Spaces per level; what -1 and 0 mean is the format's matter. */
  readonly indent?: number;
  readonly warn: (message: string) => void;
}

/** An encrypted file taken apart. */
export interface EncryptedFile {
  readonly tree: SopsTree;
  /** The metadata, nested, whatever the format. */
  readonly metadata: SopsMap;
}

/** A file format: text to tree and back. Parsing rules are part of the crypto contract, since the MAC is over parsed values. */
export interface Store {
  parsePlain(bytes: Uint8Array, context: StoreContext): SopsTree;
  /** @throws SottoError SOPS_METADATA_NOT_FOUND, or what parsing throws */
  parseEncrypted(bytes: Uint8Array, context: StoreContext): EncryptedFile;
  emitPlain(tree: SopsTree, context: StoreContext): Uint8Array;
  emitEncrypted(tree: SopsTree, metadata: SopsMap, context: StoreContext): Uint8Array;
  /** One value alone, as `--extract` prints what is neither a string nor a map. */
  emitValue(value: SopsValue, context: StoreContext): Uint8Array;
  /** The first user key that the metadata of this format would collide with. */
  reservedKey(tree: SopsTree): string | undefined;
}
