/**
 * The flags of `kustomize build`, read as Go's pflag does, with its messages.
 */
import { SottoError } from '../../base/errors/index.ts';

interface FlagFacts {
  readonly short?: string;
  /** Placeholder of the value; absent for switches. */
  readonly value?: string;
  readonly help: string;
  /** The note on standard error when the flag is used. */
  readonly deprecated?: string;
  /** Why Sotto does not do it; the flag is known by name and refused. */
  readonly refused?: string;
}

const NO_HELM = 'Helm charts are not inflated: render them beforehand and list the output under resources';
const NO_PLUGINS = 'plugins are not run: run them beforehand and list their output under resources';
const NO_FUNCTIONS = 'functions are not run: run them beforehand and list their output under resources';

/** Every flag by its long name. */
export const FLAGS: Readonly<Record<string, FlagFacts>> = {
  output: { short: 'o', value: 'string', help: 'write to this file, or one file per object into this existing directory' },
  'load-restrictor': {
    value: 'string',
    help: 'LoadRestrictionsRootOnly (default), or LoadRestrictionsNone: files may lie outside of the kustomization',
  },
  reorder: {
    value: 'string',
    help: 'legacy or none: the order where no sortOptions are given (deprecated)',
    deprecated: "use the new 'sortOptions' field in kustomization.yaml instead.",
  },
  'enable-managedby-label': {
    help: 'add the label app.kubernetes.io/managed-by (deprecated)',
    deprecated:
      'The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the `buildMetadata` field instead.',
  },
  strict: { help: 'every warning is an error (Sotto only)' },
  explain: { value: 'path', help: 'print which file and transformer set each field: KIND/NAME, KIND/NAME:FIELD or * (Sotto only)' },
  help: { short: 'h', help: 'print this help' },
  'stack-trace': { help: 'print a stack trace on error' },
  'enable-helm': { help: 'refused', refused: NO_HELM },
  'helm-command': { value: 'string', help: 'refused', refused: NO_HELM },
  'helm-api-versions': { value: 'stringArray', help: 'refused', refused: NO_HELM },
  'helm-kube-version': { value: 'string', help: 'refused', refused: NO_HELM },
  'helm-debug': { help: 'refused', refused: NO_HELM },
  'enable-alpha-plugins': { help: 'refused', refused: NO_PLUGINS },
  'enable-exec': { help: 'refused', refused: NO_FUNCTIONS },
  'as-current-user': { help: 'refused', refused: NO_FUNCTIONS },
  env: { short: 'e', value: 'stringArray', help: 'refused', refused: NO_FUNCTIONS },
  mount: { value: 'stringArray', help: 'refused', refused: NO_FUNCTIONS },
  network: { help: 'refused', refused: NO_FUNCTIONS },
  'network-name': { value: 'string', help: 'refused', refused: NO_FUNCTIONS },
};

const BY_SHORT = new Map(Object.entries(FLAGS).flatMap(([name, { short }]) => (short === undefined ? [] : [[short, name] as const])));
const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** A parsed command line: flags with their texts (`true` and `false` for switches), the last one of each counts. */
export interface CommandLine {
  readonly positional: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
  /** Notes on deprecated flags, for standard error. */
  readonly notes: readonly string[];
}

/**
 * Reads a command line; flags may stand anywhere, `--` ends them.
 *
 * @throws SottoError USAGE in pflag's words, KUSTOMIZE_FLAG_REFUSED for what Sotto does not do
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const positional: string[] = [];
  const flags = new Map<string, string>();
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--') positional.push(...rest.splice(0));
    else if (argument.startsWith('--')) readLong(argument.slice(2), rest, flags);
    else if (argument.startsWith('-') && argument !== '-') readShorts(argument.slice(1), rest, flags);
    else positional.push(argument);
  }
  for (const [name, text] of flags) refuse(name, text);
  const notes = [...flags.keys()].flatMap((name) => {
    const note = FLAGS[name]?.deprecated;
    return note === undefined ? [] : [`Flag --${name} has been deprecated, ${note}`];
  });
  return { positional, flags, notes };
}

function readLong(text: string, rest: string[], flags: Map<string, string>): void {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const facts = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
  if (facts === undefined) throw usage(`unknown flag: --${name}`);
  const given = equals < 0 ? undefined : text.slice(equals + 1);
  if (facts.value === undefined) return void flags.set(name, switchText(name, given ?? 'true'));
  const value = given ?? rest.shift();
  if (value === undefined) throw usage(`flag needs an argument: --${name}`);
  flags.set(name, value);
}

/** `-h`, `-oFILE`, `-o=FILE`, `-o FILE`, or several switches at once. */
function readShorts(text: string, rest: string[], flags: Map<string, string>): void {
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    const name = BY_SHORT.get(letter);
    if (name === undefined) throw usage(`unknown shorthand flag: '${letter}' in -${text}`);
    if (FLAGS[name]?.value === undefined) {
      flags.set(name, 'true');
      continue;
    }
    const value = text.slice(at + 1).replace(/^=/, '') || rest.shift();
    if (value === undefined) throw usage(`flag needs an argument: '${letter}' in -${text}`);
    return void flags.set(name, value);
  }
}

function switchText(name: string, text: string): string {
  if (TRUE.has(text)) return 'true';
  if (FALSE.has(text)) return 'false';
  throw usage(`invalid argument "${text}" for "--${name}" flag: strconv.ParseBool: parsing "${text}": invalid syntax`);
}

function refuse(name: string, text: string): void {
  const { refused, value } = FLAGS[name] ?? {};
  if (refused === undefined || (value === undefined && text === 'false')) return;
  throw new SottoError('KUSTOMIZE_FLAG_REFUSED', `--${name}: ${refused}`);
}

/**
 * The value of a flag out of a fixed set.
 *
 * @throws SottoError USAGE
 */
export function choice<T extends string>({ flags }: CommandLine, name: string, legal: readonly T[]): T | undefined {
  const text = flags.get(name);
  if (text === undefined || text === '') return undefined;
  const found = legal.find((value) => value === text);
  if (found !== undefined) return found;
  throw usage(`illegal flag value --${name} ${text}; legal values: [${legal.join(' ')}]`);
}

function usage(message: string): SottoError {
  return new SottoError('USAGE', message);
}
