import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { matchCreationRule, parseConfig, type CreationRule, type SopsConfig, type SopsFormat } from '../../secrets/sops/index.ts';
import type { Arguments } from '../flags.ts';
import type { SopsFace } from './face.ts';

const NAME = '.sops.yaml';
const IGNORED_NAME = '.sops.yml';
const MAX_PARENTS = 100;

/**
 * Finds and parses the configuration: `--config`, else `SOPS_CONFIG`, else the first `.sops.yaml` from the working
 * directory upward. A missing file is fine unless it was named.
 *
 * @throws SottoError SOPS_CONFIG_INVALID, SOPS_CONFIG_UNREADABLE, or what parsing throws
 */
export async function loadConfig(args: Arguments, world: World, warn: (message: string) => void): Promise<SopsConfig | undefined> {
  const named = args.text('config') ?? world.env['SOPS_CONFIG'];
  const path = named === undefined || named === '' ? await findUpward(world, warn) : resolve(world.cwd, named);
  if (path === undefined) return undefined;
  const config = parseConfig(await readConfig(path, world), path);
  const [first] = config.warnings;
  if (first !== undefined && args.has('strict')) throw new SottoError('SOPS_CONFIG_INVALID', first, { at: { file: path } });
  for (const warning of config.warnings) warn(`${path}: ${warning}`);
  return config;
}

/** The rule for the file that a command works on; undefined without configuration or rules. */
export async function loadConfigRule({ args, world, warn }: SopsFace): Promise<CreationRule | undefined> {
  const config = await loadConfig(args, world, warn);
  const name = args.text('filename-override') ?? args.positional[0] ?? '';
  return config === undefined ? undefined : matchCreationRule(config, name, world.cwd);
}

async function readConfig(path: string, world: World): Promise<string> {
  try {
    return await world.outside(() => readFile(path, 'utf8'));
  } catch (cause) {
    throw new SottoError('SOPS_CONFIG_UNREADABLE', `could not read config file "${path}": ${codeOf(cause)}`, { cause });
  }
}

async function findUpward(world: World, warn: (message: string) => void): Promise<string | undefined> {
  let directory = world.cwd;
  for (let level = 0; level < MAX_PARENTS; level++) {
    if (await isFile(join(directory, NAME), world)) return join(directory, NAME);
    if (await isFile(join(directory, IGNORED_NAME), world)) warn(`${join(directory, IGNORED_NAME)} is ignored: the name must be ${NAME}`);
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
  return undefined;
}

function isFile(path: string, world: World): Promise<boolean> {
  return world.outside(() =>
    stat(path).then(
      (found) => found.isFile(),
      () => false,
    ),
  );
}

/** Indentation of the output: flag, else configuration, else the format's default. */
export function indentFor(format: SopsFormat, args: Arguments, config: SopsConfig | undefined): number | undefined {
  const flag = args.text('indent');
  if (flag !== undefined) {
    if (!/^-?\d{1,3}$/.test(flag)) throw new SottoError('SOPS_INDENT_INVALID', `--indent: expected a number`);
    return Number(flag);
  }
  const stores = config?.stores ?? {};
  if (format === 'yaml') return stores.yaml === 0 ? undefined : stores.yaml;
  return format === 'json' ? stores.json : format === 'binary' ? stores.jsonBinary : undefined;
}
