import { access } from 'node:fs/promises';

import type { MasterKey } from '../../secrets/keys/index.ts';
import { loadConfigRule } from './config.ts';
import { rotateDataKey, type KeyGroups } from '../../secrets/sops/index.ts';
import type { SopsCommand, SopsFace } from './face.ts';
import { ExitError, status } from './failures.ts';
import { streamsOf, writeResult } from './files.ts';
import { readEncrypted } from './opening.ts';
import { keysOfFlags } from './recipients.ts';
import { CHANGE_KEY_FLAGS, CONTEXT, FILE_FLAGS, IGNORE_MAC, ORDER } from './usage.ts';

/** `sops rotate`: a new data key, every value encrypted again; keys can be added and removed on the way. */
export const rotateCommand: SopsCommand = {
  flags: [...FILE_FLAGS, CONTEXT, ...CHANGE_KEY_FLAGS, ORDER],
  run: (face) => rotate(face, false),
};

/** `sops -r`: the same with `--ignore-mac`; the creation rule of the file is read and must be valid. */
export const legacyRotateCommand: SopsCommand = {
  flags: [...rotateCommand.flags, IGNORE_MAC],
  run: async (face) => {
    await refuseMissing(face, 'no-file');
    await loadConfigRule(face);
    await rotate(face, true);
  },
};

async function rotate(face: SopsFace, isLegacy: boolean): Promise<void> {
  const { args, world } = face;
  if (args.positional.length === 0) throw new ExitError(status.noFile, 'Error: no file specified');
  await refuseMissing(face, 'unreadable');
  const streams = streamsOf(args, world);
  const added = keysOfFlags(face, 'add-');
  const removed = keysOfFlags(face, 'rm-');
  const { bytes, options } = await readEncrypted(face, streams, { ignoreMac: isLegacy, missing: 'unreadable' });
  await face.audit('rotate', streams.name);
  const rotated = await rotateDataKey(bytes, { ...options, groups: (groups) => changeKeys(groups, added, removed) });
  await face.audit('decrypt', streams.name);
  await face.audit('encrypt', streams.name);
  await writeResult(rotated, args, streams, world, false);
}

/** Additions go to the first group, removals count in all of them. */
function changeKeys(groups: KeyGroups, added: readonly MasterKey[], removed: readonly MasterKey[]): KeyGroups {
  const gone = new Set(removed.map((key) => key.display));
  return groups.map((group, index) => [...group, ...(index === 0 ? added : [])].filter((key) => !gone.has(key.display)));
}

/** @throws ExitError 49 when keys of a missing file are to be changed, 100 for a missing file where that is the status */
async function refuseMissing(face: SopsFace, missing: 'no-file' | 'unreadable'): Promise<void> {
  const { args, world } = face;
  const [file] = args.positional;
  const { path } = streamsOf(args, world);
  if (file === undefined || path === undefined) return;
  const isThere = await world.outside(() =>
    access(path).then(
      () => true,
      () => false,
    ),
  );
  if (isThere) return;
  if (CHANGE_KEY_FLAGS.some(({ name }) => (args.text(name) ?? '') !== '')) {
    throw new ExitError(
      status.keysOfMissingFile,
      `Error: cannot add or remove keys on non-existent file "${path}", use the \`edit\` subcommand instead.`,
    );
  }
  if (missing === 'no-file') throw new ExitError(status.noFile, `Error: cannot operate on non-existent file "${path}"`);
}
