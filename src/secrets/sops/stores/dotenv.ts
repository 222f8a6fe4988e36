import { SottoError } from '../../../base/errors/index.ts';
import { flattenMetadata, unflattenMetadata, type FlatPairs } from '../flat.ts';
import { entriesOf, entry, map, textOf, type SopsComment, type SopsEntry, type SopsMap, type SopsTree } from '../tree.ts';
import { metadataNotFound, onlyBranch } from './common.ts';
import { flatValue } from './flat-values.ts';
import type { Store, StoreContext } from './store.ts';

const PREFIX = 'sops_';
const LF = 0x0a;
const HASH = 0x23;
const EQUALS = 0x3d;

/** Lines stay bytes: a value need not be UTF-8. */
function lines(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
    found.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...found, bytes.subarray(start)];
}

function parseLine(line: Uint8Array, number: number, { file }: StoreContext): SopsEntry | SopsComment {
  if (line[0] === HASH) return { kind: 'comment', text: textOf(line.subarray(1)) };
  const separator = line.indexOf(EQUALS);
  if (separator === -1) {
    throw new SottoError('SOPS_PARSE', 'invalid dotenv input line: there is no =', {
      at: { line: number, ...(file === undefined ? {} : { file }) },
    });
  }
  return entry(textOf(line.subarray(0, separator)), { kind: 'str', bytes: unescapeNewlines(line.subarray(separator + 1)) });
}

/** The two characters `\n` stand for a newline. Latin-1 keeps every byte as it is. */
function unescapeNewlines(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  return text.includes('\\n') ? new Uint8Array(Buffer.from(text.replaceAll('\\n', '\n'), 'latin1')) : bytes;
}

function escapeNewlines(bytes: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\n', '\\n'), 'latin1');
}

function parse(bytes: Uint8Array, context: StoreContext): SopsMap {
  return map(lines(bytes).flatMap((line, index) => (line.length === 0 ? [] : [parseLine(line, index + 1, context)])));
}

function emit(branch: SopsMap, { warn }: StoreContext): Uint8Array {
  const written = branch.items.map((item) => {
    if (item.kind === 'comment') return Buffer.from(`#${item.text}\n`);
    const value = flatValue(item.value, item.key, warn);
    if (item.value.kind === 'str' && Buffer.from(value).includes('\\n'))
      warn(`${item.key}: backslash-n in the value reads back as a newline`);
    return Buffer.concat([Buffer.from(`${item.key}=`), escapeNewlines(value), Buffer.from('\n')]);
  });
  return new Uint8Array(Buffer.concat(written));
}

function metadataPairs(metadata: SopsMap): SopsEntry[] {
  return flattenMetadata(metadata).map(([name, value]) =>
    entry(`${PREFIX}${name}`, { kind: 'str', bytes: new TextEncoder().encode(value) }),
  );
}

const isMetadata = (item: SopsMap['items'][number]): item is SopsEntry => item.kind === 'entry' && item.key.startsWith(PREFIX);

/** `.env`: `KEY=value` lines without quoting rules. Follows sops:stores/dotenv/store.go. */
export const dotenvStore: Store = {
  parsePlain: (bytes, context) => ({ branches: [parse(bytes, context)] }),
  parseEncrypted: (bytes, context) => {
    const branch = parse(bytes, context);
    const found = branch.items.filter(isMetadata);
    if (found.length === 0) throw metadataNotFound(context);
    const pairs: FlatPairs = found.map((item) => [
      item.key.slice(PREFIX.length),
      item.value.kind === 'str' ? textOf(item.value.bytes) : '',
    ]);
    return { tree: { branches: [map(branch.items.filter((item) => !isMetadata(item)))] }, metadata: unflattenMetadata(pairs) };
  },
  emitPlain: (tree, context) => emit(onlyBranch(tree, 'dotenv'), context),
  emitEncrypted: (tree, metadata, context) => emit(map([...onlyBranch(tree, 'dotenv').items, ...metadataPairs(metadata)]), context),
  emitValue: (value) => {
    if (value.kind === 'str') return value.bytes;
    throw new SottoError('SOPS_EMIT', 'the dotenv format prints single values only when they are strings');
  },
  reservedKey: (tree: SopsTree) => tree.branches.flatMap(entriesOf).find((item) => item.key.startsWith(PREFIX))?.key,
};
