import { createHash, createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';

/** What git signs with; a signature made for another purpose never counts. */
const NAMESPACE = 'git';
const MAGIC = 'SSHSIG';
const VERSION = 1;
const MIN_RSA_BITS = 2048;
const HASHES: readonly string[] = ['sha256', 'sha512'];
const KEY_LINE = /(?:^|\s)(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521))\s+([A-Za-z0-9+/]+=*)/;
const CURVES: Readonly<Record<string, { readonly crv: string; readonly bytes: number; readonly hash: string }>> = {
  nistp256: { crv: 'P-256', bytes: 32, hash: 'sha256' },
  nistp384: { crv: 'P-384', bytes: 48, hash: 'sha384' },
  nistp521: { crv: 'P-521', bytes: 66, hash: 'sha512' },
};

/** Public keys in the format of an authorized_keys file; lines without a key are passed over. */
export function parseAuthorizedKeys(text: string): Uint8Array[] {
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => {
      const [, type, body = ''] = KEY_LINE.exec(line) ?? [];
      const blob = Buffer.from(body, 'base64');
      return type !== undefined && nameOf(blob) === type ? [blob] : [];
    });
}

/** The type that a key's blob begins with; undefined when it is no blob. */
function nameOf(blob: Buffer): string | undefined {
  if (blob.length < 4) return undefined;
  const end = 4 + blob.readUInt32BE(0);
  return end > blob.length ? undefined : blob.toString('latin1', 4, end);
}

/**
 * Verifies a signature in OpenSSH's SSHSIG format (PROTOCOL.sshsig) against keys that are trusted.
 *
 * @returns the fingerprint of the key, `SHA256:…`
 * @throws SottoError GIT_SIGNATURE when no trusted key made it, or when it is malformed
 */
export function verifySshSignature(payload: Uint8Array, armored: string, trusted: readonly Uint8Array[]): string {
  const signature = parseSignature(armored);
  const key = trusted.find((blob) => Buffer.compare(blob, signature.publicKey) === 0);
  if (key === undefined) throw refused('the SSH signature was made by a key that is not among the public keys');
  if (signature.namespace !== NAMESPACE) throw refused('the SSH signature was not made for git');
  if (!HASHES.includes(signature.hash)) throw refused('the SSH signature uses an unsupported hash');
  const digest = createHash(signature.hash).update(payload).digest();
  const signed = Buffer.concat([
    Buffer.from(MAGIC),
    ...[Buffer.from(NAMESPACE), Buffer.from(signature.reserved), Buffer.from(signature.hash), digest].map(withLength),
  ]);
  if (!isSignedBy(signature.publicKey, signed, signature.signature)) throw refused('the SSH signature does not match the content');
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function refused(message: string): SottoError {
  return new SottoError('GIT_SIGNATURE', message);
}

interface SshSignature {
  readonly publicKey: Buffer;
  readonly namespace: string;
  readonly reserved: string;
  readonly hash: string;
  readonly signature: Buffer;
}

function parseSignature(armored: string): SshSignature {
  const [, body = ''] = /-----BEGIN SSH SIGNATURE-----([A-Za-z0-9+/=\s]*)-----END SSH SIGNATURE-----/.exec(armored) ?? [];
  const bytes = Buffer.from(body.replaceAll(/\s/g, ''), 'base64');
  const reader = wire(bytes.subarray(MAGIC.length + 4));
  if (
    bytes.length < MAGIC.length + 4 ||
    bytes.toString('latin1', 0, MAGIC.length) !== MAGIC ||
    bytes.readUInt32BE(MAGIC.length) !== VERSION
  ) {
    throw refused('the SSH signature is malformed');
  }
  const [publicKey, namespace, reserved, hash, signature] = [reader(), reader(), reader(), reader(), reader()];
  return { publicKey, namespace: namespace.toString(), reserved: reserved.toString('latin1'), hash: hash.toString(), signature };
}

/** Reads length-prefixed strings one after the other (RFC 4251). */
function wire(bytes: Buffer): () => Buffer {
  let at = 0;
  return () => {
    if (at + 4 > bytes.length) throw refused('the SSH signature is malformed');
    const start = at + 4;
    at = start + bytes.readUInt32BE(at);
    if (at > bytes.length) throw refused('the SSH signature is malformed');
    return bytes.subarray(start, at);
  };
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function isSignedBy(publicKey: Buffer, signed: Buffer, signature: Buffer): boolean {
  const key = wire(publicKey);
  const blob = wire(signature);
  const [keyType, signatureType, bytes] = [key().toString('latin1'), blob().toString('latin1'), blob()];
  if (keyType === 'ssh-ed25519' && signatureType === keyType) {
    const x = key().toString('base64url');
    return verify(null, signed, publicKeyOf({ kty: 'OKP', crv: 'Ed25519', x }), bytes);
  }
  if (keyType === 'ssh-rsa' && /^rsa-sha2-(256|512)$/.test(signatureType)) {
    const [e, n] = [key(), key()];
    const rsa = publicKeyOf({ kty: 'RSA', e: e.toString('base64url'), n: n.toString('base64url') });
    if ((rsa.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) throw refused('the RSA key of the SSH signature is too short');
    return verify(`sha${signatureType.slice(-3)}`, signed, rsa, bytes);
  }
  if (keyType.startsWith('ecdsa-sha2-') && signatureType === keyType) return isSignedByEcdsa(key, signed, bytes);
  throw refused(`unsupported signature type ${JSON.stringify(signatureType)}`);
}

function isSignedByEcdsa(key: () => Buffer, signed: Buffer, signature: Buffer): boolean {
  const curve = CURVES[key().toString('latin1')];
  const point = key();
  if (curve === undefined || point.length !== 1 + 2 * curve.bytes || point[0] !== 4)
    throw refused('the ECDSA key of the SSH signature is malformed');
  const numbers = wire(signature);
  const fixed = [numbers(), numbers()].map((value) => fixedLength(value, curve.bytes));
  const [x, y] = [point.subarray(1, 1 + curve.bytes), point.subarray(1 + curve.bytes)];
  const ecdsa = publicKeyOf({ kty: 'EC', crv: curve.crv, x: x.toString('base64url'), y: y.toString('base64url') });
  return verify(curve.hash, signed, { key: ecdsa, dsaEncoding: 'ieee-p1363' }, Buffer.concat(fixed));
}

/** An mpint as an unsigned number of a fixed width. */
function fixedLength(value: Buffer, length: number): Buffer {
  const plain = value[0] === 0 ? value.subarray(1) : value;
  if (plain.length > length) throw refused('the SSH signature is malformed');
  return Buffer.concat([Buffer.alloc(length - plain.length), plain]);
}

function publicKeyOf(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch (cause) {
    throw new SottoError('GIT_SIGNATURE', 'the public key of the SSH signature is malformed', { cause });
  }
}
