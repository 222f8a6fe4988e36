import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import {
  openDocument,
  parseJsonValue,
  parsePath,
  sealDocument,
  setValue,
  type PathStep,
  type SopsValue,
} from '../../secrets/sops/index.ts';
import type { SopsCommand, SopsFace } from './face.ts';
import { ExitError, status } from './failures.ts';
import { fileStreams, readInput, writeTarget } from './files.ts';
import { readEncrypted } from './opening.ts';
import { IGNORE_MAC, ORDER, SET, THRESHOLD, toggle, TYPE_FLAGS } from './usage.ts';

/** `sops set FILE PATH VALUE`: one value, in place, under the same data key. */
export const setCommand: SopsCommand = {
  flags: [
    ...TYPE_FLAGS,
    toggle('value-file', "VALUE is the name of a file that holds the value, so that it isn't seen in process listings"),
    toggle('value-stdin', 'read the value from stdin'),
    { ...THRESHOLD, help: 'accepted, without effect' },
    IGNORE_MAC,
    toggle('idempotent', 'leave the file untouched when it has this value already'),
    ORDER,
  ],
  run: async (face) => {
    const { args } = face;
    if (args.has('value-file') && args.has('value-stdin'))
      throw new ExitError(status.generic, 'Error: cannot use both --value-file and --value-stdin');
    const wanted = args.has('value-stdin') ? 2 : 3;
    const [file, path, given = ''] = args.positional;
    if (file === undefined || path === undefined || args.positional.length !== wanted)
      throw new ExitError(
        status.noFile,
        `Error: no file specified, or index and value are missing. Need precisely ${wanted} positional arguments.`,
      );
    const steps = parseSteps(path, 'Invalid set index format');
    const value = parseValue(await valueText(given, face));
    await applySet(face, file, steps, value, args.has('idempotent'));
  },
};

/** `sops --set 'PATH VALUE' FILE`. */
export const legacySetCommand: SopsCommand = {
  flags: [...TYPE_FLAGS, SET, IGNORE_MAC, ORDER],
  run: async (face) => {
    const text = face.args.text('set') ?? '';
    const [file = ''] = face.args.positional;
    const end = text.indexOf('] ');
    if (end === -1) throw invalid('Invalid --set format');
    const value = parseValue(text.slice(end + 2));
    await applySet(face, file, parseSteps(text.slice(0, end + 1), 'Invalid --set format'), value, false);
  },
};

async function applySet(face: SopsFace, file: string, path: readonly PathStep[], value: SopsValue, isIdempotent: boolean): Promise<void> {
  const { args, world } = face;
  const streams = fileStreams(args, world, file);
  const { bytes, options } = await readEncrypted(face, streams, { ignoreMac: true, missing: 'unreadable' });
  const document = await openDocument(bytes, options);
  await face.audit('decrypt', file);
  const { tree, changed } = setValue(document.tree, path, value);
  if (!changed && isIdempotent) return;
  const sealed = sealDocument(document, tree, options);
  await face.audit('encrypt', file);
  await writeTarget(streams.path, sealed, world, false);
}

/** @throws ExitError 7 */
export function parseSteps(text: string, problem: string): PathStep[] {
  try {
    return parsePath(text);
  } catch (cause) {
    if (cause instanceof SottoError) throw invalid(problem);
    throw cause;
  }
}

/** The message never quotes the value. */
function parseValue(text: string): SopsValue {
  try {
    return parseJsonValue(text);
  } catch (cause) {
    if (cause instanceof SottoError) throw invalid('Value for --set is not valid JSON');
    throw cause;
  }
}

function invalid(problem: string): ExitError {
  return new ExitError(status.badSet, problem);
}

async function valueText(given: string, { args, world }: SopsFace): Promise<string> {
  if (args.has('value-stdin')) return Buffer.from(await readInput(undefined, world)).toString('utf8');
  if (!args.has('value-file')) return given;
  return world
    .outside(() => readFile(resolve(world.cwd, given), 'utf8'))
    .catch((cause: unknown) => {
      throw new ExitError(status.generic, `open ${given}: ${codeOf(cause) === 'ENOENT' ? 'no such file or directory' : codeOf(cause)}`);
    });
}
