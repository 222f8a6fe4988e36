import { SottoError } from '../../base/errors/index.ts';
import { decryptToTree, environmentOf } from '../../secrets/sops/index.ts';
import type { SopsCommand } from './face.ts';
import { ExitError, status } from './failures.ts';
import { conflict, fileStreams } from './files.ts';
import { readEncrypted } from './opening.ts';
import { runShell } from './shell.ts';
import { BACKGROUND, ORDER, toggle, USER } from './usage.ts';

/** `sops exec-env FILE COMMAND`: the top-level keys of the file in the environment of a command. */
export const execEnvCommand: SopsCommand = {
  flags: [
    BACKGROUND,
    toggle('pristine', 'give the command nothing but the values of the file'),
    USER,
    toggle('same-process', 'replace this process by the command'),
    ORDER,
  ],
  run: async (face) => {
    const { args, world, warn } = face;
    const [file, command] = args.positional;
    if (file === undefined || command === undefined || args.positional.length !== 2)
      throw new ExitError(status.generic, 'error: missing file to decrypt');
    const background = args.has('background');
    if (background) warn("exec-env's --background option is deprecated");
    if (background && args.has('same-process')) throw conflict('The --same-process flag cannot be used with --background');
    const { bytes, options } = await readEncrypted(face, fileStreams(args, world, file, 'none'), { missing: 'unreadable' });
    const { tree } = await decryptToTree(bytes, options);
    await face.audit('decrypt', file);
    return runShell(command, {
      world,
      background,
      pristine: args.has('pristine'),
      variables: variablesOf(() => environmentOf(tree, warn)),
      user: args.text('user'),
      sameProcess: args.has('same-process'),
    });
  },
};

function variablesOf(read: () => Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  try {
    return read();
  } catch (error) {
    if (error instanceof SottoError) throw new ExitError(status.generic, error.message);
    throw error;
  }
}
