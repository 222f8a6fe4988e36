import { SottoError } from '../../base/errors/index.ts';

/** The blocks of a tar archive (POSIX.1-2001 "ustar" and "pax"). */
const BLOCK = 512;
/** The longest name that the fixed field of a header holds. */
const NAME_LENGTH = 100;
const END_BLOCKS = 2;

/** One member of an archive. */
export interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/** Writes entries of type file and directory, without owners and times. */
export function encodeTar(
  entries: Iterable<Pick<TarEntry, 'name' | 'mode' | 'bytes'> & { readonly type: 'file' | 'directory' }>,
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    if (name.length > NAME_LENGTH || !isAscii(name)) parts.push(...paxPath(entry.name));
    parts.push(header(name.subarray(0, NAME_LENGTH), entry.type === 'file' ? '0' : '5', entry.mode, entry.bytes.length));
    parts.push(...padded(entry.bytes));
  }
  parts.push(new Uint8Array(BLOCK * END_BLOCKS));
  return Buffer.concat(parts);
}

function isAscii(name: Uint8Array): boolean {
  return name.every((byte) => byte < 0x80);
}

function padded(bytes: Uint8Array): Uint8Array[] {
  const rest = bytes.length % BLOCK;
  return rest === 0 ? [bytes] : [bytes, new Uint8Array(BLOCK - rest)];
}

/** An extended header that carries a name of any length and any characters. */
function paxPath(name: string): Uint8Array[] {
  const record = (length: number): Buffer => Buffer.from(`${length} path=${name}\n`);
  let length = record(0).length;
  while (record(length).length !== length) length = record(length).length;
  const body = record(length);
  return [header(Buffer.from('PaxHeaders.0/path'), 'x', 0, body.length), ...padded(body)];
}

function header(name: Uint8Array, type: string, mode: number, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  block.set(name, 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(type, 156);
  block.write('ustar\u000000', 257, 'latin1');
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

const TYPES: Readonly<Record<string, TarEntry['type']>> = { '\0': 'file', '0': 'file', '7': 'file', '5': 'directory', '2': 'symlink' };

/**
 * Reads an archive: ustar, pax and GNU long names.
 *
 * @throws SottoError ARTIFACT_TAR_INVALID when it is cut short or a header is damaged
 */
export function* decodeTar(archive: Uint8Array): Generator<TarEntry> {
  const data = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  let longName: string | undefined;
  for (let offset = 0; offset + BLOCK <= data.length;) {
    const block = data.subarray(offset, offset + BLOCK);
    if (block.every((byte) => byte === 0)) return;
    checkHeader(block, offset);
    const size = number(block.subarray(124, 136), offset);
    const type = String.fromCharCode(block[156] ?? 0);
    const start = offset + BLOCK;
    if (start + size > data.length) throw damaged(offset, 'an entry is cut short');
    const bytes = data.subarray(start, start + size);
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'x') longName = paxRecords(bytes, start).get('path') ?? longName;
    else if (type === 'L') longName = text(bytes);
    else if (type !== 'g' && type !== 'K') {
      const name = longName ?? headerName(block);
      const isDirectory = TYPES[type] === 'file' && name.endsWith('/');
      yield { name, type: isDirectory ? 'directory' : (TYPES[type] ?? 'other'), mode: number(block.subarray(100, 108), start), bytes };
      longName = undefined;
    }
  }
}

function headerName(block: Buffer): string {
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block.subarray(345, 500)) : '';
  const name = text(block.subarray(0, NAME_LENGTH));
  return prefix === '' ? name : `${prefix}/${name}`;
}

function checkHeader(block: Buffer, offset: number): void {
  const stored = number(block.subarray(148, 156), offset);
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
  if (sum !== stored) throw damaged(offset, 'a header has a wrong checksum');
}

/** An octal field, or the base-256 form that GNU tar uses for large numbers. */
function number(field: Buffer, offset: number): number {
  const [first = 0] = field;
  if ((first & 0x80) !== 0) {
    const value = field.subarray(1).reduce((total, byte) => total * 256 + byte, first & 0x3f);
    if (!Number.isSafeInteger(value)) throw damaged(offset, 'a header has a number that is too large');
    return value;
  }
  const digits = text(field).trim();
  if (!/^[0-7]*$/.test(digits)) throw damaged(offset, 'a header has a malformed number');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function paxRecords(body: Buffer, offset: number): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(body.toString('latin1', at, space));
    if (!Number.isInteger(length) || length <= space - at || at + length > body.length)
      throw damaged(offset, 'an extended header is malformed');
    const record = body.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function damaged(offset: number, what: string): SottoError {
  return new SottoError('ARTIFACT_TAR_INVALID', `tar error: ${what} (near byte ${offset})`);
}
