import { SottoError } from '../../base/errors/index.ts';
import { isEncryptedFile } from '../../secrets/sops/index.ts';
import { loadConfig } from './config.ts';
import type { SopsCommand } from './face.ts';
import { ExitError, status } from './failures.ts';
import { fileStreams, readInput } from './files.ts';
import { TYPE_FLAGS } from './usage.ts';

/** `sops filestatus FILE`: one line of JSON. */
export const fileStatusCommand: SopsCommand = {
  flags: TYPE_FLAGS.filter(({ name }) => name === 'input-type'),
  run: async ({ args, world, warn }) => {
    const [file] = args.positional;
    if (file === undefined) throw new ExitError(status.noFile, 'Error: no file specified');
    await loadConfig(args, world, warn);
    const { path, input } = fileStreams(args, world, file, 'input');
    try {
      const encrypted = isEncryptedFile(await readInput(path, world, 'unreadable'), input, file);
      world.stdout.write(`${JSON.stringify({ encrypted })}\n`);
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      throw new ExitError(status.generic, `cannot check file status: cannot load encrypted file: ${error.message}`);
    }
  },
};
