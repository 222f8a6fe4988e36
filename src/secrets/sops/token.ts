import { SottoError } from '../../base/errors/index.ts';

/** The value token `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`, taken apart. */
export interface Token {
  readonly data: Uint8Array;
  readonly iv: Uint8Array;
  readonly tag: Uint8Array;
  readonly type: string;
}

/** `.` must not match LF but must match CR and U+2028, unlike JavaScript's; text after the last `]` is tolerated. */
const TOKEN = /^ENC\[AES256_GCM,data:([^\n]+),iv:([^\n]+),tag:([^\n]+),type:([^\n]+)\]/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** The type of a token, without decoding it; undefined when the text is none. */
export function tokenType(text: string): string | undefined {
  return TOKEN.exec(text)?.[4];
}

/**
 * @param where what the token belongs to, for messages
 * @throws SottoError SOPS_VALUE_MALFORMED; the text itself is never quoted
 */
export function parseToken(text: string, where: string): Token {
  const match = TOKEN.exec(text);
  if (match === null) {
    throw new SottoError('SOPS_VALUE_MALFORMED', `${where}: the value does not match sops' data format`, {
      hint: 'the selection rule of the file says that this value is encrypted; for built Kubernetes objects use encrypted_regex: ^(data|stringData)$',
    });
  }
  const [, data = '', iv = '', tag = '', type = ''] = match;
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
  if (!BASE64.test(base64)) {
    throw new SottoError('SOPS_VALUE_MALFORMED', `${where}: the ${part} of the encrypted value is not base64`);
  }
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
