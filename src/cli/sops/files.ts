import { readFile, realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isUtf8 } from 'node:buffer';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import { writeFileAtomic } from '../../base/files/index.ts';
import type { Output, World } from '../../base/world/index.ts';
import { formatForPath, type SopsFormat } from '../../secrets/sops/index.ts';
import type { Arguments } from '../flags.ts';

const FORMATS: readonly SopsFormat[] = ['yaml', 'json', 'dotenv', 'ini', 'binary'];
const SECRET_FILE = 0o600;
const ORDINARY_FILE = 0o644;

/** What a command reads and where its result goes. */
export interface Streams {
  /** Undefined: stdin. */
  readonly path: string | undefined;
  /** The name that decides format and creation rule. */
  readonly name: string;
  readonly input: SopsFormat;
  readonly output: SopsFormat;
}

export function conflict(message: string): SottoError {
  return new SottoError('SOPS_CONFLICT', `Error: ${message}`);
}

/** Streams of a command that works on one file, without `--in-place` and `--output`. @throws SottoError SOPS_FORMAT_UNKNOWN */
export function fileStreams(
  args: Arguments,
  world: World,
  file: string,
  types: 'both' | 'input' | 'none' = 'both',
): Streams & { readonly path: string } {
  const input = (types === 'none' ? undefined : formatFlag(args, 'input-type')) ?? formatForPath(file);
  const output = types === 'both' ? (formatFlag(args, 'output-type') ?? formatForPath(file)) : input;
  return { path: resolve(world.cwd, file), name: file, input, output };
}

/** @throws SottoError SOPS_CONFLICT, SOPS_FORMAT_UNKNOWN */
export function streamsOf(args: Arguments, world: World): Streams {
  const [file] = args.positional;
  if (args.has('in-place') && args.text('output') !== undefined) throw conflict('cannot operate on both --output and --in-place');
  if (args.has('in-place') && file === undefined) throw conflict('cannot use --in-place when reading from stdin');
  const name = args.text('filename-override') ?? file ?? '';
  const input = formatFlag(args, 'input-type') ?? formatForPath(name);
  return {
    path: file === undefined ? undefined : resolve(world.cwd, file),
    name,
    input,
    output: formatFlag(args, 'output-type') ?? outputFor(args, input),
  };
}

/** The output follows the name only when the input type was not forced. */
function outputFor(args: Arguments, input: SopsFormat): SopsFormat {
  const name = args.text('filename-override') ?? args.positional[0];
  return name === undefined || args.text('input-type') === undefined ? input : formatForPath(name);
}

function formatFlag(args: Arguments, flag: string): SopsFormat | undefined {
  const word = args.text(flag);
  if (word === undefined) return undefined;
  const format = FORMATS.find((known) => known === word);
  if (format === undefined)
    throw new SottoError('SOPS_FORMAT_UNKNOWN', `--${flag}: unknown format '${word}'`, { hint: `one of ${FORMATS.join(', ')}` });
  return format;
}

/**
 * @param missing what a file that does not exist is: statuses differ from command to command
 * @throws SottoError SOPS_NO_FILE, SOPS_UNREADABLE
 */
export async function readInput(
  path: string | undefined,
  world: World,
  missing: 'no-file' | 'unreadable' = 'no-file',
): Promise<Uint8Array> {
  if (path === undefined) return readStdin(world);
  try {
    return new Uint8Array(await world.outside(() => readFile(path)));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' && missing === 'unreadable')
      throw new SottoError('SOPS_UNREADABLE', `Error reading file: open ${path}: no such file or directory`, { cause });
    if (codeOf(cause) === 'ENOENT') throw new SottoError('SOPS_NO_FILE', `Error: cannot operate on non-existent file "${path}"`, { cause });
    throw new SottoError('SOPS_UNREADABLE', `cannot read "${path}": ${codeOf(cause)}`, { cause });
  }
}

async function readStdin(world: World): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of world.stdin) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * Writes the result: in place, to `--output`, or to stdout. A new file with plain secrets is readable by its owner only.
 *
 * @throws SottoError SOPS_UNWRITABLE
 */
export async function writeResult(bytes: Uint8Array, args: Arguments, streams: Streams, world: World, isSecret: boolean): Promise<void> {
  const output = args.text('output');
  const target = args.has('in-place') ? streams.path : output === undefined ? undefined : resolve(world.cwd, output);
  if (target === undefined) return writeBytes(world.stdout, bytes);
  return writeTarget(target, bytes, world, isSecret);
}

/** Replaces a file in one step. @throws SottoError SOPS_UNWRITABLE */
export async function writeTarget(target: string, bytes: Uint8Array, world: World, isSecret: boolean): Promise<void> {
  try {
    await world.outside(async () => {
      const found = await stat(target).catch(() => undefined);
      if (found?.isDirectory() === true) throw new SottoError('SOPS_UNWRITABLE', `"${target}" is a directory`);
      // a link stays a link
      const real = found === undefined ? target : await realpath(target);
      await writeFileAtomic(real, bytes, isSecret ? SECRET_FILE : ORDINARY_FILE);
    });
  } catch (cause) {
    throw new SottoError('SOPS_UNWRITABLE', `could not write to "${target}": ${codeOf(cause)}`, { cause });
  }
}

/** Text outputs cannot carry bytes that are no UTF-8; real streams can. */
export function writeBytes(output: Output & { readonly writeBytes?: (bytes: Uint8Array) => void }, bytes: Uint8Array): void {
  if (output.writeBytes !== undefined) return output.writeBytes(bytes);
  if (!isUtf8(bytes)) throw new SottoError('SOPS_UNWRITABLE', 'the result is no text', { hint: 'write it to a file with --output' });
  output.write(Buffer.from(bytes).toString());
}
