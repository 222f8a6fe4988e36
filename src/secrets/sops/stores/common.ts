import { SottoError } from '../../../base/errors/index.ts';
import { METADATA_KEY } from '../metadata.ts';
import { entriesOf, entry, map, type SopsMap, type SopsTree } from '../tree.ts';
import type { EncryptedFile, StoreContext } from './store.ts';

export function metadataNotFound({ file }: StoreContext): SottoError {
  return new SottoError('SOPS_METADATA_NOT_FOUND', 'sops metadata not found', {
    ...(file === undefined ? {} : { at: { file } }),
    hint: 'the file is not encrypted, or it is read in the wrong format',
  });
}

/**
 * Takes the metadata out of a tree: the first document's copy counts, the key is removed from all.
 *
 * @throws SottoError SOPS_METADATA_NOT_FOUND, SOPS_METADATA_INVALID
 */
export function takeMetadata(tree: SopsTree, context: StoreContext): EncryptedFile {
  const [first] = tree.branches;
  const found = first === undefined ? [] : entriesOf(first).filter((item) => item.key === METADATA_KEY);
  const [metadata, duplicate] = found;
  if (metadata === undefined) throw metadataNotFound(context);
  if (duplicate !== undefined) throw new SottoError('SOPS_METADATA_INVALID', 'Found duplicate sops entry', at(context));
  if (metadata.value.kind !== 'map') throw new SottoError('SOPS_METADATA_INVALID', 'the sops entry is no map', at(context));
  return { tree: { branches: tree.branches.map(withoutMetadata) }, metadata: metadata.value };
}

function withoutMetadata(branch: SopsMap): SopsMap {
  return map(branch.items.filter((item) => item.kind === 'comment' || item.key !== METADATA_KEY));
}

/** Every document with the metadata as its last key. */
export function addMetadata(tree: SopsTree, metadata: SopsMap): SopsTree {
  return { branches: tree.branches.map((branch) => map([...branch.items, entry(METADATA_KEY, metadata)])) };
}

export function reservedTopLevelKey(tree: SopsTree): string | undefined {
  return tree.branches.some((branch) => entriesOf(branch).some((item) => item.key === METADATA_KEY)) ? METADATA_KEY : undefined;
}

/** The only document of a tree, for formats that hold one. */
export function onlyBranch(tree: SopsTree, format: string): SopsMap {
  const [branch, second] = tree.branches;
  if (branch === undefined) throw new SottoError('SOPS_NO_DOCUMENT', 'the file holds no document');
  if (second !== undefined) {
    throw new SottoError('SOPS_SEVERAL_DOCUMENTS', `${format} holds one document, but the file has ${tree.branches.length}`, {
      hint: 'split the file, or keep it as YAML',
    });
  }
  return branch;
}

export function at({ file }: StoreContext): { readonly at?: { readonly file: string } } {
  return file === undefined ? {} : { at: { file } };
}
