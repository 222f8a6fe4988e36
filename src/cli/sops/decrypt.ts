import { SottoError } from '../../base/errors/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';
import type { MasterKeyType } from '../../secrets/keys/index.ts';
import { decrypt, decryptToTree, DEFAULT_DECRYPTION_ORDER, extract, parsePath, readMetadata } from '../../secrets/sops/index.ts';
import type { Arguments } from '../flags.ts';
import { indentFor, loadConfig } from './config.ts';
import { readInput, streamsOf, writeResult } from './files.ts';
import { ambientAge } from './identities.ts';

const KEY_TYPES: readonly MasterKeyType[] = ['age', 'pgp', 'kms', 'gcp_kms', 'azure_kv', 'hc_vault', 'hckms'];

/** `sops decrypt`. Nothing is written before everything is verified. */
export async function decryptCommand(args: Arguments, world: World, entropy: Entropy, warn: (message: string) => void): Promise<void> {
  const streams = streamsOf(args, world);
  const path = args.text('extract');
  const steps = path === undefined ? undefined : parsePath(path);
  const bytes = await readInput(streams.path, world);
  const config = await loadConfig(args, world, warn);
  const indent = indentFor(streams.output, args, config);
  const file = streams.name === '' ? 'stdin' : streams.name;
  const metadata = readMetadata(bytes, streams.input, file);
  const recipients = metadata.groups
    .flat()
    .flatMap(({ type, fields }) => (type === 'age' && typeof fields['recipient'] === 'string' ? [fields['recipient']] : []));
  const options = {
    world,
    entropy,
    warn,
    file,
    format: streams.input,
    outputFormat: streams.output,
    credentials: await ambientAge(world, recipients),
    ignoreMac: args.has('ignore-mac'),
    decryptionOrder: decryptionOrder(args, world, warn),
    ...(indent === undefined ? {} : { indent }),
  };
  const result =
    steps === undefined
      ? (await decrypt(bytes, options)).bytes
      : extract((await decryptToTree(bytes, options)).tree, steps, streams.output, options);
  await writeResult(result, args, streams, world, true);
}

/** @throws SottoError SOPS_DUPLICATE_KEY_TYPE */
function decryptionOrder(args: Arguments, world: World, warn: (message: string) => void): readonly MasterKeyType[] {
  const text = args.text('decryption-order') ?? world.env['SOPS_DECRYPTION_ORDER'] ?? '';
  if (text === '') return DEFAULT_DECRYPTION_ORDER;
  const words = text.split(',').map((word) => word.trim());
  const repeated = words.find((word, index) => words.indexOf(word) !== index);
  if (repeated !== undefined) throw new SottoError('SOPS_DUPLICATE_KEY_TYPE', `duplicate decryption key type: ${repeated}`);
  return words.flatMap((word) => {
    const type = KEY_TYPES.find((known) => known === word);
    if (type === undefined) warn(`--decryption-order: unknown key type '${word}' has no effect`);
    return type === undefined ? [] : [type];
  });
}
