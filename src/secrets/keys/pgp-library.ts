import type * as OpenPgp from 'openpgp';
import type { Key, KeyID, Message, PartialConfig, PrivateKey } from 'openpgp';

import { SottoError } from '../../base/errors/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import type { PgpCredentials } from './credentials.ts';

type Library = typeof OpenPgp;
type Given = NonNullable<PgpCredentials['keys']>[number];

const BEGIN = /(?=-----BEGIN PGP )/;
const PRIVATE_BLOCK = /^-----BEGIN PGP PRIVATE KEY BLOCK-----/;
const KEY_BLOCK = /^-----BEGIN PGP (?:PUBLIC|PRIVATE) KEY BLOCK-----/;
/** A wrapped data key is tiny; what unpacks to more is no such thing. */
const MAX_UNPACKED_BYTES = 1 << 20;

/** Keys of old files are weak by today's measure. Whoever has one must still be able to read, and to move away. */
const OLD_KEYS: PartialConfig = {
  minRSABits: 1024,
  rejectPublicKeyAlgorithms: new Set(),
  rejectCurves: new Set(),
  allowMissingKeyFlags: true,
  aeadProtect: false,
  maxDecompressedMessageSize: MAX_UNPACKED_BYTES,
};

/** The library takes null for "at any time": an expired key still opens what was encrypted for it. */
const AT_ANY_TIME = null as unknown as Date;

/** What the keys that are given as text say about a message. */
export type LibraryResult =
  | { readonly kind: 'opened'; readonly bytes: Uint8Array }
  | { readonly kind: 'none'; readonly wanted: readonly string[] };

/**
 * Opens a message with the first key that is one of its recipients.
 *
 * @throws SottoError PGP_MESSAGE_INVALID, PGP_KEY_INVALID, PGP_PASSPHRASE_MISSING, PGP_PASSPHRASE_WRONG, PGP_FAILED
 */
export async function openWithKeys(armored: string, pgp: PgpCredentials): Promise<LibraryResult> {
  const library = await import('openpgp');
  const message = await readMessage(armored, library);
  const recipients = message.getEncryptionKeyIDs();
  const wanted = recipients.map((id) => id.toHex().toUpperCase());
  let failed: SottoError | undefined;
  for (const given of pgp.keys ?? []) {
    for (const key of await privateKeys(given, library)) {
      const isHidden = recipients.some(isWildcard);
      const isMine = recipients.some((id) => !isWildcard(id) && key.getKeys(id).length > 0);
      if (!isMine && !isHidden) continue;
      try {
        return { kind: 'opened', bytes: await decrypt(armored, await unlock(key, given, library), library) };
      } catch (error) {
        // a message that hides its recipients is tried with every key, and most do not fit
        if (isMine) failed ??= error instanceof SottoError ? error : failure(key, given);
      }
    }
  }
  if (failed !== undefined) throw failed;
  return { kind: 'none', wanted };
}

/** A recipient that the sender left out. */
function isWildcard(id: KeyID): boolean {
  return /^0+$/.test(id.toHex());
}

function failure(key: PrivateKey, { source }: Given): SottoError {
  return new SottoError(
    'PGP_FAILED',
    `the OpenPGP message is damaged: key ${key.getFingerprint().toUpperCase()} is one of its recipients and does not open it`,
    {
      at: { file: source },
    },
  );
}

async function readMessage(armored: string, { readMessage: read }: Library): Promise<Message<string>> {
  try {
    return await read({ armoredMessage: armored, config: OLD_KEYS });
  } catch (cause) {
    throw new SottoError('PGP_MESSAGE_INVALID', 'the wrapped data key is no armored OpenPGP message', { cause });
  }
}

/** Reading costs arithmetic, and a reconcile opens many files with the same keys. */
const readKeys = new WeakMap<Given, Promise<PrivateKey[]>>();

function privateKeys(given: Given, library: Library): Promise<PrivateKey[]> {
  const known = readKeys.get(given) ?? readPrivateKeys(given, library);
  readKeys.set(given, known);
  known.catch(() => readKeys.delete(given));
  return known;
}

async function readPrivateKeys({ armored, source }: Given, library: Library): Promise<PrivateKey[]> {
  const read = (armoredKeys: string): Promise<PrivateKey[]> => library.readPrivateKeys({ armoredKeys, config: OLD_KEYS });
  return readBlocks(armored.reveal(), source, PRIVATE_BLOCK, read);
}

/** Reads the blocks of a kind; the others are left out, as gpg's import does with what it has no use for. */
async function readBlocks<T>(text: string, source: string, kind: RegExp, read: (block: string) => Promise<T[]>): Promise<T[]> {
  const blocks = text.split(BEGIN).filter((block) => KEY_BLOCK.test(block));
  if (blocks.length === 0) throw invalidKey(source);
  try {
    return (await Promise.all(blocks.filter((block) => kind.test(block)).map(read))).flat();
  } catch {
    // what cannot be read is a private key: the library's message may quote it
    throw invalidKey(source);
  }
}

function invalidKey(source: string): SottoError {
  return new SottoError('PGP_KEY_INVALID', 'it is no armored OpenPGP key', { at: { file: source } });
}

async function unlock(key: PrivateKey, { passphrase, source }: Given, { decryptKey }: Library): Promise<PrivateKey> {
  if (key.isDecrypted()) return key;
  const secret = await passphrase?.();
  const name = key.getFingerprint().toUpperCase();
  const at = { file: source };
  if (secret === undefined) throw new SottoError('PGP_PASSPHRASE_MISSING', `the OpenPGP key ${name} is protected by a passphrase`, { at });
  try {
    return await decryptKey({ privateKey: key, passphrase: secret.reveal(), config: OLD_KEYS });
  } catch {
    // the library's message adds nothing
    throw new SottoError('PGP_PASSPHRASE_WRONG', `the passphrase does not open the OpenPGP key ${name}`, { at });
  }
}

async function decrypt(armored: string, key: PrivateKey, library: Library): Promise<Uint8Array> {
  // a try that fails leaves the bytes of the message object changed, so every try reads its own
  const message = await readMessage(armored, library);
  const { data } = await library.decrypt({ message, decryptionKeys: key, format: 'binary', date: AT_ANY_TIME, config: OLD_KEYS });
  return data;
}

/**
 * Encrypts for the key with this fingerprint: that of the primary key or of a subkey, in full; with `!` at the end for
 * exactly that (sub)key. Undefined when none of the given keys has it.
 *
 * @throws SottoError PGP_KEY_INVALID, PGP_ENCRYPT_FAILED
 */
export async function encryptWithKeys(
  fingerprint: string,
  dataKey: Sensitive<Uint8Array>,
  pgp: PgpCredentials,
  now: number,
): Promise<string | undefined> {
  const library = await import('openpgp');
  const isExact = fingerprint.endsWith('!');
  const wanted = (isExact ? fingerprint.slice(0, -1) : fingerprint).toLowerCase();
  const keys = await publicKeys(pgp, library);
  const key = keys.find((candidate) => candidate.getKeys().some((part) => part.getFingerprint() === wanted));
  if (key === undefined) return undefined;
  const exact = isExact ? { encryptionKeyIDs: [partOf(key, wanted)] } : {};
  try {
    const message = await library.createMessage({ binary: dataKey.reveal() });
    const options = {
      message,
      encryptionKeys: key.toPublic(),
      format: 'armored',
      date: new Date(now),
      config: OLD_KEYS,
      ...exact,
    } as const;
    return (await library.encrypt(options)).trim();
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new SottoError('PGP_ENCRYPT_FAILED', `cannot encrypt for the OpenPGP key ${fingerprint}: ${why}`);
  }
}

async function publicKeys(pgp: PgpCredentials, library: Library): Promise<Key[]> {
  const found: Key[] = [];
  for (const given of pgp.keys ?? []) found.push(...(await privateKeys(given, library)));
  for (const { armored, source } of pgp.publicKeys ?? []) {
    found.push(...(await readBlocks(armored, source, KEY_BLOCK, (armoredKeys) => library.readKeys({ armoredKeys, config: OLD_KEYS }))));
  }
  return found;
}

function partOf(key: Key, fingerprint: string): KeyID {
  return (key.getKeys().find((part) => part.getFingerprint() === fingerprint) ?? key).getKeyID();
}
