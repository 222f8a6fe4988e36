import { SottoError } from '../../base/errors/index.ts';
import type { MasterKeyType } from '../../secrets/keys/index.ts';
import {
  DEFAULT_DECRYPTION_ORDER,
  readMetadata,
  type DecryptOptions,
  type SealOptions,
  type SopsConfig,
  type SopsFormat,
} from '../../secrets/sops/index.ts';
import { indentFor, loadConfig } from './config.ts';
import { ambientCredentials } from './credentials.ts';
import type { SopsFace } from './face.ts';
import { readInput, type Streams } from './files.ts';

const KEY_TYPES: readonly MasterKeyType[] = ['age', 'pgp', 'kms', 'gcp_kms', 'azure_kv', 'hc_vault', 'hckms'];

/** An encrypted file, and all that is needed to open it. */
export interface Input {
  readonly bytes: Uint8Array;
  readonly options: DecryptOptions & SealOptions & { readonly file: string; readonly outputFormat: SopsFormat };
  readonly config: SopsConfig | undefined;
}

/** Which flags a command has; the others are never asked for. */
export interface OpeningFlags {
  readonly ignoreMac?: boolean;
  readonly order?: boolean;
  /** Status of a missing file differs from command to command. */
  readonly missing?: 'no-file' | 'unreadable';
}

/** Reads an encrypted file. @throws SottoError SOPS_NO_FILE or SOPS_UNREADABLE, and what configuration and flags throw */
export async function readEncrypted(face: SopsFace, streams: Streams, flags: OpeningFlags = {}): Promise<Input> {
  const { args, world, entropy, warn } = face;
  const bytes = await readInput(streams.path, world, flags.missing);
  const config = await loadConfig(args, world, warn);
  const indent = indentFor(streams.output, args, config);
  const file = streams.name === '' ? 'stdin' : streams.name;
  const recipients = readMetadata(bytes, streams.input, file)
    .groups.flat()
    .flatMap(({ type, fields }) => (type === 'age' && typeof fields['recipient'] === 'string' ? [fields['recipient']] : []));
  const credentials = await ambientCredentials(world, recipients);
  const options = {
    world,
    entropy,
    warn,
    file,
    format: streams.input,
    outputFormat: streams.output,
    credentials,
    keyServices: face.keyServices(credentials),
    ignoreMac: flags.ignoreMac === true && args.has('ignore-mac'),
    decryptionOrder: flags.order === false ? DEFAULT_DECRYPTION_ORDER : decryptionOrder(face),
    ...(indent === undefined ? {} : { indent }),
  };
  return { bytes, options, config };
}

/** @throws SottoError SOPS_DUPLICATE_KEY_TYPE */
function decryptionOrder({ args, world, warn }: SopsFace): readonly MasterKeyType[] {
  const text = args.text('decryption-order') ?? world.env['SOPS_DECRYPTION_ORDER'] ?? '';
  if (text === '') return DEFAULT_DECRYPTION_ORDER;
  const words = text.split(',').map((word) => word.trim());
  const repeated = words.find((word, index) => words.indexOf(word) !== index);
  if (repeated !== undefined) throw new SottoError('SOPS_DUPLICATE_KEY_TYPE', `Duplicate decryption key type: ${repeated}`);
  return words.flatMap((word) => {
    const type = KEY_TYPES.find((known) => known === word);
    if (type === undefined) warn(`--decryption-order: unknown key type '${word}' has no effect`);
    return type === undefined ? [] : [type];
  });
}
