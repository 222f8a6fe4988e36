import { SottoError } from '../../base/errors/index.ts';
import { readMetadata } from './format.ts';
import type { SopsFormat } from './types.ts';

/**
 * Whether a file is encrypted: its metadata can be read, and have a version and a MAC. No key is needed.
 *
 * @throws SottoError SOPS_METADATA_INVALID, SOPS_PARSE, SOPS_SELECTION_CONFLICT
 */
export function isEncryptedFile(bytes: Uint8Array, format: SopsFormat, file?: string): boolean {
  try {
    const { version, mac } = readMetadata(bytes, format, file);
    return version !== '' && mac !== '';
  } catch (error) {
    if (error instanceof SottoError && error.code === 'SOPS_METADATA_NOT_FOUND') return false;
    throw error;
  }
}
