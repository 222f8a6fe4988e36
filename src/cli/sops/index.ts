/**
 * `sops`, as far as Sotto stands in for it: `encrypt`, `decrypt`, and the legacy `-e` and `-d`, with upstream's flags,
 * exit statuses and messages. Every other command is refused by name.
 *
 * @module
 */
import { SottoError } from '../../base/errors/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';
import { FORMAT_VERSION } from '../../secrets/sops/index.ts';
import { parseArguments, type Flag } from '../flags.ts';
import { refuseAudit } from './audit.ts';
import { decryptCommand } from './decrypt.ts';
import { encryptCommand } from './encrypt.ts';
import { describeFailure, status, statusOf } from './failures.ts';
import { DECRYPT_FLAGS, ENCRYPT_FLAGS, GLOBAL_FLAGS, LEGACY_MODES, REFUSED_COMMANDS, USAGE } from './usage.ts';

type Mode = 'encrypt' | 'decrypt';

const MODES: Readonly<Record<Mode, { readonly run: typeof encryptCommand; readonly flags: readonly Flag[] }>> = {
  encrypt: { run: encryptCommand, flags: ENCRYPT_FLAGS },
  decrypt: { run: decryptCommand, flags: DECRYPT_FLAGS },
};

/** Runs `sops` with these arguments (without the program's name) and gives its exit status. */
export async function main(argv: readonly string[], world: World, entropy: Entropy): Promise<number> {
  if (argv.length === 0 || argv.includes('--help') || argv.includes('-h')) {
    world.stdout.write(USAGE);
    return status.ok;
  }
  if (argv.includes('--version') || argv[0] === '-v') {
    world.stdout.write(`sops ${FORMAT_VERSION}\n`);
    return status.ok;
  }
  let mode: Mode = 'decrypt';
  try {
    const chosen = chooseMode(argv);
    mode = chosen.mode;
    const { run, flags } = MODES[mode];
    const args = await parseArguments(chosen.rest, [...flags, ...GLOBAL_FLAGS]);
    refuseKeyServices(args.list('keyservice'));
    await refuseAudit(world);
    if (chosen.isLegacy && args.positional.length === 0) throw new SottoError('SOPS_NO_FILE', 'Error: no file specified');
    const warn = (message: string): void => world.stderr.write(`[warning] ${message}\n`);
    if (args.positional.length > 1) warn(`more than one file was given; only ${args.positional[0] ?? ''} is used`);
    await run(args, world, entropy, warn);
    return status.ok;
  } catch (error) {
    world.stderr.write(describeFailure(error));
    return statusOf(error, mode);
  }
}

interface Chosen {
  readonly mode: Mode;
  readonly rest: readonly string[];
  readonly isLegacy: boolean;
}

/** The subcommand may follow global flags; without one the legacy flags decide. */
function chooseMode(argv: readonly string[]): Chosen {
  const valued = new Set(GLOBAL_FLAGS.filter((flag) => flag.value !== undefined).map((flag) => flag.name));
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (Object.hasOwn(LEGACY_MODES, word)) break;
    if (word.startsWith('-')) {
      if (valued.has(word.replace(/^-+/, ''))) index++;
      continue;
    }
    const rest = [...argv.slice(0, index), ...argv.slice(index + 1)];
    if (word === 'encrypt' || word === 'decrypt') return { mode: word, rest, isLegacy: false };
    if (REFUSED_COMMANDS.has(word)) throw refusal(`sops ${word}`);
    break;
  }
  return legacyMode(argv);
}

function legacyMode(argv: readonly string[]): Chosen {
  const flag = argv.find((word) => Object.hasOwn(LEGACY_MODES, word.replace(/=.*$/s, '')));
  const mode = flag === undefined ? undefined : LEGACY_MODES[flag.replace(/=.*$/s, '')];
  if (mode === undefined) throw refusal('editing a file (sops FILE)');
  if (mode === false) throw refusal(`sops ${flag ?? ''}`);
  return { mode, rest: argv.filter((word) => word !== flag), isLegacy: true };
}

function refusal(what: string): SottoError {
  return new SottoError('SOPS_COMMAND_UNSUPPORTED', `${what} is not supported yet`, {
    hint: 'supported: sops encrypt, sops decrypt, sops -e, sops -d',
  });
}

function refuseKeyServices(addresses: readonly string[]): void {
  if (addresses.length > 0) throw new SottoError('SOPS_COMMAND_UNSUPPORTED', '--keyservice: remote key services are not supported yet');
}
