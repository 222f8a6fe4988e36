import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { codeOf, messageOf, SottoError } from '../../base/errors/index.ts';
import { writePrivateFile } from '../../base/files/index.ts';
import {
  formatWithMetadata,
  formatPlain,
  parsePlain,
  parseWithMetadata,
  sealDocument,
  type SealOptions,
  type SopsDocument,
  type SopsTree,
} from '../../secrets/sops/index.ts';
import { runEditor } from './editor.ts';
import type { SopsFace } from './face.ts';
import { ExitError, status } from './failures.ts';
import { writeTarget } from './files.ts';
import { readLine } from './prompt.ts';
import { onStop } from './signals.ts';
import { secretDirectory } from './temporary.ts';

const AGAIN = 'Press enter to return to the editor, or Ctrl+C to exit.';

export interface EditOptions extends SealOptions {
  /** Where the result goes. */
  readonly path: string;
  /** Show the metadata as well. They cannot be changed here. */
  readonly showKeys: boolean;
  readonly audit: SopsFace['audit'];
}

/**
 * Lets the user edit the plain text in a private folder that is gone afterwards, whatever happens. What cannot be read, encrypted or
 * written is explained, and the editor opens again with the text as it was left.
 *
 * @throws ExitError 200 (nothing changed), 201 (editor), 1 (stopped by a signal)
 */
export async function editDocument(document: SopsDocument, options: EditOptions): Promise<void> {
  const { world, path } = options;
  const directory = await secretDirectory(world);
  const stopped = Promise.withResolvers<never>();
  const forget = onStop(() => {
    directory.remove();
    stopped.reject(new ExitError(status.generic, 'User canceled operation'));
  });
  try {
    await Promise.race([session(join(directory.path, basename(path)), document, options), stopped.promise]);
  } finally {
    forget();
    directory.remove();
  }
}

async function session(temporary: string, document: SopsDocument, options: EditOptions): Promise<void> {
  const { world, format, showKeys } = options;
  const shown = showKeys ? formatWithMetadata(document, format, options) : formatPlain(document.tree, format, options);
  await world.outside(() => writePrivateFile(temporary, shown));
  for (;;) {
    await runEditor(temporary, world);
    const edited = await readEdited(temporary, options);
    if (Buffer.from(shown).equals(edited)) throw new ExitError(status.notModified, 'File has not changed, exiting.');
    try {
      const tree = readTree(edited, document, options);
      const sealed = sealDocument(document, tree, { ...options, raiseVersion: true });
      await options.audit('encrypt', options.path);
      return await writeTarget(options.path, sealed, world, false);
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      world.stderr.write(`${messageOf(error)}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}${AGAIN}\n`);
      if ((await readLine(world)) === undefined) throw error;
    }
  }
}

async function readEdited(temporary: string, { world }: EditOptions): Promise<Buffer> {
  try {
    return await world.outside(() => readFile(temporary));
  } catch (cause) {
    throw new ExitError(status.unreadable, `Could not read edited file: ${codeOf(cause)}`);
  }
}

/** Values may change; the metadata are not the editor's to change. */
function readTree(edited: Uint8Array, document: SopsDocument, { format, path, showKeys }: EditOptions): SopsTree {
  const file = basename(path);
  return showKeys ? parseWithMetadata(edited, document, format, file) : parsePlain(edited, format, file);
}
