import { SottoError } from '../../base/errors/index.ts';
import type { Flag } from '../flags.ts';
import { COMMANDS, LEGACY_MODES, REFUSED, type CommandEntry } from './commands.ts';
import type { SopsCommand } from './face.ts';
import { GLOBAL_FLAGS, LEGACY_FLAGS } from './usage.ts';

/** The command that a command line calls. */
export interface Chosen {
  readonly entry: Pick<CommandEntry, 'name' | 'phase'>;
  readonly command: SopsCommand;
  readonly flags: readonly Flag[];
  /** The command line without the words that chose. */
  readonly rest: readonly string[];
  readonly isLegacy: boolean;
  /** Several modes were asked for. */
  readonly isAmbiguous: boolean;
}

/**
 * A subcommand may follow flags; without one the flags of the older command line decide.
 *
 * @throws SottoError SOPS_COMMAND_UNSUPPORTED
 */
export async function chooseMode(argv: readonly string[]): Promise<Chosen> {
  const index = firstPositional(argv, [...LEGACY_FLAGS, ...GLOBAL_FLAGS]);
  const word = argv[index] ?? '';
  if (!hasLegacyMode(argv.slice(0, index))) {
    if (REFUSED.has(word)) throw refusal(`sops ${word}`);
    const entry = findEntry(argv, index);
    if (entry !== undefined) {
      const command = await entry.load();
      const rest = argv.toSpliced(index, entry.name.split(' ').length);
      return { entry, command, flags: command.flags, rest, isLegacy: false, isAmbiguous: false };
    }
    if (word === 'groups') throw refusal(`sops groups ${argv[index + 1] ?? ''}`.trim());
  }
  return legacyMode(argv);
}

/** The entry whose words stand at this place. */
export function findEntry(argv: readonly string[], index: number): CommandEntry | undefined {
  return COMMANDS.find(({ name }) => name.split(' ').every((part, offset) => argv[index + offset] === part));
}

/** The place of the first word that is neither a flag nor the value of one. */
export function firstPositional(argv: readonly string[], flags: readonly Flag[]): number {
  const valued = new Set(
    flags.flatMap(({ name, short, value }) =>
      value === undefined ? [] : [`--${name}`, `-${name}`, ...(short === undefined ? [] : [`-${short}`])],
    ),
  );
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (!word.startsWith('-') || word === '-') return index;
    if (valued.has(word)) index++;
  }
  return argv.length;
}

function modeOf(word: string): (typeof LEGACY_MODES)[number] | undefined {
  const name = word.replace(/=.*$/s, '').replace(/^-(?=\w{2})/, '--');
  return LEGACY_MODES.find(({ flags }) => flags.includes(name));
}

function hasLegacyMode(argv: readonly string[]): boolean {
  return argv.some((word) => modeOf(word) !== undefined);
}

async function legacyMode(argv: readonly string[]): Promise<Chosen> {
  const asked = argv.flatMap((word) => modeOf(word) ?? []);
  const mode = LEGACY_MODES.findLast((known) => asked.includes(known)) ?? LEGACY_MODES[0];
  if (mode === undefined) throw refusal('this command line');
  // --set has a value and is parsed with the other flags
  const rest = argv.filter((word) => modeOf(word) === undefined || modeOf(word)?.name === 'set');
  return { entry: mode, command: await mode.load(), flags: LEGACY_FLAGS, rest, isLegacy: true, isAmbiguous: new Set(asked).size > 1 };
}

function refusal(what: string): SottoError {
  return new SottoError('SOPS_COMMAND_UNSUPPORTED', `${what} is not supported yet`, {
    hint: `supported: ${COMMANDS.map(({ name }) => name).join(', ')}`,
  });
}
