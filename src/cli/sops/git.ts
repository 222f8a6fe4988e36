import { execFile } from 'node:child_process';
import { appendFile, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { codeOf, messageOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { decrypt, formatForPath, isEncrypted, maskDocument, mergeDocuments } from '../../secrets/sops/index.ts';
import type { SopsCommand } from './face.ts';
import { ExitError, status } from './failures.ts';
import { fileStreams, readInput, writeBytes, writeTarget } from './files.ts';
import { readEncrypted } from './opening.ts';
import { ORDER, toggle } from './usage.ts';

/** Settings of git that name our drivers. */
const SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ['merge.sops.name', 'merge of files encrypted with sops'],
  ['merge.sops.driver', 'sotto sops git merge %O %A %B %P'],
  ['diff.sops.textconv', 'sotto sops git textconv'],
];
const PATTERNS = ['*.enc.yaml', '*.enc.yml', '*.enc.json', '*.enc.env', '*.enc.ini'];

/** `sops git install [PATTERN…]`, Sotto's own: names the drivers in the repository's configuration, and files in .gitattributes. */
export const gitInstallCommand: SopsCommand = {
  flags: [],
  run: async ({ args, world }) => {
    const top = (await git(['rev-parse', '--show-toplevel'], world)).trim();
    for (const [name, value] of SETTINGS) await git(['config', name, value], world);
    const file = join(top, '.gitattributes');
    const text = await world
      .outside(() => readFile(file, 'utf8'))
      .catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return '';
        throw error;
      });
    const patterns = args.positional.length === 0 ? PATTERNS : args.positional;
    const known = new Set(text.split('\n'));
    const lines = patterns.map((pattern) => `${pattern} merge=sops diff=sops`).filter((line) => !known.has(line));
    const separator = text === '' || text.endsWith('\n') ? '' : '\n';
    if (lines.length > 0) await world.outside(() => appendFile(file, `${separator}${lines.join('\n')}\n`));
    world.stdout.write(`merge and diff drivers installed; ${lines.length} lines added to ${file}\n`);
  },
};

/** `sops git textconv FILE`: what git shows in diffs; values are masked, and no key is needed, unless `--show-values`. */
export const gitTextconvCommand: SopsCommand = {
  flags: [toggle('show-values', 'decrypt'), ORDER],
  run: async (face) => {
    const { args, world } = face;
    const [file] = args.positional;
    if (file === undefined) throw new ExitError(status.noFile, 'Error: no file specified');
    const streams = fileStreams(args, world, file, 'none');
    const bytes = await readInput(streams.path, world);
    if (!isEncrypted(bytes, streams.input)) return writeBytes(world.stdout, bytes);
    if (!args.has('show-values')) return world.stdout.write(maskDocument(bytes, streams.input, file));
    const { options } = await readEncrypted(face, streams);
    await face.audit('decrypt', file);
    return writeBytes(world.stdout, (await decrypt(bytes, options)).bytes);
  },
};

/**
 * `sops git merge BASE OURS THEIRS [PATH]`, called by git: writes the merged file over OURS. Status 1 leaves a conflict; where
 * both sides changed a value, ours stands.
 */
export const gitMergeCommand: SopsCommand = {
  flags: [ORDER],
  run: async (face) => {
    const { args, world } = face;
    const [base, ours, theirs, path] = args.positional;
    if (base === undefined || ours === undefined || theirs === undefined)
      throw new ExitError(status.noFile, 'Error: three files are needed');
    const name = path ?? ours;
    const format = formatForPath(name);
    const read = (file: string): Promise<Uint8Array> => readInput(resolve(world.cwd, file), world);
    const [original, mine, other] = [await read(base), await read(ours), await read(theirs)];
    if (!isEncrypted(mine, format) || !isEncrypted(other, format)) return mergeAsText([ours, base, theirs], world);
    // git's names for the three have no suffix
    const streams = { ...fileStreams(args, world, ours, 'none'), name, input: format, output: format };
    const { options } = await readEncrypted(face, streams);
    await face.audit('decrypt', name);
    const input = { base: isEncrypted(original, format) ? original : undefined, ours: mine, theirs: other };
    const { bytes, conflicts } = await mergeDocuments(input, options);
    await face.audit('encrypt', name);
    await writeTarget(resolve(world.cwd, ours), bytes, world, false);
    for (const where of conflicts) world.stderr.write(`${name}: both sides changed ${where}; ours stands\n`);
    if (conflicts.length > 0) world.stderr.write('settle this with sops edit, then git add\n');
    return conflicts.length === 0 ? status.ok : status.generic;
  },
};

async function mergeAsText(files: readonly string[], world: World): Promise<number> {
  return world.outside(
    () =>
      new Promise((done) => {
        execFile('git', ['merge-file', ...files], { cwd: world.cwd }, (error) => done(error === null ? status.ok : status.generic));
      }),
  );
}

async function git(argv: readonly string[], world: World): Promise<string> {
  return world.outside(
    () =>
      new Promise((done, fail) => {
        execFile('git', [...argv], { cwd: world.cwd, encoding: 'utf8' }, (error, output) => {
          if (error === null) done(output);
          else fail(new SottoError('SOPS_GIT', `git ${argv[0] ?? ''} failed: ${messageOf(error)}`));
        });
      }),
  );
}
