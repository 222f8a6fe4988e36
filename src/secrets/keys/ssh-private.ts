import { createDecipheriv, createPrivateKey, type KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import { bcryptPbkdf } from './bcrypt-pbkdf.ts';
import { decodeBase64 } from './key-service.ts';
import { readSshPublicKey, sshPublicKeyOf, type SshPublicKey } from './ssh-public.ts';
import { fromBigInt, toBigInt, wireReader, type WireReader } from './ssh-wire.ts';

const OPENSSH = /^\s*-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END OPENSSH PRIVATE KEY-----/;
const MAGIC = 'openssh-key-v1\0';
const PROTECTED_PEM = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
/** Each costs about five milliseconds; ssh-keygen writes 16 or 24. */
const MAX_ROUNDS = 2000;
const CIPHERS: Readonly<Record<string, string>> = { 'aes256-ctr': 'aes-256-ctr', 'aes256-cbc': 'aes-256-cbc' };

/** A private key file, before its passphrase is known. */
export interface SshPrivateFile {
  readonly isProtected: boolean;
  /** Undefined when the format shows it only after the passphrase (old PEM). */
  readonly publicKey: SshPublicKey | undefined;
  /** The Node key. @throws SottoError SSH_KEY_INVALID, SSH_PASSPHRASE_WRONG */
  open(passphrase?: string): KeyObject;
}

/**
 * Reads an SSH private key: OpenSSH's own format, PKCS#1 or PKCS#8 PEM.
 *
 * @throws SottoError SSH_KEY_INVALID; messages never quote the key
 */
export function readSshPrivateFile(text: string, source: string): SshPrivateFile {
  const body = OPENSSH.exec(text)?.[1];
  return body === undefined ? readPem(text, source) : readOpenSsh(body, source);
}

function readPem(pem: string, source: string): SshPrivateFile {
  const isProtected = PROTECTED_PEM.test(pem);
  const open = (passphrase?: string): KeyObject => {
    try {
      return createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
    } catch {
      // OpenSSL's messages say nothing that a user could act on, and may name parts of the key
      throw isProtected ? wrongPassphrase(source) : invalid(source, 'it is no private key in PEM form');
    }
  };
  return { isProtected, publicKey: isProtected ? undefined : sshPublicKeyOf(open()), open };
}

function readOpenSsh(body: string, source: string): SshPrivateFile {
  const bytes = decodeBase64(body.replaceAll(/\s+/g, ''), 'standard');
  if (bytes === undefined || Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC)
    throw invalid(source, 'it is damaged');
  const reader = wireReader(bytes.subarray(MAGIC.length));
  const [cipher, kdf, kdfOptions, count, wire, secret] = [
    reader.text(),
    reader.text(),
    reader.string(),
    reader.uint32(),
    reader.string(),
    reader.string(),
  ];
  if (kdfOptions === undefined || count !== 1 || wire === undefined || secret === undefined) throw invalid(source, 'it is damaged');
  const publicKey = readSshPublicKey(wire);
  if (publicKey === undefined) throw invalid(source, 'only ed25519 and rsa keys can be identities');
  const isProtected = cipher !== 'none';
  const open = (passphrase?: string): KeyObject => {
    if (!isProtected) return privateKeyOf(secret, source);
    if (kdf !== 'bcrypt' || cipher === undefined || !Object.hasOwn(CIPHERS, cipher))
      throw invalid(source, `its cipher ${cipher} is not supported`);
    if (passphrase === undefined) throw wrongPassphrase(source);
    return privateKeyOf(decrypt(secret, CIPHERS[cipher] ?? '', kdfOptions, passphrase, source), source);
  };
  return { isProtected, publicKey, open };
}

function decrypt(secret: Uint8Array, cipher: string, kdfOptions: Uint8Array, passphrase: string, source: string): Uint8Array {
  const options = wireReader(kdfOptions);
  const [salt, rounds] = [options.string(), options.uint32()];
  if (salt === undefined || rounds === undefined || rounds === 0 || rounds > MAX_ROUNDS)
    throw invalid(source, 'its key derivation is damaged');
  const derived = bcryptPbkdf(Buffer.from(passphrase, 'utf8'), salt, rounds, 48);
  const decipher = createDecipheriv(cipher, derived.subarray(0, 32), derived.subarray(32)).setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(secret), decipher.final()]);
  const check = wireReader(plain);
  if (check.uint32() !== check.uint32()) throw wrongPassphrase(source);
  return plain;
}

function privateKeyOf(secret: Uint8Array, source: string): KeyObject {
  const reader = wireReader(secret);
  if (reader.uint32() !== reader.uint32()) throw invalid(source, 'it is damaged');
  const jwk = reader.text() === 'ssh-ed25519' ? ed25519Jwk(reader) : rsaJwk(reader);
  if (jwk === undefined) throw invalid(source, 'it is damaged');
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    // the message of the library may quote the numbers
    throw invalid(source, 'its numbers do not fit together');
  }
}

function ed25519Jwk(reader: WireReader): Record<string, string> | undefined {
  const [point, seedAndPoint] = [reader.string(), reader.string()];
  if (point?.length !== 32 || seedAndPoint?.length !== 64) return undefined;
  return { kty: 'OKP', crv: 'Ed25519', x: base64url(point), d: base64url(seedAndPoint.subarray(0, 32)) };
}

function rsaJwk(reader: WireReader): Record<string, string> | undefined {
  const numbers = Array.from({ length: 6 }, () => reader.string()).flatMap((bytes) => (bytes === undefined ? [] : [toBigInt(bytes)]));
  const [n, e, d, qi, p, q] = numbers;
  if (n === undefined || e === undefined || d === undefined || qi === undefined || p === undefined || q === undefined) return undefined;
  if (p < 2n || q < 2n) return undefined;
  const all = { n, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi };
  return { kty: 'RSA', ...Object.fromEntries(Object.entries(all).map(([name, value]) => [name, base64url(fromBigInt(value))])) };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function invalid(source: string, problem: string): SottoError {
  return new SottoError('SSH_KEY_INVALID', `the SSH private key cannot be used: ${problem}`, { at: { file: source } });
}

function wrongPassphrase(source: string): SottoError {
  return new SottoError('SSH_PASSPHRASE_WRONG', 'the SSH private key is protected, and no passphrase opens it', { at: { file: source } });
}
