import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { codeOf, messageOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { parseAgeIdentities, type AgeIdentity, type Credentials } from '../../secrets/keys/index.ts';

const run = promisify(execFile);
const MAX_KEY_BYTES = 1 << 20;

/** One place that may hold identities. It gives undefined when there is nothing. */
interface Source {
  readonly name: string;
  load(): Promise<AgeIdentity[] | undefined>;
}

/**
 * The user's own age identities, from every place upstream looks at (sops:age/keysource.go): all are loaded, then tried
 * together. Places without any, and those that cannot be read, are listed for the error message.
 *
 * @param recipients of the file to open; a key command runs once for each
 */
export async function ambientAge(world: World, recipients: readonly string[]): Promise<Credentials> {
  const identities: AgeIdentity[] = [];
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
  return { age: { identities, searched } };
}

function sources(world: World, recipients: readonly string[]): Source[] {
  const { env } = world;
  const home = env['HOME'] ?? homedir();
  return [
    ...['SOPS_AGE_SSH_PRIVATE_KEY_FILE', 'SOPS_AGE_SSH_PRIVATE_KEY_CMD'].map((name) => ({ name, load: () => refuseSsh(env[name]) })),
    ...['id_ed25519', 'id_rsa'].map((name) => ({ name: join(home, '.ssh', name), load: () => skipSsh(join(home, '.ssh', name), world) })),
    { name: 'SOPS_AGE_KEY', load: () => Promise.resolve(fromText(env['SOPS_AGE_KEY'])) },
    { name: 'SOPS_AGE_KEY_FILE', load: () => fromFile(env['SOPS_AGE_KEY_FILE'], world, true) },
    { name: 'SOPS_AGE_KEY_CMD', load: () => fromCommand(env['SOPS_AGE_KEY_CMD'], world, recipients) },
    { name: defaultKeyFile(env, home), load: () => fromFile(defaultKeyFile(env, home), world, false) },
  ];
}

function refuseSsh(configured: string | undefined): Promise<undefined> {
  if (configured === undefined || configured === '') return Promise.resolve(undefined);
  return Promise.reject(new SottoError('AGE_UNSUPPORTED', 'SSH identities are not supported yet'));
}

/** A default SSH key is no error: most people have one. */
async function skipSsh(path: string, world: World): Promise<undefined> {
  await world
    .outside(() => access(path))
    .then(
      () => Promise.reject(new SottoError('AGE_UNSUPPORTED', 'SSH identities are not supported yet')),
      () => undefined,
    );
}

/** Only this source allows several identities on one line. */
function fromText(text: string | undefined): AgeIdentity[] | undefined {
  if (text === undefined || text === '') return undefined;
  const lines = text.split(/\r?\n/).flatMap((line) => (line.startsWith('#') ? [] : line.split(/[ \t]+/)));
  return parseAgeIdentities(lines.join('\n'), 'SOPS_AGE_KEY');
}

async function fromFile(path: string | undefined, world: World, isConfigured: boolean): Promise<AgeIdentity[] | undefined> {
  if (path === undefined || path === '') return undefined;
  try {
    const text = await world.outside(() => readFile(resolve(world.cwd, path), 'utf8'));
    return parseAgeIdentities(text, path);
  } catch (error) {
    if (!isConfigured && codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function fromCommand(command: string | undefined, world: World, recipients: readonly string[]): Promise<AgeIdentity[] | undefined> {
  if (command === undefined || command === '') return undefined;
  const [program, ...args] = splitWords(command);
  if (program === undefined) return undefined;
  const found: AgeIdentity[] = [];
  for (const recipient of recipients) {
    const env = { ...world.env, SOPS_AGE_RECIPIENT: recipient };
    const { stdout } = await world
      .outside(() => run(program, args, { env, cwd: world.cwd, maxBuffer: MAX_KEY_BYTES, encoding: 'utf8' }))
      .catch((error: unknown) => {
        // the error of a child process carries its output, which may be a key
        throw new SottoError('AGE_KEY_COMMAND', `the command failed: ${codeOf(error)}`);
      });
    found.push(...parseAgeIdentities(stdout, 'SOPS_AGE_KEY_CMD'));
  }
  return found;
}

/** Splits like a shell, without any expansion: quotes and backslashes only. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  for (const match of text.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs)) {
    words.push(
      match[0].replaceAll(
        /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
        (_all, single?: string, double?: string, escaped?: string) => single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
      ),
    );
  }
  return words;
}

function defaultKeyFile(env: World['env'], home: string): string {
  const configured = env['XDG_CONFIG_HOME'];
  const tail = ['sops', 'age', 'keys.txt'];
  if (configured !== undefined && configured !== '') return join(configured, ...tail);
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', ...tail);
  if (process.platform === 'win32') return join(env['AppData'] ?? env['APPDATA'] ?? home, ...tail);
  return join(home, '.config', ...tail);
}
