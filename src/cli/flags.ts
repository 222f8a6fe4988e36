import { SottoError } from '../base/errors/index.ts';
import { nearest } from './nearest.ts';

/** One command-line flag. Without `value` it is a switch. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** Placeholder of the value in help (`DIR`); absent for switches. */
  readonly value?: string;
  readonly default?: string;
  readonly repeat?: boolean;
  readonly choices?: readonly string[];
  /** One sentence fragment for the help page. */
  readonly help: string;
  /** Heading under which help lists it; default `Flags`. */
  readonly group?: string;
}

/** A parsed command line. Getters throw on a flag that the command did not declare. */
export interface Arguments {
  readonly positional: readonly string[];
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  has(name: string): boolean;
}

/** A wrong command line; exit status 64. */
export function usageError(message: string, hint?: string): SottoError {
  return new SottoError('USAGE', message, hint === undefined ? {} : { hint });
}

/**
 * Rewrites Go-style arguments for a GNU-style parser: `-pq` → `--pq` when `pq` is a long flag, `--x=true` → `--x`
 * and `--x=false` → nothing for switches. Everything after `--` stays.
 */
export function normaliseGoFlags(argv: readonly string[], flags: readonly Flag[]): string[] {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const result: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    if (argument === '--') return [...result, ...argv.slice(i)];
    const [, dashes, name, , value] = /^(--?)([^=-][^=]*)(=(.*))?$/s.exec(argument) ?? [];
    const flag = name === undefined ? undefined : byName.get(name);
    if (name === undefined || flag === undefined || (dashes === '-' && name.length === 1)) {
      result.push(argument);
    } else if (flag.value !== undefined) {
      result.push(value === undefined ? `--${name}` : `--${name}=${value}`);
    } else if (value === undefined || ['true', 't', '1'].includes(value.toLowerCase())) {
      result.push(`--${name}`);
    } else if (!['false', 'f', '0'].includes(value.toLowerCase())) {
      throw usageError(`invalid value for --${name}: expected true or false`);
    }
  }
  return result;
}

/**
 * Parses a command line with commander. Flags may stand before or after positional arguments.
 *
 * @throws SottoError USAGE for unknown flags, missing values and values outside `choices`
 */
export async function parseArguments(argv: readonly string[], flags: readonly Flag[]): Promise<Arguments> {
  const { Command, CommanderError, Option } = await import('commander');
  const parser = new Command()
    .exitOverride()
    .helpOption(false)
    .allowExcessArguments(true)
    .argument('[arguments...]')
    .allowUnknownOption(false);
  parser.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  for (const flag of flags) {
    const spelling = `${flag.short === undefined ? '' : `-${flag.short}, `}--${flag.name}${flag.value === undefined ? '' : ' <value>'}`;
    const option = new Option(spelling);
    if (flag.repeat === true) option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    else if (flag.choices !== undefined) option.choices([...flag.choices]);
    parser.addOption(option);
  }
  try {
    parser.parse([...normaliseGoFlags(argv, flags)], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw explain(error.message, flags);
    throw error;
  }
  return argumentsOf(flags, parser.args, parser.opts());
}

function argumentsOf(flags: readonly Flag[], positional: readonly string[], values: Readonly<Record<string, unknown>>): Arguments {
  const declared = new Map(flags.map((flag) => [flag.name, flag]));
  const valueOf = (name: string): unknown => {
    const flag = declared.get(name);
    if (flag === undefined) throw new SottoError('INTERNAL', `flag --${name} is read but not declared`);
    // commander stores --no-x as x = false and camel-cases the rest.
    if (name.startsWith('no-')) return values[camelCase(name.slice(3))] === false;
    return values[camelCase(name)] ?? flag.default;
  };
  return {
    positional,
    text: (name) => {
      const value = valueOf(name);
      return typeof value === 'string' ? value : undefined;
    },
    list: (name) => {
      const value = valueOf(name);
      return Array.isArray(value) ? (value as string[]) : typeof value === 'string' ? [value] : [];
    },
    has: (name) => valueOf(name) === true,
  };
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

/** Commander's message in our words, with the nearest flag as a hint. */
function explain(message: string, flags: readonly Flag[]): SottoError {
  const unknown = /unknown option '([^']+)'/.exec(message)?.[1];
  if (unknown !== undefined) {
    const name = unknown.replace(/^-+/, '').replace(/=.*$/s, '');
    const near = nearest(
      name,
      flags.map((flag) => flag.name),
    );
    return usageError(`unknown flag ${unknown.replace(/=.*$/s, '')}`, near === undefined ? 'see --help' : `did you mean --${near}?`);
  }
  const missing = /option '([^']+)' argument missing/.exec(message)?.[1];
  if (missing !== undefined) return usageError(`${missing.replace(' <value>', '')} needs a value`);
  return usageError(message.replace(/^error: /, ''));
}
