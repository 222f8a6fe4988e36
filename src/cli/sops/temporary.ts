import { rmSync } from 'node:fs';

import { privateTemporaryDirectory, sweepTemporaryDirectories } from '../../base/files/index.ts';
import type { World } from '../../base/world/index.ts';

/** A folder for plain text that only we can enter. */
export interface SecretDirectory {
  readonly path: string;
  /** Now, without waiting: also good in a signal handler. */
  remove(): void;
}

/** Makes a private folder, on tmpfs where there is one, which is gone when this process ends. What a killed process left behind is removed first. */
export async function secretDirectory(world: World): Promise<SecretDirectory> {
  await world.outside(() => sweepTemporaryDirectories());
  const path = await world.outside(() => privateTemporaryDirectory('sotto-sops-'));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.on('exit', remove);
  return { path, remove };
}
