import { apiErrors } from '../objects/index.ts';

/** One field of a protobuf message as it stands on the wire. */
export type WireField =
  | { readonly number: number; readonly kind: 'varint'; readonly value: bigint }
  | { readonly number: number; readonly kind: 'fixed'; readonly bytes: Uint8Array }
  | { readonly number: number; readonly kind: 'bytes'; readonly bytes: Uint8Array };

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/**
 * Splits a protobuf message into its fields, in order. Three wire types are all that Kubernetes uses, and the
 * request path is synchronous, so a library brings nothing here.
 *
 * @throws ApiError 400 when the bytes are not a protobuf message
 */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw malformed();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed();
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw malformed();
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    if (number === 0) throw malformed();
    switch (Number(tag & 7n)) {
      case VARINT:
        yield { number, kind: 'varint', value: varint() };
        break;
      case FIXED64:
        yield { number, kind: 'fixed', bytes: take(8) };
        break;
      case FIXED32:
        yield { number, kind: 'fixed', bytes: take(4) };
        break;
      case LENGTH_DELIMITED: {
        const length = varint();
        if (length > BigInt(bytes.length)) throw malformed();
        yield { number, kind: 'bytes', bytes: take(Number(length)) };
        break;
      }
      default:
        throw malformed();
    }
  }
}

export function malformed(): Error {
  return apiErrors.badRequest('the request body is not a valid protobuf message');
}
