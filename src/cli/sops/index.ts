/**
 * `sops`: the commands of SOPS with upstream's flags, exit statuses and messages, one file each. `publish` is refused by
 * name; `explain` is Sotto's own.
 *
 * @module
 */
import { resolve } from 'node:path';

import type { Entropy, World } from '../../base/world/index.ts';
import { FORMAT_VERSION } from '../../secrets/sops/index.ts';
import { parseArguments } from '../flags.ts';
import { AUDIT_FILE, openAudit } from './audit.ts';
import type { CommandEntry } from './commands.ts';
import type { SopsFace } from './face.ts';
import { describeFailure, ExitError, status, statusOf } from './failures.ts';
import { commandHelp, overview } from './help.ts';
import { keyServicesOf, takeLocalFlag } from './key-service-flags.ts';
import { chooseMode, findEntry, firstPositional, type Chosen } from './mode.ts';
import { releaseInput } from './prompt.ts';
import { GLOBAL_FLAGS } from './usage.ts';

/**
 * Runs `sops` with these arguments (without the program's name) and gives its exit status.
 *
 * @param auditFile where the audit log is configured
 */
export async function main(argv: readonly string[], world: World, entropy: Entropy, auditFile = AUDIT_FILE): Promise<number> {
  if (argv.length === 0 || argv.includes('--help') || argv.includes('-h') || argv[0] === 'help') {
    const entry = findEntry(argv, firstPositional(argv, GLOBAL_FLAGS));
    world.stdout.write(entry === undefined ? overview() : await commandHelp(entry));
    return status.ok;
  }
  if (argv.includes('--version') || argv[0] === '-v') {
    world.stdout.write(`sops ${FORMAT_VERSION}\n`);
    return status.ok;
  }
  let chosen: Chosen | undefined;
  try {
    const { rest, isLocal } = takeLocalFlag(argv, world.env);
    chosen = await chooseMode(rest);
    return await run(chosen, { isLocal, auditFile }, world, entropy);
  } catch (error) {
    world.stderr.write(describeFailure(error, world.stderr.isTTY));
    return statusOf(error, chosen?.entry.phase ?? 'decrypt', chosen?.command.statuses);
  } finally {
    releaseInput(world);
  }
}

/** Commands that take more than one positional argument. */
const SEVERAL: ReadonlySet<CommandEntry['name']> = new Set([
  'set',
  'unset',
  'updatekeys',
  'exec-env',
  'exec-file',
  'check',
  'verify',
  'git textconv',
  'git merge',
]);

interface Settings {
  readonly isLocal: boolean;
  readonly auditFile: string;
}

async function run(chosen: Chosen, settings: Settings, world: World, entropy: Entropy): Promise<number> {
  const { command, entry, isLegacy } = chosen;
  const args = await parseArguments(chosen.rest, [...chosen.flags, ...GLOBAL_FLAGS]);
  const [first, second] = args.positional;
  if (isLegacy && first === undefined) throw new ExitError(status.noFile, 'Error: no file specified');
  const warn = (message: string): void => world.stderr.write(`[warning] ${message}\n`);
  if (second !== undefined && (isLegacy || !SEVERAL.has(entry.name))) warn(`more than one file was given; only ${first ?? ''} is used`);
  if (chosen.isAmbiguous) warn(`more than one of --encrypt, --decrypt, --rotate and --set was given; only --${entry.name} counts`);
  const services = keyServicesOf(args, world, entropy, settings.isLocal);
  const log = await openAudit(world, settings.auditFile);
  const audit: SopsFace['audit'] = (action, name) => log.record(action, resolve(world.cwd, name));
  try {
    return (await command.run({ args, world, entropy, isLegacy, warn, audit, keyServices: services.keyServices })) ?? status.ok;
  } finally {
    services.close();
    await log.close();
  }
}
