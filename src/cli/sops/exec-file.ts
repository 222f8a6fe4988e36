import { isAbsolute, join, normalize } from 'node:path';

import { writePrivateFile } from '../../base/files/index.ts';
import { decrypt } from '../../secrets/sops/index.ts';
import type { SopsCommand } from './face.ts';
import { ExitError, status } from './failures.ts';
import { openFifo } from './fifo.ts';
import { fileStreams } from './files.ts';
import { readEncrypted } from './opening.ts';
import { runShell } from './shell.ts';
import { secretDirectory, type SecretDirectory } from './temporary.ts';
import { BACKGROUND, ORDER, toggle, TYPE_FLAGS, USER, value } from './usage.ts';
import { becomeUser } from './user.ts';

const DEFAULT_NAME = 'tmp-file';

/** `sops exec-file FILE COMMAND`: the plain text as a file whose name replaces `{}` in a command. */
export const execFileCommand: SopsCommand = {
  flags: [
    BACKGROUND,
    toggle('no-fifo', 'a regular file instead of a pipe'),
    USER,
    ...TYPE_FLAGS,
    value('filename', `name of the file (default: ${DEFAULT_NAME})`),
    ORDER,
  ],
  run: async (face) => {
    const { args, world, warn } = face;
    const [file, command] = args.positional;
    if (file === undefined || command === undefined || args.positional.length !== 2)
      throw new ExitError(status.generic, 'error: missing file to decrypt');
    const { bytes, options } = await readEncrypted(face, fileStreams(args, world, file), { missing: 'unreadable' });
    const plain = (await decrypt(bytes, options)).bytes;
    await face.audit('decrypt', file);
    if (args.has('background')) warn("exec-file's --background option is deprecated");
    const name = localName(args.text('filename'));
    // from here on everything belongs to the user, the folder included
    const user = args.text('user') ?? '';
    const variables = user === '' ? {} : becomeUser(user);
    const directory = await secretDirectory(world);
    try {
      return await withFile(plain, directory, { name, isFifo: !args.has('no-fifo') && process.platform !== 'win32', world }, (path) =>
        runShell(
          command.replaceAll('{}', () => path),
          { world, background: args.has('background'), pristine: false, variables },
        ),
      );
    } finally {
      directory.remove();
    }
  },
};

/** @throws ExitError 1 for a name that leads out of the folder */
function localName(given: string | undefined): string {
  const name = given === undefined || given === '' ? DEFAULT_NAME : given;
  const normal = normalize(name);
  if (isAbsolute(name) || normal === '..' || normal.startsWith('../') || name.includes('\0'))
    throw new ExitError(status.generic, 'The provided filename is not a local path.');
  return name;
}

interface FileOptions {
  readonly name: string;
  readonly isFifo: boolean;
  readonly world: Parameters<typeof secretDirectory>[0];
}

async function withFile(
  plain: Uint8Array,
  directory: SecretDirectory,
  { name, isFifo, world }: FileOptions,
  run: (path: string) => Promise<number>,
): Promise<number> {
  const path = join(directory.path, name);
  if (!isFifo) {
    await world.outside(() => writePrivateFile(path, plain));
    return run(path);
  }
  const fifo = await world.outside(() => openFifo(path, plain));
  try {
    return await run(path);
  } finally {
    await world.outside(() => fifo.close());
  }
}
