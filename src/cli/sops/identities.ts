import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { codeOf, messageOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { parseAgeIdentities, parseAgeIdentityFile, type AskPassphrase, type Credentials } from '../../secrets/keys/index.ts';
import { ask } from './prompt.ts';
import { splitWords } from './words.ts';

type Identities = NonNullable<Credentials['age']>['identities'];

const run = promisify(execFile);
const MAX_KEY_BYTES = 1 << 20;
/** Not handed to plugins. */
const SECRET_VARIABLES = new Set(['SOPS_AGE_KEY', 'VAULT_TOKEN', 'GOOGLE_OAUTH_ACCESS_TOKEN']);

/** One place that may hold identities. It gives undefined when there is nothing. */
interface Source {
  readonly name: string;
  load(): Promise<Identities | undefined>;
}

/**
 * The user's own age identities, from every place upstream looks at (sops:age/keysource.go): all are loaded, then tried
 * together. Places without any, and those that cannot be read, are listed for the error message.
 *
 * @param recipients of the file to open; a key command runs once for each
 */
export async function ambientAge(world: World, recipients: readonly string[]): Promise<NonNullable<Credentials['age']>> {
  const identities: Identities[number][] = [];
  const searched: string[] = [];
  for (const source of sources(world, recipients)) {
    try {
      const found = await source.load();
      if (found === undefined || found.length === 0) searched.push(source.name);
      else identities.push(...found);
    } catch (error) {
      searched.push(`${source.name} (${error instanceof SottoError ? messageOf(error) : codeOf(error)})`);
    }
  }
  return { identities, searched, plugins: agePlugins(world) };
}

function sources(world: World, recipients: readonly string[]): Source[] {
  const { env } = world;
  const home = env['HOME'] ?? homedir();
  const ssh = env['SOPS_AGE_SSH_PRIVATE_KEY_FILE'];
  return [
    { name: 'SOPS_AGE_SSH_PRIVATE_KEY_FILE', load: () => fromFile(ssh, world, true) },
    { name: 'SOPS_AGE_SSH_PRIVATE_KEY_CMD', load: () => fromCommand('SOPS_AGE_SSH_PRIVATE_KEY_CMD', world, recipients) },
    ...['id_ed25519', 'id_rsa'].map((name) => {
      const path = join(home, '.ssh', name);
      return { name: path, load: () => fromFile(path, world, false) };
    }),
    { name: 'SOPS_AGE_KEY', load: () => Promise.resolve(fromText(env['SOPS_AGE_KEY'])) },
    { name: 'SOPS_AGE_KEY_FILE', load: () => fromFile(env['SOPS_AGE_KEY_FILE'], world, true) },
    { name: 'SOPS_AGE_KEY_CMD', load: () => fromCommand('SOPS_AGE_KEY_CMD', world, recipients) },
    { name: defaultKeyFile(env, home), load: () => fromFile(defaultKeyFile(env, home), world, false) },
  ];
}

/** Plugins found in `PATH`. They get the user's environment without the identities in it. */
export function agePlugins(world: World): NonNullable<NonNullable<Credentials['age']>['plugins']> {
  const env = Object.entries(world.env).flatMap(([name, text]) =>
    text === undefined || SECRET_VARIABLES.has(name) ? [] : [[name, text] as const],
  );
  return {
    path: (world.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
    env: Object.fromEntries(env),
    message: (text) => world.stderr.write(`${text}\n`),
    request: (text, isSecret) => ask(`${text} `, world, isSecret),
  };
}

/** Only this source allows several identities on one line. */
function fromText(text: string | undefined): Identities | undefined {
  if (text === undefined || text === '') return undefined;
  const lines = text.split(/\r?\n/).flatMap((line) => (line.startsWith('#') ? [] : line.split(/[ \t]+/)));
  return parseAgeIdentities(lines.join('\n'), 'SOPS_AGE_KEY');
}

async function fromFile(path: string | undefined, world: World, isConfigured: boolean): Promise<Identities | undefined> {
  if (path === undefined || path === '') return undefined;
  try {
    const absolute = resolve(world.cwd, path);
    const bytes = await world.outside(() => readFile(absolute));
    const publicKey = await world.outside(() => readFile(`${absolute}.pub`, 'utf8')).catch(() => undefined);
    const passphrase: AskPassphrase = () => ask(`Enter passphrase for identity '${path}': `, world, true);
    return parseAgeIdentityFile(bytes, path, { passphrase, ...(publicKey === undefined ? {} : { publicKey }) });
  } catch (error) {
    if (!isConfigured && codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function fromCommand(variable: string, world: World, recipients: readonly string[]): Promise<Identities | undefined> {
  const command = world.env[variable];
  if (command === undefined || command === '') return undefined;
  const [program, ...args] = splitWords(command);
  if (program === undefined) return undefined;
  const found: Identities[number][] = [];
  for (const recipient of recipients) {
    const env = { ...world.env, SOPS_AGE_RECIPIENT: recipient };
    const { stdout } = await world
      .outside(() => run(program, args, { env, cwd: world.cwd, maxBuffer: MAX_KEY_BYTES, encoding: 'utf8' }))
      .catch((error: unknown) => {
        // the error of a child process carries its output, which may be a key
        throw new SottoError('AGE_KEY_COMMAND', `the command failed: ${codeOf(error)}`);
      });
    found.push(...parseAgeIdentityFile(Buffer.from(stdout), variable));
  }
  return found;
}

function defaultKeyFile(env: World['env'], home: string): string {
  const configured = env['XDG_CONFIG_HOME'];
  const tail = ['sops', 'age', 'keys.txt'];
  if (configured !== undefined && configured !== '') return join(configured, ...tail);
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', ...tail);
  if (process.platform === 'win32') return join(env['AppData'] ?? env['APPDATA'] ?? home, ...tail);
  return join(home, '.config', ...tail);
}
