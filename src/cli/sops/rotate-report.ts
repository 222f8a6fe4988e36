import { execFile } from 'node:child_process';
import { basename, dirname, resolve } from 'node:path';

import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { masterKeys, readMetadata, rotationReport, type RotationReport, type SopsFormat } from '../../secrets/sops/index.ts';
import type { SopsCommand } from './face.ts';
import { ExitError, status } from './failures.ts';
import { conflict, readInput, streamsOf } from './files.ts';
import { toggle } from './usage.ts';

const MAX_OUTPUT = 64 * 1024 * 1024;

/** Adds `--report`, Sotto's own, to `rotate`: proof of what changed, and what those who lost access can still read in history. */
export function withReport(command: SopsCommand): SopsCommand {
  return {
    ...command,
    flags: [...command.flags, toggle('report', "with --in-place: say what changed, and what removed keys still open (Sotto's own)")],
    run: async (face) => {
      const { args, world } = face;
      if (!args.has('report')) return command.run(face);
      const { path, input } = streamsOf(args, world);
      if (path === undefined || !args.has('in-place')) throw conflict('--report needs --in-place');
      const before = await readInput(path, world, 'unreadable');
      const code = await command.run(face);
      const report = rotationReport(before, await readInput(path, world), input);
      world.stderr.write(describe(args.positional[0] ?? path, report));
      if (report.removed.length > 0) world.stderr.write(await describeHistory(path, input, report, world));
      if (report.sameWrappedKeys.length + report.sameTokens.length > 0) throw new ExitError(status.generic, 'the rotation is not complete');
      return code;
    },
  };
}

function describe(name: string, { removed, added, sameWrappedKeys, sameTokens, values }: RotationReport): string {
  const lines = [
    `${name}: rotation report`,
    `  removed keys: ${listed(removed)}`,
    `  added keys: ${listed(added)}`,
    `  wrapped data keys that stayed: ${listed(sameWrappedKeys)}`,
    `  encrypted values that stayed: ${listed(sameTokens)} (of ${values.length})`,
  ];
  return `${lines.join('\n')}\n`;
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ');
}

/** Old versions stay readable: only a change at the source helps. */
async function describeHistory(path: string, format: SopsFormat, { removed, values }: RotationReport, world: World): Promise<string> {
  const hashes = await commitsOf(path, world);
  if (hashes === undefined) return '  history: not in a git repository; copies elsewhere stay readable for the removed keys\n';
  const open: string[] = [];
  for (const hash of hashes) if (await isOpenTo(removed, hash, path, format, world)) open.push(hash.slice(0, 12));
  if (open.length === 0) return '  history: no commit has this file for a removed key\n';
  return `  commits in which a removed key opens this file: ${open.join(', ')}\n  change at their source: ${values.join(', ')}\n`;
}

async function commitsOf(path: string, world: World): Promise<string[] | undefined> {
  const output = await git(['log', '--format=%H', '--', basename(path)], path, world);
  return output?.split('\n').filter((line) => line !== '');
}

async function isOpenTo(keys: readonly string[], hash: string, path: string, format: SopsFormat, world: World): Promise<boolean> {
  const text = await git(['show', `${hash}:./${basename(path)}`], path, world);
  if (text === undefined) return false;
  try {
    const groups = masterKeys(readMetadata(Buffer.from(text, 'latin1'), format));
    return groups.flat().some(({ display }) => keys.includes(display));
  } catch (error) {
    // a version in plain text, or broken: anybody reads the first, nobody the second
    if (!(error instanceof SottoError)) throw error;
    return error.code === 'SOPS_METADATA_NOT_FOUND';
  }
}

/** Undefined: git failed, because there is no repository, or the file is not in the commit. */
function git(argv: readonly string[], path: string, world: World): Promise<string | undefined> {
  const options = { cwd: dirname(resolve(path)), encoding: 'latin1', maxBuffer: MAX_OUTPUT } as const;
  return world.outside(
    () => new Promise((done) => execFile('git', [...argv], options, (error, output) => done(error === null ? output : undefined))),
  );
}
