import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { messageOf, SottoError } from '../../base/errors/index.ts';
import {
  matchCreationRule,
  masterKeys,
  readMetadata,
  rewrapDataKey,
  ruleKeys,
  type KeyGroups,
  type SopsConfig,
} from '../../secrets/sops/index.ts';
import { loadConfig } from './config.ts';
import type { SopsCommand, SopsFace } from './face.ts';
import { describeFailure, ExitError, status } from './failures.ts';
import { fileStreams, readInput, writeTarget } from './files.ts';
import { diffGroups, isChanged, printDiff } from './key-diff.ts';
import { readEncrypted } from './opening.ts';
import { confirm } from './prompt.ts';
import { toggle, TYPE_FLAGS } from './usage.ts';

/** `sops updatekeys FILE…`: wraps the same data key for the recipients of the creation rule. */
export const updateKeysCommand: SopsCommand = {
  flags: [toggle('yes', 'do not ask', 'y'), ...TYPE_FLAGS.filter(({ name }) => name === 'input-type')],
  run: async (face) => {
    const { args, world, warn } = face;
    const files = args.positional;
    const config = await loadConfig(args, world, warn);
    if (config === undefined) throw new ExitError(status.generic, 'config file not found');
    if (files.length === 0) throw new ExitError(status.noFile, 'Error: no file specified');
    let failed = 0;
    for (const file of files) {
      try {
        await updateKeys(file, config, face);
      } catch (error) {
        if (files.length === 1) throw error;
        failed++;
        world.stderr.write(describeFailure(error, world.stderr.isTTY));
      }
    }
    if (failed > 0) throw new ExitError(status.generic, `failed updating ${failed} key(s)`);
  },
};

async function updateKeys(file: string, config: SopsConfig, face: SopsFace): Promise<void> {
  const { args, world } = face;
  const log = (text: string): void => world.stderr.write(`${text}\n`);
  const path = resolve(world.cwd, file);
  await refuseDirectory(path, face);
  log(`Syncing keys for file ${path}`);
  const streams = fileStreams(args, world, file, 'input');
  const rule = matchCreationRule(config, path, world.cwd);
  const metadata = readMetadata(await readInput(path, world, 'unreadable'), streams.input, file);
  if (rule === undefined) throw new ExitError(status.generic, `The config file ${config.file} does not contain any creation rule`);
  const groups: KeyGroups = ruleKeys(rule);
  const before = metadata.shamirThreshold;
  const shamirThreshold = Math.min(before, groups.length);
  const diffs = diffGroups(masterKeys(metadata), groups);
  if (!isChanged(diffs) && shamirThreshold === before) return log(`File ${path} already up to date`);
  world.stdout.write("The following changes will be made to the file's groups:\n");
  printDiff(diffs, before, shamirThreshold, world.stdout);
  if (!args.has('yes') && !(await confirm('Is this okay? (y/n):', world))) return log(`File ${path} left unchanged`);
  const { bytes, options } = await readEncrypted(face, streams, { order: false, missing: 'unreadable' });
  const rewrapped = await rewrapDataKey(bytes, { ...options, groups: () => groups, shamirThreshold });
  await writeTarget(path, rewrapped, world, false);
  log(`File ${path} synced with new keys`);
}

async function refuseDirectory(path: string, { world }: SopsFace): Promise<void> {
  const found = await world
    .outside(() => stat(path))
    .catch((error: unknown) => {
      const problem = messageOf(error).includes('ENOENT') ? 'no such file or directory' : messageOf(error);
      throw new SottoError('SOPS_STAT', `stat ${path}: ${problem}`);
    });
  if (found.isDirectory()) throw new SottoError('SOPS_STAT', "can't operate on a directory");
}
