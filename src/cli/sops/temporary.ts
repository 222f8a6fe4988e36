import { readlinkSync, rmSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { codeOf } from '../../base/errors/index.ts';
import { privateTemporaryDirectory } from '../../base/files/index.ts';
import type { World } from '../../base/world/index.ts';

const NAME = /^\.sops-(\d+)-(\d+)-/;

/** A folder for plain text that only we can enter. */
export interface SecretDirectory {
  readonly path: string;
  /** Now, without waiting: also good in a signal handler. */
  remove(): void;
}

/**
 * Makes a private folder, on tmpfs where there is one. Its name says which process made it, so that a later one can remove what
 * a killed one left behind; such leftovers are removed now.
 */
export async function secretDirectory(world: World): Promise<SecretDirectory> {
  const namespace = processNamespace();
  const path = await world.outside(() => privateTemporaryDirectory(`.sops-${namespace}-${process.pid}-`));
  await world.outside(() => sweep(dirname(path), namespace));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return { path, remove };
}

/** Process numbers mean something within their namespace only: containers may share a folder. */
function processNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    // no Linux: one namespace
    return '0';
  }
}

async function sweep(parent: string, namespace: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names) {
    const [, space, pid] = NAME.exec(name) ?? [];
    if (space !== namespace || pid === undefined || isAlive(Number(pid))) continue;
    const path = join(parent, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) continue;
    // somebody else may be sweeping at the same moment
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}
