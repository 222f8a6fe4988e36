import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SottoError } from '../../base/errors/index.ts';
import { privateTemporaryDirectory } from '../../base/files/index.ts';
import type { World } from '../../base/world/index.ts';
import type { GpgSettings, PgpCredentials } from './credentials.ts';
import { removeHome, runGpg } from './pgp-program.ts';

const PREFIX = 'sotto-gnupg-';
const PLACES: readonly string[] = ['/dev/shm', tmpdir()];
/** Homes of this process that are in use. */
const open = new Set<string>();

/** A private keyring that lives until it is closed. */
export interface GpgHome {
  /** Credentials that use the keyring. */
  readonly pgp: PgpCredentials;
  /** Ends the agent and removes the home. */
  close(): Promise<void>;
}

/**
 * Imports the keys into a private home (0700, on tmpfs where there is one), for several calls with the same keys.
 *
 * @throws SottoError GPG_UNAVAILABLE, PGP_KEY_INVALID with the source of the key
 */
export async function openGpgHome(pgp: PgpCredentials, world: World, signal?: AbortSignal): Promise<GpgHome> {
  const settings = { ...pgp.gpg, home: await world.outside(() => privateTemporaryDirectory(`${PREFIX}${process.pid}-`)) };
  open.add(settings.home);
  const close = async (): Promise<void> => {
    await world.outside(() => removeHome(settings));
    open.delete(settings.home);
  };
  try {
    for (const { armored, source } of pgp.keys ?? []) await importKey(settings, armored.reveal(), source, world, signal);
    for (const { armored, source } of pgp.publicKeys ?? []) await importKey(settings, armored, source, world, signal);
  } catch (error) {
    await close();
    throw error;
  }
  return { pgp: { gpg: settings, ...(pgp.searched === undefined ? {} : { searched: pgp.searched }) }, close };
}

async function importKey(
  settings: GpgSettings & { readonly home: string },
  armored: string,
  source: string,
  world: World,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { status } = await world.outside(() => runGpg(settings, ['--batch', '--import'], armored, signal));
  if (status.some(([word]) => word === 'IMPORT_OK')) return;
  throw new SottoError('PGP_KEY_INVALID', 'gpg cannot import the OpenPGP key', { at: { file: source } });
}

/** Removes homes that a process which was killed left behind. For the start of a program. */
export async function sweepGpgHomes(): Promise<void> {
  for (const place of new Set(PLACES)) {
    const names = await readdir(place).catch(() => []);
    for (const name of names.filter((found) => found.startsWith(PREFIX))) {
      const home = join(place, name);
      const pid = Number.parseInt(name.slice(PREFIX.length), 10);
      if (open.has(home) || (pid !== process.pid && isAlive(pid))) continue;
      await rm(home, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but is not ours
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
