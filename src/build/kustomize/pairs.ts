import { SottoError } from '../../base/errors/index.ts';
import type { GeneratorArguments } from './kustomization.ts';
import type { Loader } from './loader.ts';

const BOM = 0xfeff;
const SPACE = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

/**
 * The keys and values of a generator: envs, literals, files, in this order (k:api/kv/kv.go).
 *
 * @throws SottoError KUSTOMIZE_GENERATOR; the message names the source, never a value
 */
export function loadPairs(loader: Loader, entry: GeneratorArguments): Map<string, Uint8Array> {
  const pairs = new Map<string, Uint8Array>();
  const add = ([key, value]: Pair): void => {
    if (pairs.has(key)) throw failure(`configmap ${entry.name ?? ''} illegally repeats the key \`${key}\``);
    pairs.set(key, value);
  };
  for (const path of entry.envs ?? []) for (const pair of parseEnvFile(loader.load(path), loader.locate(path))) add(pair);
  for (const source of entry.literals ?? []) add(parseLiteral(source));
  for (const source of entry.files ?? []) {
    const [key, path] = parseFileSource(source);
    add([key, loader.load(path)]);
  }
  return pairs;
}

type Pair = readonly [key: string, value: Uint8Array];

/** `key=value`, split at the first `=`; one pair of equal quotes around the value is removed. */
export function parseLiteral(source: string): Pair {
  const split = source.indexOf('=');
  if (split <= 0) throw failure(`invalid literal source ${nameOfLiteral(source)}, expected key=value`);
  return [source.slice(0, split), new TextEncoder().encode(unquote(source.slice(split + 1)))];
}

/** A literal in messages: it can hold a secret, so only its length is told. */
function nameOfLiteral(source: string): string {
  return source === '' ? '""' : `of ${source.length} characters`;
}

function unquote(text: string): string {
  const first = text.at(0);
  if (text.length < 2 || first !== text.at(-1)) return text;
  return first === '"' || first === "'" ? text.slice(1, -1) : text;
}

/** `path` (the key is its base name) or `key=path`. */
export function parseFileSource(source: string): readonly [key: string, path: string] {
  const split = source.indexOf('=');
  if (split < 0) return [baseName(source), source];
  if (source.indexOf('=', split + 1) >= 0) throw failure(`source "${source}" key name or file path contains '='`);
  const key = source.slice(0, split);
  const path = source.slice(split + 1);
  if (key === '') throw failure(`missing key name for file path "${path}" in source "${source}"`);
  if (path === '') throw failure(`missing file path for key name "${key}" in source "${source}"`);
  return [key, path];
}

function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** Lines of `key=value`: no trimming behind the key, no quotes, no expansion. */
export function parseEnvFile(bytes: Uint8Array, file: string): Pair[] {
  const pairs: Pair[] = [];
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (const [index, raw] of linesOf(bytes).entries()) {
    const line = decodeLine(decoder, raw, index, file).replace(SPACE, '');
    if (line === '' || line.startsWith('#')) continue;
    const split = line.indexOf('=');
    const key = split < 0 ? line : line.slice(0, split);
    // An empty key drops the line, as upstream does.
    if (key !== '') pairs.push([key, new TextEncoder().encode(split < 0 ? '' : line.slice(split + 1))]);
  }
  return pairs;
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    lines.push(bytes.subarray(start, end > start && bytes[end - 1] === 13 ? end - 1 : end));
    start = end + 1;
  }
  return lines;
}

function decodeLine(decoder: InstanceType<typeof TextDecoder>, raw: Uint8Array, index: number, file: string): string {
  try {
    const text = decoder.decode(raw);
    return index === 0 && text.charCodeAt(0) === BOM ? text.slice(1) : text;
  } catch {
    throw new SottoError('KUSTOMIZE_GENERATOR', `line ${index + 1} has invalid utf8 bytes`, { at: { file, line: index + 1 } });
  }
}

function failure(message: string): SottoError {
  return new SottoError('KUSTOMIZE_GENERATOR', message);
}
