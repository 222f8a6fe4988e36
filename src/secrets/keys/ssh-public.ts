import { createPublicKey, type KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import { decodeBase64 } from './key-service.ts';
import { toBigInt, wireInteger, wireReader, wireString } from './ssh-wire.ts';

export const MIN_RSA_BITS = 2048;

/** A public key of one of the two types that age takes. */
export type SshPublicKey =
  | { readonly type: 'ssh-ed25519'; readonly wire: Uint8Array; readonly point: Uint8Array }
  | { readonly type: 'ssh-rsa'; readonly wire: Uint8Array; readonly modulus: Uint8Array; readonly exponent: Uint8Array };

/**
 * Reads a line of `authorized_keys` or a `.pub` file: type, base64, optional comment.
 *
 * @throws SottoError AGE_RECIPIENT_INVALID
 */
export function parseSshPublicKey(line: string): SshPublicKey {
  const [type = '', base64 = ''] = line.trim().split(/[ \t]+/);
  const wire = decodeBase64(base64, 'standard');
  if (wire === undefined) throw invalid('it is not `type base64`');
  const key = readSshPublicKey(wire);
  if (key === undefined || key.type !== type) throw invalid('only ssh-ed25519 and ssh-rsa keys can be recipients');
  if (key.type === 'ssh-rsa' && bitLength(key.modulus) < MIN_RSA_BITS) throw invalid(`RSA keys need ${MIN_RSA_BITS} bits or more`);
  return key;
}

function invalid(problem: string): SottoError {
  return new SottoError('AGE_RECIPIENT_INVALID', `failed to parse input as SSH public key: ${problem}`);
}

/** Undefined when the bytes are another type of key, or malformed. */
export function readSshPublicKey(wire: Uint8Array): SshPublicKey | undefined {
  const reader = wireReader(wire);
  const type = reader.text();
  if (type === 'ssh-ed25519') {
    const point = reader.string();
    return point?.length === 32 && reader.rest().length === 0 ? { type, wire, point } : undefined;
  }
  if (type !== 'ssh-rsa') return undefined;
  const [exponent, modulus] = [reader.string(), reader.string()];
  return exponent !== undefined && modulus !== undefined && reader.rest().length === 0 ? { type, wire, modulus, exponent } : undefined;
}

export function bitLength(bytes: Uint8Array): number {
  return toBigInt(bytes).toString(2).length;
}

/** The public key that belongs to a key object of Node; undefined for other types than Ed25519 and RSA. */
export function sshPublicKeyOf(key: KeyObject): SshPublicKey | undefined {
  const { kty, crv, x, n, e } = createPublicKey(key.export({ type: 'pkcs8', format: 'pem' })).export({ format: 'jwk' });
  const bytes = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
  if (kty === 'OKP' && crv === 'Ed25519') {
    const point = bytes(x);
    return { type: 'ssh-ed25519', point, wire: Buffer.concat([wireString(Buffer.from('ssh-ed25519')), wireString(point)]) };
  }
  if (kty !== 'RSA') return undefined;
  const [modulus, exponent] = [bytes(n), bytes(e)];
  const wire = Buffer.concat([wireString(Buffer.from('ssh-rsa')), wireInteger(exponent), wireInteger(modulus)]);
  return { type: 'ssh-rsa', modulus, exponent, wire };
}
