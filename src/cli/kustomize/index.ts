/**
 * `kustomize`: builds as kustomize 5.8.1 does, with its flags, messages and exit status (k:kustomize/commands/build).
 *
 * @module
 */
import { realpathSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { codeOf, formatPosition, messageOf, SottoError } from '../../base/errors/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';
import { build, isRemote, renderFiles, renderYaml, type BuildResult, type BuildWarning } from '../../build/kustomize/index.ts';
import { explanation } from './explain.ts';
import { choice, parseCommandLine, type CommandLine } from './flags.ts';
import { buildHelp, OVERVIEW, REFUSED_COMMANDS } from './help.ts';
import { hostTree } from './hosttree.ts';

const UPSTREAM_VERSION = 'v5.8.1';

/** Runs `kustomize` with these arguments (without the program's name) and gives its exit status. */
export async function main(argv: readonly string[], world: World, _entropy: Entropy): Promise<number> {
  try {
    await dispatch(argv, world);
    return 0;
  } catch (error) {
    world.stderr.write(errorText(error, world.cwd));
    return 1;
  }
}

async function dispatch(argv: readonly string[], world: World): Promise<void> {
  const [command, ...rest] = argv.filter((argument, index) => index > 0 || argument !== '--stack-trace');
  if (command === 'build') return runBuild(rest, world);
  if (command === 'version') return world.stdout.write(`${UPSTREAM_VERSION}\n`);
  if (command === undefined || ['help', '--help', '-h'].includes(command)) {
    return world.stdout.write(rest[0] === 'build' ? buildHelp() : OVERVIEW);
  }
  if (Object.hasOwn(REFUSED_COMMANDS, command)) {
    throw new SottoError('KUSTOMIZE_COMMAND_REFUSED', `\`kustomize ${command}\` is not part of Sotto`, {
      hint: REFUSED_COMMANDS[command] ?? '',
    });
  }
  throw new SottoError('USAGE', `unknown command "${command}" for "kustomize"\nRun 'kustomize --help' for usage.`);
}

async function runBuild(argv: readonly string[], world: World): Promise<void> {
  const line = parseCommandLine(argv);
  for (const note of line.notes) world.stderr.write(`${note}\n`);
  if (line.flags.get('help') === 'true') return world.stdout.write(buildHelp());
  const [argument = '.', ...more] = line.positional;
  if (more.length > 0) throw new SottoError('USAGE', 'specify one path to kustomization.yaml');
  const order = choice(line, 'reorder', ['legacy', 'none']) === 'none' ? 'fifo' : 'legacy';
  const restrictor = choice(line, 'load-restrictor', ['LoadRestrictionsRootOnly', 'LoadRestrictionsNone']);
  let warnings = 0;
  const warn = (warning: BuildWarning): void => {
    warnings++;
    world.stderr.write(`# Warning: ${warningText(warning, world.cwd)}\n`);
  };
  const result = build({
    tree: hostTree(),
    path: directoryOf(argument, world.cwd).slice(1),
    order,
    loadRestrictor: restrictor === 'LoadRestrictionsNone' ? 'none' : 'root-only',
    managedByLabel: line.flags.get('enable-managedby-label') === 'true',
    warn,
    explain: line.flags.has('explain'),
  });
  if (warnings > 0 && line.flags.get('strict') === 'true') {
    throw new SottoError('KUSTOMIZE_STRICT', `--strict: the build gave ${warnings} warning${warnings === 1 ? '' : 's'}`);
  }
  await write(result, line, world);
}

/** The directory with links resolved, or upstream's words on why it is none. */
function directoryOf(argument: string, cwd: string): string {
  const failed = (reason: string): SottoError => new SottoError('KUSTOMIZE_LOAD', `must build at directory: ${reason}`);
  if (argument === '') throw failed('directory path cannot be empty');
  const path = resolve(cwd, argument);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    if (isRemote(argument)) {
      throw new SottoError('KUSTOMIZE_REMOTE', 'remote kustomizations are not fetched', {
        hint: 'clone the repository and build its directory',
      });
    }
    throw failed(`not a valid directory: evalsymlink failure on '${argument}' : lstat ${path}: no such file or directory`);
  }
  if (!found.isDirectory()) throw failed(`'${argument}': file is not directory`);
  return realpathSync(path);
}

async function write(result: BuildResult, { flags }: CommandLine, world: World): Promise<void> {
  const output = flags.get('output') ?? '';
  const explained = flags.get('explain');
  const shown = (text: string): string => relativeTo(world.cwd, text);
  if (explained !== undefined) return world.stdout.write(shown(explanation(result, explained)));
  if (output === '') return world.stdout.write(renderYaml(result));
  const path = resolve(world.cwd, output);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return writeText(path, output, renderYaml(result));
  const written = new Set<string>();
  for (const { name, text } of renderFiles(result)) {
    if (written.has(name)) world.stderr.write(`# Warning: ${name} is written more than once: names differ in case only\n`);
    written.add(name);
    writeText(join(path, name), join(output, name), text);
  }
}

function writeText(path: string, shown: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const reason = codeOf(cause) === 'ENOENT' ? 'no such file or directory' : codeOf(cause);
    throw new SottoError('KUSTOMIZE_WRITE', `open ${shown}: ${reason}`, { cause });
  }
}

/** Deprecated fields in upstream's words, everything else with its place. */
function warningText(warning: BuildWarning, cwd: string): string {
  const { deprecated, message } = warning;
  if (deprecated !== undefined) {
    const experimental = deprecated.field === 'vars' ? ' [EXPERIMENTAL]' : '';
    return `'${deprecated.field}' is deprecated. Please use '${deprecated.replacement}' instead.${experimental} Run 'kustomize edit fix' to update your Kustomization automatically.`;
  }
  const place = formatPosition(warning);
  return relativeTo(cwd, place === '' ? message : `${place}: ${message}`);
}

function errorText(error: unknown, cwd: string): string {
  const at = error instanceof SottoError && error.at !== undefined ? formatPosition(error.at) : '';
  const hint = error instanceof SottoError ? error.hint : undefined;
  const message = error instanceof Error ? error.message : messageOf(error);
  const place = at === '' || message.includes(at) ? '' : ` (${at})`;
  return relativeTo(cwd, `Error: ${message}${place}\n${hint === undefined ? '' : `Hint: ${hint}\n`}`);
}

/** The build's paths begin at the root of the file system; people read them from where they are. */
function relativeTo(cwd: string, text: string): string {
  const prefix = `${cwd.slice(1)}/`;
  return prefix === '/' ? text : text.replaceAll(/[^\s'"(:,=]+/g, (word) => (word.startsWith(prefix) ? word.slice(prefix.length) : word));
}
