import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { describeEnd, runChild } from './child.ts';
import { ExitError, status } from './failures.ts';
import { splitWords } from './words.ts';

const FALLBACKS = ['vim', 'nano', 'vi'];

/**
 * Opens a file in the user's editor and waits: `SOPS_EDITOR`, `EDITOR`, else the first of vim, nano and vi.
 *
 * @throws ExitError 201 without an editor, or when it fails
 */
export async function runEditor(path: string, world: World): Promise<void> {
  const [program = '', ...args] = await editorCommand(world);
  try {
    const end = await runChild({ program, args: [...args, path], env: world.env, world, takesInput: false });
    if (end.code !== 0) throw failure(describeEnd(end));
  } catch (error) {
    if (error instanceof SottoError && error.code === 'SOPS_PROGRAM') throw failure(error.message);
    throw error;
  }
}

async function editorCommand(world: World): Promise<string[]> {
  for (const name of ['SOPS_EDITOR', 'EDITOR']) {
    const words = splitWords(world.env[name] ?? '');
    if (words.length > 0) return words;
    if ((world.env[name] ?? '') !== '') throw failure(`invalid $${name}`);
  }
  for (const name of FALLBACKS) {
    const found = await lookUp(name, world);
    if (found !== undefined) return [found];
  }
  throw failure(`no editor available: neither SOPS_EDITOR nor EDITOR is set, and there is none of ${FALLBACKS.join(', ')}`);
}

async function lookUp(name: string, world: World): Promise<string | undefined> {
  for (const folder of (world.env['PATH'] ?? '').split(delimiter).filter((part) => part !== '')) {
    const path = join(folder, name);
    const isThere = await world.outside(() =>
      access(path, constants.X_OK).then(
        () => true,
        () => false,
      ),
    );
    if (isThere) return path;
  }
  return undefined;
}

function failure(why: string): ExitError {
  return new ExitError(status.noEditor, `Could not run editor: ${why}`);
}
