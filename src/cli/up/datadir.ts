import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { SottoError } from '../../base/errors/index.ts';
import { makePrivateDirectory, privateTemporaryDirectory, writePrivateFile } from '../../base/files/index.ts';

/** The folder of one embedded cluster. */
export interface DataDirectory {
  /** Where kubeconfig, certificates and the database lie. */
  readonly path: string;
  readonly databasePath: string;
  readonly kubeconfigPath: string;
  /** Removes what must not stay: the whole folder when nothing is kept. */
  close(): Promise<void>;
}

/** Files whose presence says that a folder is one of ours. */
const MARKERS = ['.gitignore', 'cluster.db', 'kubeconfig'];

/** Makes the data folder: 0700, with a `.gitignore` of `*`. Undefined keeps nothing and uses a private temporary folder. */
export async function openDataDirectory(path: string | undefined): Promise<DataDirectory> {
  if (path === undefined) {
    const temporary = await privateTemporaryDirectory('sotto-up-');
    return {
      path: temporary,
      databasePath: ':memory:',
      kubeconfigPath: join(temporary, 'kubeconfig'),
      close: () => rm(temporary, { recursive: true, force: true }),
    };
  }
  await makePrivateDirectory(path);
  await writePrivateFile(join(path, '.gitignore'), '*\n');
  return { path, databasePath: join(path, 'cluster.db'), kubeconfigPath: join(path, 'kubeconfig'), close: async () => {} };
}

/**
 * Wipes a data folder.
 *
 * @throws SottoError DATA_DIR_FOREIGN when the folder holds something but is none of ours
 */
export async function wipeDataDirectory(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const names = readdirSync(path);
  if (names.length > 0 && !MARKERS.some((marker) => names.includes(marker))) {
    throw new SottoError('DATA_DIR_FOREIGN', `${path} does not look like a data folder of sotto`, {
      hint: 'nothing was removed; check --data-dir',
    });
  }
  await rm(path, { recursive: true, force: true });
  return true;
}
