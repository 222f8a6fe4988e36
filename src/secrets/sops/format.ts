import { STORES, type StoreContext } from './stores/index.ts';
import { parseMetadata, type Metadata } from './metadata.ts';
import type { SopsFormat } from './types.ts';

const FORMATS: readonly SopsFormat[] = ['yaml', 'json', 'dotenv', 'ini', 'binary'];

const SUFFIXES: readonly (readonly [suffix: string, format: SopsFormat])[] = [
  ['.yaml', 'yaml'],
  ['.yml', 'yaml'],
  ['.json', 'json'],
  ['.env', 'dotenv'],
  ['.ini', 'ini'],
];

/** The format of a file by the suffix of its name, case-sensitive; anything else is binary. */
export function formatForPath(path: string): SopsFormat {
  return SUFFIXES.find(([suffix]) => path.endsWith(suffix))?.[1] ?? 'binary';
}

/**
 * The format of a word such as `yaml` or `dotenv`; an unknown or empty word is binary, as in upstream's library
 * function `decrypt.Data`.
 */
export function formatForWord(word: string): SopsFormat {
  return FORMATS.find((format) => format === word) ?? 'binary';
}

/** What Flux looks for before it decrypts anything (kc:internal/decryptor). */
const MARKERS: Readonly<Record<SopsFormat, string>> = {
  yaml: 'mac: ENC[',
  json: '"mac": "ENC[',
  binary: '"mac": "ENC[',
  dotenv: 'sops_mac=ENC[',
  ini: '[sops]',
};

/** True when the bytes carry the marker of an encrypted file of this format. Cheap: nothing is parsed. */
export function isEncrypted(bytes: Uint8Array, format: SopsFormat): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(MARKERS[format]);
}

/**
 * The metadata of an encrypted file, without any key.
 *
 * @throws SottoError SOPS_METADATA_NOT_FOUND, SOPS_METADATA_INVALID, SOPS_PARSE
 */
export function readMetadata(bytes: Uint8Array, format: SopsFormat, file?: string): Metadata {
  const context: StoreContext = { warn: () => undefined, ...(file === undefined ? {} : { file }) };
  return parseMetadata(STORES[format].parseEncrypted(bytes, context).metadata);
}
