import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, open, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;
const SHARED_MEMORY = '/dev/shm';

/**
 * Replaces a file in one step: written beside the target, synced, renamed over it. A reader sees the old
 * or the new content, never a part. The mode is that of the file replaced, else `mode`.
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string, mode = 0o644): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  const kept = await stat(path).then(
    (found) => found.mode & 0o7777,
    () => mode,
  );
  const handle = await open(temporary, 'wx', PRIVATE_FILE);
  try {
    await handle.writeFile(content);
    await handle.chmod(kept);
    await handle.sync();
    await handle.close();
    await rename(temporary, path);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Like {@link writeFileAtomic}, readable by the owner only, whatever the mode was before. */
export async function writePrivateFile(path: string, content: Uint8Array | string): Promise<void> {
  await writeFileAtomic(path, content, PRIVATE_FILE);
  await chmod(path, PRIVATE_FILE);
}

/** Makes a directory (and its parents) that only the owner can enter. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY });
  await chmod(path, PRIVATE_DIRECTORY);
}

/** A fresh private directory, on tmpfs where there is one. The caller removes it. */
export async function privateTemporaryDirectory(prefix = 'sotto-'): Promise<string> {
  const base = await access(SHARED_MEMORY, constants.W_OK).then(
    () => SHARED_MEMORY,
    () => tmpdir(),
  );
  return mkdtemp(join(base, prefix));
}
