import { SottoError } from '../../base/errors/index.ts';

/** The value token `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`, taken apart. */
export interface Token {
  readonly data: Uint8Array;
  readonly iv: Uint8Array;
  readonly tag: Uint8Array;
  readonly type: string;
}

const PREFIX = 'ENC[AES256_GCM,data:';
const BASE64_ALPHABET = /^[A-Za-z0-9+/]*={0,2}$/;

interface TokenText {
  readonly data: string;
  readonly iv: string;
  readonly tag: string;
  readonly type: string;
}

/**
 * Upstream's pattern `^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]`, where `.` stops at LF only: greedy, so that
 * each part ends at the last possible mark, and text after the last bracket of the line is tolerated. Searched from the
 * right, because the pattern itself takes cubic time on hostile text.
 */
function split(text: string): TokenText | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const lineEnd = text.indexOf('\n');
  const end = text.lastIndexOf(']', lineEnd === -1 ? text.length : lineEnd);
  const type = lastMark(text, ',type:', end);
  const tag = lastMark(text, ',tag:', type);
  const iv = lastMark(text, ',iv:', tag);
  if (iv <= PREFIX.length) return undefined;
  return {
    data: text.slice(PREFIX.length, iv),
    iv: text.slice(iv + ',iv:'.length, tag),
    tag: text.slice(tag + ',tag:'.length, type),
    type: text.slice(type + ',type:'.length, end),
  };
}

/** The last mark that leaves at least one character before `end`; -1 without one. */
function lastMark(text: string, mark: string, end: number): number {
  const latest = end - mark.length - 1;
  return latest < 0 ? -1 : text.lastIndexOf(mark, latest);
}

export function isToken(text: string): boolean {
  return split(text) !== undefined;
}

/** The type of a token, without decoding it; undefined when the text is none. */
export function tokenType(text: string): string | undefined {
  return split(text)?.type;
}

/**
 * @param where what the token belongs to, for messages
 * @throws SottoError SOPS_VALUE_MALFORMED; the text itself is never quoted
 */
export function parseToken(text: string, where: string): Token {
  const parts = split(text);
  if (parts === undefined) {
    throw new SottoError('SOPS_VALUE_MALFORMED', `${where}: the value does not match sops' data format`, {
      hint: 'the selection rule of the file says that this value is encrypted; for built Kubernetes objects use encrypted_regex: ^(data|stringData)$',
    });
  }
  const { data, iv, tag, type } = parts;
  return {
    data: decode(data, 'data', where),
    iv: decode(iv, 'iv', where),
    tag: decode(tag, 'tag', where),
    type,
  };
}

export function formatToken({ data, iv, tag, type }: Token): string {
  return `ENC[AES256_GCM,data:${encode(data)},iv:${encode(iv)},tag:${encode(tag)},type:${type}]`;
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Go's decoder ignores CR; Node's would ignore any garbage. */
function decode(text: string, part: string, where: string): Uint8Array {
  const base64 = text.replaceAll('\r', '');
  if (base64.length % 4 !== 0 || !BASE64_ALPHABET.test(base64)) {
    throw new SottoError('SOPS_VALUE_MALFORMED', `${where}: the ${part} of the encrypted value is not base64`);
  }
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
