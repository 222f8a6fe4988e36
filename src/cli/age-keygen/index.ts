/**
 * `age-keygen`: makes age identities, and converts identities to recipients (age:cmd/age-keygen).
 *
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { codeOf, messageOf, SottoError } from '../../base/errors/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';
import { ageRecipientOf, generateAgeIdentity, parseAgeIdentities } from '../../secrets/keys/index.ts';
import { parseArguments, type Arguments, type Flag } from '../flags.ts';

const UPSTREAM_VERSION = 'v1.3.1';
const SECRET_FILE = 0o600;

const FLAGS: readonly Flag[] = [
  { name: 'pq', help: 'make a post-quantum hybrid identity' },
  { name: 'output', short: 'o', value: 'OUTPUT', help: 'write to this file, which must not exist' },
  { name: 'y', short: 'y', help: 'convert identities to recipients' },
  { name: 'version', help: 'print the version' },
];

const USAGE = `Usage:
    age-keygen [-pq] [-o OUTPUT]
    age-keygen -y [-o OUTPUT] [INPUT]

Options:
    -pq                       Generate a post-quantum hybrid ML-KEM-768 + X25519 key pair.
    -o, --output OUTPUT       Write the result to the file at path OUTPUT.
    -y                        Convert an identity file to a recipients file.

The key file holds a secret: it is readable by its owner only, and an existing file is never overwritten.

Example:
    age-keygen -o key.txt
    age-keygen -y key.txt
`;

/** Runs `age-keygen` with these arguments (without the program's name) and gives its exit status. */
export async function main(argv: readonly string[], world: World, entropy: Entropy): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h') || argv.includes('-help')) {
    world.stdout.write(USAGE);
    return 0;
  }
  try {
    const args = await parseArguments(argv, FLAGS);
    if (args.has('version')) world.stdout.write(`${UPSTREAM_VERSION}\n`);
    else if (args.has('y')) await convert(args, world);
    else await generate(args, world, entropy);
    return 0;
  } catch (error) {
    const hint = error instanceof SottoError && error.hint !== undefined ? `age-keygen: hint: ${error.hint}\n` : '';
    world.stderr.write(`age-keygen: error: ${messageOf(error)}\n${hint}`);
    return 1;
  }
}

async function generate(args: Arguments, world: World, entropy: Entropy): Promise<void> {
  if (args.positional.length > 0) throw new SottoError('USAGE', 'too many arguments', { hint: 'an input file is given together with -y' });
  const identity = generateAgeIdentity(entropy, { pq: args.has('pq') });
  const recipient = await ageRecipientOf(identity, world);
  const created = localTime(world.clock.now());
  const isShown = args.text('output') === undefined && world.stdout.isTTY;
  await write(`# created: ${created}\n# public key: ${recipient}\n${identity.reveal()}\n`, args, world);
  if (!isShown) world.stderr.write(`Public key: ${recipient}\n`);
}

async function convert(args: Arguments, world: World): Promise<void> {
  if (args.has('pq')) throw new SottoError('USAGE', '-pq cannot be used with -y');
  const [input] = args.positional;
  if (args.positional.length > 1) throw new SottoError('USAGE', 'too many arguments');
  const identities = parseAgeIdentities(await readText(input, world), input ?? 'standard input');
  if (identities.length === 0) throw new SottoError('AGE_IDENTITY_INVALID', 'no identities found in the input');
  const recipients: string[] = [];
  for (const { identity } of identities) recipients.push(await ageRecipientOf(identity, world));
  await write(`${recipients.join('\n')}\n`, args, world);
}

async function readText(path: string | undefined, world: World): Promise<string> {
  if (path !== undefined && path !== '-') {
    return world
      .outside(() => readFile(resolve(world.cwd, path), 'utf8'))
      .catch((cause: unknown) => {
        throw new SottoError('AGE_UNREADABLE', `failed to open input file "${path}": ${codeOf(cause)}`, { cause });
      });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of world.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** An existing file is an error: it may hold the only copy of a key. */
async function write(text: string, args: Arguments, world: World): Promise<void> {
  const output = args.text('output');
  if (output === undefined) return world.stdout.write(text);
  await world
    .outside(() => writeFile(resolve(world.cwd, output), text, { flag: 'wx', mode: SECRET_FILE }))
    .catch((cause: unknown) => {
      const reason = codeOf(cause) === 'EEXIST' ? 'file exists' : codeOf(cause);
      throw new SottoError('AGE_UNWRITABLE', `failed to open output file "${output}": ${reason}`, { cause });
    });
}

/** RFC 3339 in local time with its offset. */
function localTime(milliseconds: number): string {
  const minutes = -new Date(milliseconds).getTimezoneOffset();
  const shifted = new Date(milliseconds + minutes * 60_000).toISOString().slice(0, 19);
  if (minutes === 0) return `${shifted}Z`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${shifted}${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}
