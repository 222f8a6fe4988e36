import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
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

/**
 * A fresh private directory, on tmpfs where there is one. The caller removes it; its name tells the process, so that
 * {@link sweepTemporaryDirectories} finds what a crash left behind. `prefix` starts with `sotto-`.
 */
export async function privateTemporaryDirectory(prefix = 'sotto-'): Promise<string> {
  const base = await access(SHARED_MEMORY, constants.W_OK).then(
    () => SHARED_MEMORY,
    () => tmpdir(),
  );
  return mkdtemp(join(base, `${prefix}${process.pid}-`));
}

const LEFT_BEHIND = /^sotto-(?:[a-z]+-)*(\d+)-\w{6}$/;

/** Removes private temporary directories of processes of this user that are gone. Returns how many. */
export async function sweepTemporaryDirectories(): Promise<number> {
  let swept = 0;
  for (const base of new Set([SHARED_MEMORY, tmpdir()])) {
    const names = await readdir(base).catch(() => [] as string[]);
    for (const name of names) {
      const pid = LEFT_BEHIND.exec(name)?.[1];
      if (pid === undefined || isRunning(Number(pid)) || !(await isOurs(join(base, name)))) continue;
      await rm(join(base, name), { recursive: true, force: true });
      swept += 1;
    }
  }
  return swept;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isOurs(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}
