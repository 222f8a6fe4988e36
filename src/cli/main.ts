import { basename } from 'node:path';

import type { Entropy, World } from '../base/world/index.ts';
import { COMMANDS, DROP_INS, findCommand, findDropIn } from './commands.ts';
import { exit } from './command.ts';
import { exitCodeOf, renderError } from './errors.ts';
import { parseArguments, usageError } from './flags.ts';
import { commandHelp, GLOBAL_FLAGS, overview } from './help.ts';
import { nearest } from './nearest.ts';
import { styleFor } from './style.ts';

/**
 * The whole program: arguments in, exit status out. `program` is the name it was called by; when that is a program
 * Sotto stands in for (`sops`, `age-keygen`), it behaves as that one.
 */
export async function main(
  argv: readonly string[],
  world: World,
  entropy: Entropy,
  signal: AbortSignal,
  program = 'sotto',
): Promise<number> {
  const asProgram = findDropIn(basename(program).replace(/\.(exe|js)$/, ''));
  if (asProgram !== undefined) return (await asProgram.load())(argv, world, entropy);
  try {
    return await dispatch(argv, world, entropy, signal);
  } catch (error) {
    const style = styleFor(undefined, world.env, world.stderr.isTTY);
    world.stderr.write(renderError(error, style, world.env['SOTTO_DEBUG'] === '1'));
    return exitCodeOf(error);
  }
}

async function dispatch(argv: readonly string[], world: World, entropy: Entropy, signal: AbortSignal): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') return help(rest, world);
  if (first === '--version' || first === '-V') return dispatch(['version', ...rest], world, entropy, signal);
  const dropIn = findDropIn(first);
  if (dropIn !== undefined) return (await dropIn.load())(rest, world, entropy);
  const entry = findCommand(first);
  if (entry === undefined) throw unknownCommand(first);
  const command = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    world.stdout.write(commandHelp(command));
    return exit.ok;
  }
  const args = await parseArguments(rest, [...command.flags, ...GLOBAL_FLAGS]);
  const style = styleFor(args.text('color'), world.env, world.stdout.isTTY);
  return command.run(args, { world, entropy, style, quiet: args.has('quiet'), verbose: args.has('verbose'), signal });
}

async function help(rest: readonly string[], world: World): Promise<number> {
  const [name] = rest;
  if (name === undefined) {
    world.stdout.write(overview([...COMMANDS, { heading: 'Programs that Sotto stands in for', commands: DROP_INS }]));
    return exit.ok;
  }
  const entry = findCommand(name);
  if (entry === undefined) throw unknownCommand(name);
  world.stdout.write(commandHelp(await entry.load()));
  return exit.ok;
}

function unknownCommand(name: string): Error {
  const known = [...COMMANDS.flatMap((group) => group.commands), ...DROP_INS].map((command) => command.name);
  const near = nearest(name, known);
  return usageError(`unknown command "${name}"`, near === undefined ? 'see `sotto --help`' : `did you mean \`sotto ${near}\`?`);
}
