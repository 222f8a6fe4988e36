import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  privateDecrypt,
  publicEncrypt,
  type KeyObject,
} from 'node:crypto';

import type { Identity, Recipient, Stanza } from 'age-encryption';

import { SottoError } from '../../base/errors/index.ts';
import type { Entropy } from '../../base/world/index.ts';
import type { AskPassphrase } from './credentials.ts';
import { readSshPrivateFile, type SshPrivateFile } from './ssh-private.ts';
import { bitLength, MIN_RSA_BITS, parseSshPublicKey, sshPublicKeyOf, type SshPublicKey } from './ssh-public.ts';
import { toBigInt } from './ssh-wire.ts';

const ED25519 = 'ssh-ed25519';
const RSA = 'ssh-rsa';
const LABELS = { [ED25519]: 'age-encryption.org/v1/ssh-ed25519', [RSA]: 'age-encryption.org/v1/ssh-rsa' } as const;
const FILE_KEY_LENGTH = 16;
const TAG_LENGTH = 16;
const ZERO_NONCE = new Uint8Array(12);

type MakeStanza = (args: string[], body: Uint8Array) => Stanza;

/**
 * An age recipient for an SSH public key line. Follows age:agessh.
 *
 * @throws SottoError AGE_RECIPIENT_INVALID
 */
export function sshRecipient(line: string, entropy: Entropy, makeStanza: MakeStanza): Recipient {
  const key = parseSshPublicKey(line);
  return {
    wrapFileKey: (fileKey) => [key.type === ED25519 ? wrapEd25519(key, fileKey, entropy, makeStanza) : wrapRsa(key, fileKey, makeStanza)],
  };
}

export interface SshIdentityOptions {
  readonly passphrase?: AskPassphrase;
  /** The `.pub` line, for formats that hide the public half behind the passphrase: without it the passphrase is asked at once. */
  readonly publicKey?: string;
}

/**
 * An age identity for an SSH private key. The passphrase of a protected key is asked for when a stanza is for it.
 *
 * @throws SottoError SSH_KEY_INVALID; the identity throws SSH_PASSPHRASE_WRONG, AGE_WRAPPED_KEY_INVALID
 */
export function sshIdentity(text: string, source: string, options: SshIdentityOptions = {}): Identity {
  const file = readSshPrivateFile(text, source);
  const given = options.publicKey === undefined ? undefined : parseSshPublicKey(options.publicKey);
  let opened: KeyObject | undefined;
  const open = async (): Promise<KeyObject> => {
    opened ??= await openFile(file, options.passphrase);
    return opened;
  };
  return {
    unwrapFileKey: async (stanzas) => {
      if (!stanzas.some(({ args: [type] }) => type === ED25519 || type === RSA)) return null;
      const publicKey = file.publicKey ?? given ?? sshPublicKeyOf(await open());
      if (publicKey === undefined)
        throw new SottoError('SSH_KEY_INVALID', 'only ed25519 and rsa keys can be identities', { at: { file: source } });
      const tag = tagOf(publicKey);
      for (const stanza of stanzas.filter(({ args }) => args[0] === publicKey.type)) {
        checkArguments(stanza);
        if (stanza.args[1] === tag)
          return publicKey.type === ED25519 ? unwrapEd25519(publicKey, await open(), stanza) : unwrapRsa(publicKey, await open(), stanza);
      }
      return null;
    },
  };
}

async function openFile(file: SshPrivateFile, passphrase: AskPassphrase | undefined): Promise<KeyObject> {
  return file.isProtected ? file.open((await passphrase?.())?.reveal()) : file.open();
}

/** The first four bytes of the hash of the public key, as the header shows them. */
function tagOf({ wire }: SshPublicKey): string {
  return unpadded(createHash('sha256').update(wire).digest().subarray(0, 4));
}

function checkArguments({ args }: Stanza): void {
  const [type] = args;
  const isGood = type === RSA ? args.length === 2 : args.length === 3 && decodeUnpadded(args[2])?.length === 32;
  if (!isGood) throw damaged(`its ${type} stanza is malformed`);
}

function damaged(problem: string): SottoError {
  return new SottoError('AGE_WRAPPED_KEY_INVALID', `the age file is damaged: ${problem}`);
}

type Ed25519Key = Extract<SshPublicKey, { type: typeof ED25519 }>;
type RsaKey = Extract<SshPublicKey, { type: typeof RSA }>;

function wrapEd25519(key: Ed25519Key, fileKey: Uint8Array, entropy: Entropy, makeStanza: MakeStanza): Stanza {
  const ours = x25519PrivateKey(entropy.bytes(32));
  const ourPublic = rawPublicKey(ours);
  const theirPublic = montgomery(key.point);
  const shared = tweaked(key, x25519(ours, theirPublic));
  const cipher = createCipheriv('chacha20-poly1305', wrapKey(shared, ourPublic, theirPublic), ZERO_NONCE, { authTagLength: TAG_LENGTH });
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  return makeStanza([ED25519, tagOf(key), unpadded(ourPublic)], body);
}

function unwrapEd25519(key: Ed25519Key, privateKey: KeyObject, { args, body }: Stanza): Uint8Array {
  if (body.length !== FILE_KEY_LENGTH + TAG_LENGTH) throw damaged('its ssh-ed25519 stanza has the wrong size');
  const theirs = decodeUnpadded(args[2]) ?? new Uint8Array();
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  const scalar = createHash('sha512').update(seed).digest().subarray(0, 32);
  try {
    const shared = tweaked(key, x25519(x25519PrivateKey(scalar), theirs));
    const decipher = createDecipheriv('chacha20-poly1305', wrapKey(shared, theirs, montgomery(key.point)), ZERO_NONCE, {
      authTagLength: TAG_LENGTH,
    });
    decipher.setAuthTag(body.subarray(FILE_KEY_LENGTH));
    return Buffer.concat([decipher.update(body.subarray(0, FILE_KEY_LENGTH)), decipher.final()]);
  } catch {
    // OpenSSL only knows that authentication or the exchange failed
    throw damaged('its ssh-ed25519 stanza does not decrypt');
  }
}

/** A second exchange, with a scalar that is made from the SSH key, binds the stanza to it. */
function tweaked({ wire }: Ed25519Key, shared: Uint8Array): Uint8Array {
  const tweak = new Uint8Array(hkdfSync('sha256', new Uint8Array(), wire, LABELS[ED25519], 32));
  return x25519(x25519PrivateKey(tweak), shared);
}

function wrapKey(shared: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', shared, Buffer.concat([ephemeral, recipient]), LABELS[ED25519], 32));
}

function wrapRsa(key: RsaKey, fileKey: Uint8Array, makeStanza: MakeStanza): Stanza {
  const jwk = { kty: 'RSA', n: Buffer.from(key.modulus).toString('base64url'), e: Buffer.from(key.exponent).toString('base64url') };
  const body = publicEncrypt({ key: createPublicKey({ key: jwk, format: 'jwk' }), ...oaep() }, fileKey);
  return makeStanza([RSA, tagOf(key)], new Uint8Array(body));
}

function unwrapRsa(key: RsaKey, privateKey: KeyObject, { body }: Stanza): Uint8Array {
  if (bitLength(key.modulus) < MIN_RSA_BITS) throw damaged(`RSA keys need ${MIN_RSA_BITS} bits or more`);
  try {
    return new Uint8Array(privateDecrypt({ key: privateKey, ...oaep() }, body));
  } catch {
    // OpenSSL only knows that decryption failed
    throw damaged('its ssh-rsa stanza does not decrypt');
  }
}

function oaep() {
  return { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: Buffer.from(LABELS[RSA], 'latin1') };
}

const X25519_PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const X25519_SPKI = Buffer.from('302a300506032b656e032100', 'hex');

function x25519PrivateKey(scalar: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([X25519_PKCS8, scalar]), format: 'der', type: 'pkcs8' });
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  return new Uint8Array(
    createPublicKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))
      .export({ format: 'der', type: 'spki' })
      .subarray(X25519_SPKI.length),
  );
}

/** Throws when the result would be all zero. */
function x25519(privateKey: KeyObject, point: Uint8Array): Uint8Array {
  const publicKey = createPublicKey({ key: Buffer.concat([X25519_SPKI, point]), format: 'der', type: 'spki' });
  return new Uint8Array(diffieHellman({ privateKey, publicKey }));
}

const PRIME = 2n ** 255n - 19n;

/** The u coordinate of an Edwards point: (1 + y) / (1 - y). Public data only, so timing does not matter. */
function montgomery(point: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(point).toReversed();
  bytes[0] = (bytes[0] ?? 0) & 127;
  const y = toBigInt(bytes) % PRIME;
  const u = ((1n + y) * power((1n - y + PRIME) % PRIME, PRIME - 2n)) % PRIME;
  return new Uint8Array(Buffer.from(u.toString(16).padStart(64, '0'), 'hex')).toReversed();
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, left = exponent; left > 0n; left >>= 1n, square = (square * square) % PRIME) {
    if ((left & 1n) === 1n) result = (result * square) % PRIME;
  }
  return result;
}

/** Base64 without padding, as stanzas have it; decoding takes the canonical form only. */
export function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}

export function decodeUnpadded(text = ''): Uint8Array | undefined {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return unpadded(bytes) === text ? bytes : undefined;
}
