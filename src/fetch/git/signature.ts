import { messageOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { parseAuthorizedKeys, verifySshSignature } from './sshsignature.ts';

const PGP_BEGIN = '-----BEGIN PGP SIGNATURE-----';
const SSH_BEGIN = '-----BEGIN SSH SIGNATURE-----';
const SSH_SUFFIX = '.sshpub';

/** What a signature covers, and the signature; undefined when there is none. */
export interface SignedObject {
  readonly payload: Uint8Array;
  readonly signature: string | undefined;
}

/**
 * Public keys by file name: names that end in `.sshpub` hold keys in the format of authorized_keys, all others armoured
 * PGP keys.
 */
export type PublicKeys = ReadonlyMap<string, string>;

/** The signature of a commit lies in its header `gpgsig`, and covers everything else. */
export function signedCommit(raw: Uint8Array): SignedObject {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const headerEnd = bytes.indexOf('\n\n');
  const header = bytes.toString('latin1', 0, headerEnd < 0 ? bytes.length : headerEnd + 1);
  const found = /^gpgsig (.*\n(?: .*\n)*)/m.exec(header);
  if (found === null) return { payload: raw, signature: undefined };
  const [whole, value = ''] = found;
  const payload = Buffer.concat([bytes.subarray(0, found.index), bytes.subarray(found.index + whole.length)]);
  return { payload, signature: value.replaceAll(/\n /g, '\n') };
}

/** The signature of a tag is the end of its text, and covers what is before it. */
export function signedTag(raw: Uint8Array): SignedObject {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const starts = [PGP_BEGIN, SSH_BEGIN].map((begin) => bytes.lastIndexOf(`\n${begin}`)).filter((at) => at >= 0);
  const start = Math.max(-1, ...starts);
  if (start < 0) return { payload: raw, signature: undefined };
  return { payload: bytes.subarray(0, start + 1), signature: bytes.toString('latin1', start + 1) };
}

/**
 * Verifies who signed a commit or a tag.
 *
 * @returns the id of the key: 16 hex digits for PGP, the fingerprint for SSH
 * @throws SottoError GIT_SIGNATURE when it is not signed, or by nobody who is trusted
 */
export async function verifySignature({ payload, signature = '' }: SignedObject, keys: PublicKeys, world: World): Promise<string> {
  const text = signature.trimStart();
  const ofKind = (isSsh: boolean): string[] => [...keys].filter(([name]) => name.endsWith(SSH_SUFFIX) === isSsh).map(([, key]) => key);
  if (text.startsWith(SSH_BEGIN)) {
    const trusted = ofKind(true).flatMap(parseAuthorizedKeys);
    if (trusted.length === 0) throw refused('SSH signature detected but no SSH public keys found in secret');
    return verifySshSignature(payload, text, trusted);
  }
  if (text.startsWith(PGP_BEGIN)) {
    const armored = ofKind(false);
    if (armored.length === 0) throw refused('PGP signature detected but no PGP public keys found in secret');
    return verifyPgpSignature(payload, text, armored, world);
  }
  throw refused(text === '' ? 'it is not signed' : 'unsupported signature type');
}

function refused(message: string): SottoError {
  return new SottoError('GIT_SIGNATURE', message);
}

async function verifyPgpSignature(payload: Uint8Array, armored: string, keyTexts: readonly string[], world: World): Promise<string> {
  const date = new Date(world.clock.now());
  const check = async (): Promise<string> => {
    const pgp = await import('openpgp');
    const verificationKeys = (await Promise.all(keyTexts.map((armoredKeys) => pgp.readKeys({ armoredKeys })))).flat();
    const [message, signature] = [await pgp.createMessage({ binary: payload }), await pgp.readSignature({ armoredSignature: armored })];
    const [first] = (await pgp.verify({ message, signature, verificationKeys, date })).signatures;
    if (first === undefined || !(await first.verified)) throw refused('no signature is valid');
    return first.keyID.toHex().toUpperCase();
  };
  try {
    return await world.outside(check);
  } catch (cause) {
    throw new SottoError('GIT_SIGNATURE', `unable to verify payload with any of the given key rings: ${messageOf(cause)}`, { cause });
  }
}
