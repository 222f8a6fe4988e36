import { createDecipheriv, createHash, scrypt } from 'node:crypto';

import type { Identity, Stanza } from 'age-encryption';

import { SottoError } from '../../base/errors/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import { parseAgeIdentities, type AgeIdentity } from './age-identities.ts';
import { decodeUnpadded } from './age-ssh.ts';
import type { AskPassphrase } from './credentials.ts';

const BINARY_START = 'age-encryption.org/';
const ARMOR_START = '-----BEGIN AGE ENCRYPTED FILE-----';
const LABEL = 'age-encryption.org/v1/scrypt';
const SALT_LENGTH = 16;
const FILE_KEY_LENGTH = 16;
const TAG_LENGTH = 16;
/** Two to this many steps: four gigabytes, about half a minute. */
const MAX_WORK_FACTOR = 22;
const SCRYPT_R = 8;
const ZERO_NONCE = new Uint8Array(12);

/** Whether the bytes of an identity file are an age file themselves, protected by a passphrase. */
export function isProtectedIdentityFile(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trimStart();
  return start.startsWith(BINARY_START) || start.startsWith(ARMOR_START);
}

/**
 * Opens a passphrase-protected identity file, binary or armored. Inside, only X25519 and hybrid lines count.
 *
 * @throws SottoError AGE_PASSPHRASE_MISSING, AGE_PASSPHRASE_WRONG, AGE_IDENTITY_INVALID
 */
export async function openProtectedIdentities(bytes: Uint8Array, source: string, passphrase: AskPassphrase): Promise<AgeIdentity[]> {
  const at = { file: source };
  const { Decrypter } = await import('age-encryption');
  const file = await withoutArmor(bytes, source);
  const secret = await passphrase();
  if (secret === undefined) throw new SottoError('AGE_PASSPHRASE_MISSING', 'the identity file is protected by a passphrase', { at });
  const decrypter = new Decrypter();
  decrypter.addIdentity(scryptIdentity(secret, source));
  const text = await decrypter.decrypt(file, 'text').catch((error: unknown) => {
    if (error instanceof SottoError) throw error;
    throw new SottoError('AGE_IDENTITY_INVALID', 'the protected identity file is damaged', { at });
  });
  const found = parseAgeIdentities(text, source).filter(({ identity }) => identity.reveal().startsWith('AGE-SECRET-KEY-'));
  if (found.length === 0) throw new SottoError('AGE_IDENTITY_INVALID', 'the protected identity file holds no identity', { at });
  return found;
}

/**
 * Under which name upstream keeps the passphrase of an identity file in gpg-agent's cache: `SopsAge` and base32 of the
 * first 25 bytes of the hash of the file without armor.
 */
export async function passphraseCacheName(bytes: Uint8Array, source: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await withoutArmor(bytes, source))
    .digest()
    .subarray(0, 25);
  return `SopsAge${base32(hash)}`;
}

function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(Number.parseInt(group, 2))).join('');
}

async function withoutArmor(bytes: Uint8Array, source: string): Promise<Uint8Array> {
  const text = Buffer.from(bytes).toString('latin1');
  if (!text.trimStart().startsWith(ARMOR_START)) return bytes;
  const { armor } = await import('age-encryption');
  try {
    return armor.decode(text);
  } catch {
    // what is inside is a key: nothing of it may be quoted
    throw new SottoError('AGE_IDENTITY_INVALID', 'the armor of the protected identity file is damaged', { at: { file: source } });
  }
}

/**
 * The passphrase recipient of age. Its own code because OpenSSL's scrypt runs off this thread and up to work factor 22, as
 * upstream's does.
 */
function scryptIdentity(passphrase: Sensitive<string>, source: string): Identity {
  return {
    unwrapFileKey: async (stanzas) => {
      const [stanza] = stanzas;
      const at = { file: source };
      if (stanza === undefined || stanza.args[0] !== 'scrypt' || stanzas.length !== 1) {
        throw new SottoError('AGE_IDENTITY_INVALID', 'the identity file is encrypted, but not with a passphrase alone', { at });
      }
      const key = await derive(passphrase, stanza, source);
      const decipher = createDecipheriv('chacha20-poly1305', key, ZERO_NONCE, { authTagLength: TAG_LENGTH });
      decipher.setAuthTag(stanza.body.subarray(FILE_KEY_LENGTH));
      try {
        return Buffer.concat([decipher.update(stanza.body.subarray(0, FILE_KEY_LENGTH)), decipher.final()]);
      } catch {
        // the only thing that authentication tells
        throw new SottoError('AGE_PASSPHRASE_WRONG', 'the passphrase does not open the identity file', { at });
      }
    },
  };
}

async function derive(passphrase: Sensitive<string>, { args, body }: Stanza, source: string): Promise<Uint8Array> {
  const salt = decodeUnpadded(args[1]);
  const workFactor = /^[1-9][0-9]?$/.test(args[2] ?? '') ? Number(args[2]) : undefined;
  const isGood = args.length === 3 && salt?.length === SALT_LENGTH && body.length === FILE_KEY_LENGTH + TAG_LENGTH;
  if (!isGood || workFactor === undefined) {
    throw new SottoError('AGE_IDENTITY_INVALID', 'the protected identity file is damaged', { at: { file: source } });
  }
  if (workFactor > MAX_WORK_FACTOR) {
    const problem = `the identity file asks for a work factor of ${workFactor}, more than ${MAX_WORK_FACTOR}`;
    throw new SottoError('AGE_IDENTITY_INVALID', problem, { at: { file: source } });
  }
  const N = 2 ** workFactor;
  const options = { N, r: SCRYPT_R, p: 1, maxmem: 128 * SCRYPT_R * (N + 64) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.reveal(), Buffer.concat([Buffer.from(LABEL), salt]), 32, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
