import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { SottoError } from '../../base/errors/index.ts';
import {
  explainCreationRule,
  formatForPath,
  isEncrypted,
  masterKeys,
  readMetadata,
  ruleKeys,
  type CreationRule,
  type SopsConfig,
} from '../../secrets/sops/index.ts';
import type { Arguments } from '../flags.ts';
import { loadConfig } from './config.ts';
import type { SopsCommand, SopsFace } from './face.ts';
import { describeFailure, ExitError, status } from './failures.ts';
import { diffGroups, isChanged } from './key-diff.ts';
import { toggle } from './usage.ts';
import { filesBelow } from './walk.ts';

/** Files worked on at a time: waiting for key services overlaps, arithmetic does not. */
const PARALLEL = 8;

/** What a recursive run makes of one file: the reason to work on it, or undefined to leave it alone. */
type Decide = (file: EncodedFile) => string | undefined;

interface EncodedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly isSealed: boolean;
  readonly rule: CreationRule | undefined;
}

/** Why a command works on a file. */
const DECISIONS: Readonly<Record<'encrypt' | 'updatekeys' | 'rotate' | 'verify', Decide>> = {
  encrypt: ({ isSealed, rule }) =>
    isSealed || rule === undefined || rule.pathRegex === '' ? undefined : `encrypt by path_regex ${rule.pathRegex}`,
  updatekeys: ({ isSealed, ...file }) => (isSealed ? keyChanges(file) : undefined),
  rotate: ({ isSealed }) => (isSealed ? 'rotate the data key' : undefined),
  verify: ({ isSealed }) => (isSealed ? 'verify' : undefined),
};

function keyChanges({ name, bytes, rule }: Omit<EncodedFile, 'isSealed'>): string | undefined {
  if (rule === undefined) return undefined;
  const metadata = readMetadata(bytes, formatForPath(name), name);
  const diffs = diffGroups(masterKeys(metadata), ruleKeys(rule));
  if (!isChanged(diffs)) return undefined;
  const changes = diffs.flatMap(({ added, removed }) => [...added.map((key) => `+${key}`), ...removed.map((key) => `-${key}`)]);
  return `change the keys: ${changes.join(' ')}`;
}

/**
 * Adds `--recursive` and `--dry-run`, Sotto's own, to a command for one file. Without them the command is as it was.
 *
 * @param flags switched on for each file of a recursive run
 */
export function withRecursion(
  name: keyof typeof DECISIONS,
  command: SopsCommand,
  { flags = [], dry = true }: { readonly flags?: readonly string[]; readonly dry?: boolean } = {},
): SopsCommand {
  const own = [
    toggle('recursive', "every file below the given directories that it concerns (Sotto's own)", 'r'),
    ...(dry ? [toggle('dry-run', "with --recursive: say what would change (Sotto's own)")] : []),
  ];
  return {
    ...command,
    flags: [...command.flags, ...own],
    run: (face) => {
      if (face.args.has('recursive')) return runAll(DECISIONS[name], command, face, { flags, isDry: dry && face.args.has('dry-run') });
      if (dry && face.args.has('dry-run')) throw new SottoError('SOPS_CONFLICT', 'Error: --dry-run needs --recursive');
      return command.run(face);
    },
  };
}

async function runAll(
  decide: Decide,
  command: SopsCommand,
  face: SopsFace,
  { flags, isDry }: { readonly flags: readonly string[]; readonly isDry: boolean },
): Promise<number> {
  const { args, world } = face;
  const config = await loadConfig(args, world, face.warn);
  const files = await filesBelow(args.positional.length === 0 ? ['.'] : args.positional, world);
  let [done, failed] = [0, 0];
  const log = (text: string): void => world.stderr.write(text);
  const work = async (name: string): Promise<void> => {
    try {
      const reason = decide(await readFileOf(name, config, face));
      if (reason === undefined) return;
      done++;
      if (isDry) return world.stdout.write(`${name}: would ${reason}\n`);
      const code = await command.run({
        ...face,
        warn: (message) => face.warn(`${name}: ${message}`),
        args: argumentsFor(name, args, flags),
      });
      if (code !== undefined && code !== 0) throw new ExitError(code, `failed with status ${code}`);
      log(`[${done}] ${name}: ${reason}: done\n`);
    } catch (error) {
      failed++;
      log(`${name}: ${describeFailure(error)}`);
    }
  };
  const queue = files.values();
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (const name of queue) await work(name);
    }),
  );
  log(`${files.length} files looked at, ${done} concerned, ${failed} failed\n`);
  return failed === 0 ? status.ok : status.generic;
}

async function readFileOf(name: string, config: SopsConfig | undefined, { world }: SopsFace): Promise<EncodedFile> {
  const bytes = await world.outside(() => readFile(resolve(world.cwd, name)));
  const rules = config === undefined || resolve(world.cwd, name) === config.file ? undefined : explainCreationRule(config, name, world.cwd);
  return { name, bytes, isSealed: isEncrypted(bytes, formatForPath(name)), rule: rules?.rules.find(({ matches }) => matches)?.rule };
}

/** The command line for one file. */
function argumentsFor(name: string, args: Arguments, flags: readonly string[]): Arguments {
  return { ...args, positional: [name], has: (flag) => flags.includes(flag) || args.has(flag) };
}
