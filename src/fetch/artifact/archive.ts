import { gunzipSync, gzipSync } from 'node:zlib';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import { joinPath, memoryTree, type Tree, type TreeFile } from '../../base/files/index.ts';
import { decodeTar, encodeTar, type TarEntry } from './tar.ts';

const FILE_MODE = 0o600;
const EXECUTABLE_MODE = 0o700;
const DIRECTORY_MODE = 0o750;
/** Byte 9 of a gzip header names the operating system; 255 means unknown, so that archives are equal everywhere. */
const GZIP_SYSTEM_BYTE = 9;
const UNKNOWN_SYSTEM = 255;

/** What an archive may hold before it is refused as too large. */
export interface ArchiveLimits {
  readonly maxEntries: number;
  /** Bytes of the unpacked archive, headers included. */
  readonly maxBytes: number;
}

/** Upstream has no limit here; these only stop decompression bombs. */
export const ARCHIVE_LIMITS: ArchiveLimits = { maxEntries: 500_000, maxBytes: 1024 * 1024 * 1024 };

/**
 * A tree as a tar.gz: files and directories in walk order, parents first, without owners and times, modes
 * normalised. Symbolic links are left out. The same tree gives the same bytes.
 * Follows fluxcd/pkg artifact/storage.
 */
export function packTree(tree: Tree): Uint8Array {
  const packed = gzipSync(encodeTar(entriesOf(tree, '')));
  packed[GZIP_SYSTEM_BYTE] = UNKNOWN_SYSTEM;
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
}

function* entriesOf(tree: Tree, path: string): Generator<TarEntry & { type: 'file' | 'directory' }> {
  yield { name: path === '' ? '.' : path, type: 'directory', mode: DIRECTORY_MODE, bytes: new Uint8Array() };
  for (const name of tree.list(path)) {
    const child = path === '' ? name : `${path}/${name}`;
    const kind = tree.resolve(child) === child ? tree.kind(child) : undefined;
    if (kind === 'directory') yield* entriesOf(tree, child);
    else if (kind === 'file') {
      const mode = tree.isExecutable(child) ? EXECUTABLE_MODE : FILE_MODE;
      yield { name: child, type: 'file', mode, bytes: tree.read(child) ?? new Uint8Array() };
    }
  }
}

/**
 * Reads a tar.gz into memory. Symbolic links are skipped.
 *
 * @throws SottoError ARTIFACT_GZIP_INVALID, ARTIFACT_TAR_INVALID, ARTIFACT_NAME_INVALID (a name that is empty,
 *   absolute, or holds `\` or `../`), ARTIFACT_TYPE_UNSUPPORTED (devices, pipes, hard links), ARTIFACT_TOO_LARGE
 */
export function unpackTree(bytes: Uint8Array, limits: ArchiveLimits = ARCHIVE_LIMITS): Tree {
  const files = new Map<string, TreeFile>();
  const directories: string[] = [];
  let entries = 0;
  for (const entry of decodeTar(gunzip(bytes, limits))) {
    entries += 1;
    if (entries > limits.maxEntries) throw tooLarge(`more than ${limits.maxEntries} entries`);
    const path = checkedPath(entry);
    if (entry.type === 'directory') directories.push(path);
    else if (entry.type === 'file') files.set(path, { bytes: entry.bytes, executable: (entry.mode & 0o111) !== 0 });
    else if (entry.type === 'other') {
      throw new SottoError('ARTIFACT_TYPE_UNSUPPORTED', `tar file entry ${entry.name} contained unsupported file type`);
    }
  }
  return memoryTree(files, directories);
}

function checkedPath(entry: TarEntry): string {
  const { name } = entry;
  const isValid = name !== '' && !name.startsWith('/') && !name.includes('\\') && !name.includes('../');
  const path = isValid ? joinPath(name) : undefined;
  if (path === undefined || (path === '' && entry.type === 'file')) {
    throw new SottoError('ARTIFACT_NAME_INVALID', `tar contained invalid name error ${JSON.stringify(name)}`);
  }
  return path;
}

function gunzip(bytes: Uint8Array, limits: ArchiveLimits): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.maxBytes });
  } catch (cause) {
    if (codeOf(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(`more than ${limits.maxBytes} bytes`);
    throw new SottoError('ARTIFACT_GZIP_INVALID', 'requires gzip-compressed body: the archive is not valid gzip', { cause });
  }
}

function tooLarge(what: string): SottoError {
  return new SottoError('ARTIFACT_TOO_LARGE', `the archive holds ${what}`, {
    hint: 'leave files out of the source with spec.ignore or .sourceignore',
  });
}
