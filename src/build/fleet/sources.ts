import { SottoError } from '../../base/errors/index.ts';
import { overlayTree, type Tree } from '../../base/files/index.ts';
import { parseYaml, type YamlValue } from '../../text/yaml/index.ts';
import type { SopsFormat } from '../../secrets/sops/index.ts';
import { prefixed } from './errors.ts';
import { isEncrypted } from '../../secrets/sops/index.ts';
import { formatOf } from './formats.ts';
import { kustomizationFiles, localPath } from './paths.ts';
import type { Decryptor } from './types.ts';

/** Larger generator inputs are refused. */
const MAX_SOURCE_BYTES = 5 * 1024 * 1024;

/** A tree in which the encrypted inputs of generators and patches are plain. */
export interface DecryptedSources {
  readonly tree: Tree;
  /** Paths of the files that were encrypted. */
  readonly decrypted: ReadonlySet<string>;
}

/** A file that a kustomization reads before the build, with the format in which it would be encrypted. */
interface Source {
  readonly path: string;
  readonly format: SopsFormat;
}

/**
 * Decrypts what `secretGenerator` (`files`, `envs`) and `patches` (`path`) of every local kustomization reachable
 * through `resources` and `components` read, where it carries the marker of its format. These files are pristine, so
 * their MAC is checked. The tree itself stays as it is.
 *
 * Follows kustomize-controller internal/decryptor (DecryptSources).
 *
 * @throws SottoError FLEET_DECRYPT starting `error decrypting sources: `
 */
export async function decryptSources(tree: Tree, directory: string, rootFile: string, decryptor: Decryptor): Promise<DecryptedSources> {
  const plain = new Map<string, Uint8Array>();
  try {
    for (const { path, format } of collectSources(tree, directory, rootFile)) {
      if (plain.has(path)) continue;
      const bytes = readSource(tree, path);
      if (bytes === undefined || !isEncrypted(bytes, format)) continue;
      plain.set(path, await decryptSource(decryptor, bytes, path, format));
    }
  } catch (error) {
    throw prefixed('FLEET_DECRYPT', 'error decrypting sources', error);
  }
  return { tree: plain.size === 0 ? tree : overlayTree(tree, plain), decrypted: new Set(plain.keys()) };
}

async function decryptSource(decryptor: Decryptor, bytes: Uint8Array, path: string, format: SopsFormat): Promise<Uint8Array> {
  try {
    return await decryptor.decrypt({ bytes, format, file: path, pristine: true });
  } catch (error) {
    throw prefixed('FLEET_DECRYPT', `failed to decrypt '${path}'`, error);
  }
}

function readSource(tree: Tree, path: string): Uint8Array | undefined {
  const bytes = tree.read(path);
  if (bytes !== undefined && bytes.length > MAX_SOURCE_BYTES) {
    throw new SottoError(
      'FLEET_LIMIT',
      `cannot decrypt file with size (${bytes.length} bytes) exceeding limit (${MAX_SOURCE_BYTES} bytes)`,
      {
        at: { file: path },
      },
    );
  }
  return bytes;
}

function collectSources(tree: Tree, directory: string, rootFile: string): Source[] {
  const sources: Source[] = [];
  const seen = new Set<string>();
  const visit = (path: string, text: string, file: string): void => {
    seen.add(path);
    const kustomization = parseKustomization(text, file);
    sources.push(...sourcesOf(tree, path, kustomization));
    for (const entry of [...strings(kustomization['resources']), ...strings(kustomization['components'])]) {
      const child = localPath(tree, path, entry);
      if (child === undefined || seen.has(child) || tree.kind(child) !== 'directory') continue;
      const childFile = onlyKustomizationFile(tree, child);
      visit(child, new TextDecoder().decode(tree.read(childFile)), childFile);
    }
  };
  visit(directory, rootFile, kustomizationFiles(tree, directory)[0] ?? directory);
  return sources;
}

function onlyKustomizationFile(tree: Tree, directory: string): string {
  const [file, another] = kustomizationFiles(tree, directory);
  if (file === undefined) {
    throw new SottoError(
      'FLEET_KUSTOMIZATION',
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${directory}'`,
      { at: { file: directory } },
    );
  }
  if (another !== undefined) {
    throw new SottoError('FLEET_KUSTOMIZATION', `found multiple kustomization files under: ${directory}`, { at: { file: directory } });
  }
  return file;
}

function parseKustomization(text: string, file: string): { readonly [field: string]: YamlValue } {
  const value = parseYaml(text, { profile: 'yaml11', duplicateKeys: 'last', file }).find((document) => document.value !== undefined)?.value;
  return isMap(value) ? value : {};
}

/** The files of one kustomization that can be encrypted. The key of a generator's file decides its format. */
function sourcesOf(tree: Tree, directory: string, kustomization: { readonly [field: string]: YamlValue }): Source[] {
  const found: Source[] = [];
  const add = (reference: string, format: SopsFormat): void => {
    const path = localPath(tree, directory, reference);
    if (path !== undefined && tree.kind(path) === 'file') found.push({ path, format });
  };
  for (const generator of maps(kustomization['secretGenerator'])) {
    for (const { key, path } of strings(generator['files']).map(splitKey)) add(path, formatOf(key));
    for (const path of [...strings(generator['envs']), ...strings([generator['env'] ?? null])]) add(path, envFormat(path));
  }
  for (const patch of maps(kustomization['patches'])) {
    for (const path of strings([patch['path'] ?? null])) add(path, formatOf(path));
  }
  return found;
}

/** `key=path`, or a path whose last part is the key. */
export function splitKey(entry: string): { key: string; path: string } {
  const equals = entry.indexOf('=');
  return equals < 0
    ? { key: entry.slice(entry.lastIndexOf('/') + 1), path: entry }
    : { key: entry.slice(0, equals), path: entry.slice(equals + 1) };
}

function envFormat(path: string): SopsFormat {
  const format = formatOf(path);
  return format === 'binary' ? 'dotenv' : format;
}

function strings(value: YamlValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function maps(value: YamlValue | undefined): { readonly [field: string]: YamlValue }[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

function isMap(value: YamlValue | undefined): value is { [field: string]: YamlValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
