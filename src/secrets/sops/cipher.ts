import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';

import { SottoError } from '../../base/errors/index.ts';
import { wipe } from '../../base/sensitive/index.ts';
import type { Entropy } from '../../base/world/index.ts';
import type { IvStash } from './iv-stash.ts';
import { formatFloatPlain, parseGoFloat, parseInt64 } from './numbers.ts';
import { normalTime } from './times.ts';
import { formatToken, parseToken, type Token } from './token.ts';
import { textOf, type SopsComment, type SopsLeaf } from './tree.ts';

const ALGORITHM = 'aes-256-gcm';
const DATA_KEY_LENGTH = 32;
const IV_LENGTH = 32;
/** Node takes IVs of 1 to 128 bytes, Go any. */
const MAX_IV_LENGTH = 128;
const TAG_LENGTH = 16;

/** What a token can hold. */
export type Plain = Exclude<SopsLeaf, { readonly kind: 'null' }> | SopsComment;

const TRUE_WORDS = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE_WORDS = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** The bytes of a value that are encrypted, and hashed into the MAC. */
export function plainBytes(value: Plain): Uint8Array {
  switch (value.kind) {
    case 'str':
      return value.bytes;
    case 'int':
      return utf8(value.value.toString());
    case 'float':
      return utf8(formatFloatPlain(value.value));
    case 'bool':
      return utf8(value.value ? 'True' : 'False');
    default:
      return utf8(value.text);
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

type Reader = (bytes: Uint8Array) => Plain | undefined;

/** Token types and how their plaintext reads. */
const READERS: Readonly<Record<string, Reader>> = {
  str: (bytes) => ({ kind: 'str', bytes }),
  bytes: (bytes) => ({ kind: 'str', bytes }),
  comment: (bytes) => ({ kind: 'comment', text: textOf(bytes) }),
  int: (bytes) => {
    const value = parseInt64(textOf(bytes));
    return value === undefined ? undefined : { kind: 'int', value };
  },
  float: (bytes) => {
    const value = parseGoFloat(textOf(bytes));
    return value === undefined ? undefined : { kind: 'float', value };
  },
  bool: (bytes) => {
    const word = textOf(bytes);
    return TRUE_WORDS.has(word) || FALSE_WORDS.has(word) ? { kind: 'bool', value: TRUE_WORDS.has(word) } : undefined;
  },
  time: (bytes) => {
    const text = normalTime(textOf(bytes));
    return text === undefined ? undefined : { kind: 'time', text };
  },
};

/**
 * A data key ready for use: three times faster than bytes, which Node would copy for every value.
 *
 * @throws SottoError SOPS_DATA_KEY_INVALID
 */
export function cipherKey(dataKey: Uint8Array): KeyObject {
  if (dataKey.length === DATA_KEY_LENGTH) return createSecretKey(dataKey);
  throw new SottoError('SOPS_DATA_KEY_INVALID', `the data key has ${dataKey.length} bytes instead of ${DATA_KEY_LENGTH}`);
}

/**
 * Encrypts one value. An empty string or comment stays empty, without a token.
 *
 * @param ivs gives an unchanged value the IV that it had
 */
export function encryptValue(value: Plain, key: KeyObject, aad: string, entropy: Entropy, ivs?: IvStash): string {
  const plain = plainBytes(value);
  if (plain.length === 0) return '';
  const iv = ivs?.recall(plain, value.kind, aad) ?? entropy.bytes(IV_LENGTH);
  const cipher = createCipheriv(ALGORITHM, key, iv);
  cipher.setAAD(utf8(aad));
  const data = Buffer.concat([cipher.update(plain), cipher.final()]);
  return formatToken({ data, iv, tag: cipher.getAuthTag(), type: value.kind });
}

/**
 * Decrypts one token. The empty string is the empty value.
 *
 * @param where what the value belongs to, for messages
 * @param ivs remembers the IV
 * @throws SottoError SOPS_VALUE_MALFORMED (no token, bad base64), SOPS_VALUE_TAMPERED (changed, moved to another
 *   key, or another data key), SOPS_VALUE_TYPE (unknown type, or plaintext that does not fit it)
 */
export function decryptValue(text: string, key: KeyObject, aad: string, where: string, ivs?: IvStash): Plain {
  if (text === '') return { kind: 'str', bytes: new Uint8Array() };
  const token = parseToken(text, where);
  const read = Object.hasOwn(READERS, token.type) ? READERS[token.type] : undefined;
  const plain = open(token, key, aad, where);
  if (read === undefined) throw new SottoError('SOPS_VALUE_TYPE', `${where}: Unknown datatype: ${token.type}`);
  const value = read(plain);
  if (value === undefined) {
    wipe(plain);
    throw new SottoError('SOPS_VALUE_TYPE', `${where}: the decrypted value is no ${token.type}`);
  }
  // another spelling of the value (1.50, say) is another plaintext, for which the IV must not be used again
  if (ivs !== undefined && Buffer.from(plain).equals(plainBytes(value))) ivs.remember(plain, value.kind, aad, token.iv);
  return value;
}

function open({ data, iv, tag }: Token, key: KeyObject, aad: string, where: string): Uint8Array {
  if (tag.length !== TAG_LENGTH) throw tampered(where, `the tag has ${tag.length} bytes instead of ${TAG_LENGTH}`);
  if (iv.length > MAX_IV_LENGTH) throw tampered(where, `the IV is longer than ${MAX_IV_LENGTH} bytes`);
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_LENGTH });
  decipher.setAAD(utf8(aad));
  decipher.setAuthTag(tag);
  const plain = decipher.update(data);
  try {
    decipher.final();
  } catch {
    // the library's error says nothing more, and the plaintext is not to be trusted
    wipe(plain);
    throw tampered(where, 'message authentication failed');
  }
  return new Uint8Array(plain);
}

function tampered(where: string, problem: string): SottoError {
  return new SottoError('SOPS_VALUE_TAMPERED', `${where}: Could not decrypt value: Could not decrypt with AES_GCM: ${problem}`, {
    hint: 'the value was changed by hand, moved to another key, or encrypted with another data key',
  });
}
