import { SottoError } from '../../base/errors/index.ts';
import { privateTemporaryDirectory } from '../../base/files/index.ts';
import type { World } from '../../base/world/index.ts';
import type { GpgSettings, PgpCredentials } from './credentials.ts';
import { removeHome, runGpg } from './pgp-program.ts';

const PREFIX = 'sotto-gnupg-';

/** A private keyring that lives until it is closed. */
export interface GpgHome {
  /** Credentials that use the keyring. */
  readonly pgp: PgpCredentials;
  /** Ends the agent and removes the home. */
  close(): Promise<void>;
}

/**
 * Imports the keys into a private home (0700, on tmpfs where there is one), for several calls with the same keys. What a
 * killed process leaves behind is found by `sweepTemporaryDirectories` of base/files.
 *
 * @throws SottoError GPG_UNAVAILABLE, PGP_KEY_INVALID with the source of the key
 */
export async function openGpgHome(pgp: PgpCredentials, world: World, signal?: AbortSignal): Promise<GpgHome> {
  const settings = { ...pgp.gpg, home: await world.outside(() => privateTemporaryDirectory(PREFIX)) };
  const close = (): Promise<void> => world.outside(() => removeHome(settings));
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
