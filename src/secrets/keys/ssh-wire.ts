/** The binary encoding of SSH keys (RFC 4251): strings and big integers with a length of four bytes in front. */

/** Reads one after the other; `undefined` once the bytes do not hold what is asked for. */
export interface WireReader {
  string(): Uint8Array | undefined;
  text(): string | undefined;
  uint32(): number | undefined;
  rest(): Uint8Array;
}

export function wireReader(bytes: Uint8Array): WireReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const uint32 = (): number | undefined => {
    if (at + 4 > bytes.length) return undefined;
    at += 4;
    return view.getUint32(at - 4);
  };
  const string = (): Uint8Array | undefined => {
    const length = uint32();
    if (length === undefined || at + length > bytes.length) return undefined;
    at += length;
    return bytes.subarray(at - length, at);
  };
  return {
    uint32,
    string,
    text: () => {
      const found = string();
      return found === undefined ? undefined : Buffer.from(found).toString('latin1');
    },
    rest: () => bytes.subarray(at),
  };
}

export function wireString(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A positive integer: a zero byte in front keeps the sign bit clear. */
export function wireInteger(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  const bare = start < 0 ? new Uint8Array(0) : bytes.subarray(start);
  return wireString((bare[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), bare]) : bare);
}

export function toBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

export function fromBigInt(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return new Uint8Array(Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex'));
}
