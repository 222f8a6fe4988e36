import { SottoError } from '../../base/errors/index.ts';
import { joinPath, type Tree } from '../../base/files/index.ts';

/** Far beyond what a cluster takes, near enough that any file is read in seconds; in bytes. */
const MAX_DATA = 16 * 1024 * 1024;
const MAX_MANIFEST = 32 * 1024 * 1024;
const MAX_KUSTOMIZATION = 4 * 1024 * 1024;
/** Lines and elements of one text: what a parser makes of them takes a hundred times their bytes. */
const MAX_PARTS = 2_000_000;

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** A git URL by its form: a scheme, `git::`, `user@host:path` or a github.com path (c21.2). */
const GIT_URL = /^(?:git::|ssh:\/\/|https?:\/\/|file:\/\/|git@|[\w.-]+@[\w.-]+[:/]|github\.com[:/])/i;
const HTTP_URL = /^https?:\/\//i;

/** Reads the files of one kustomization directory, within its restriction (k:api/internal/loader). */
export interface Loader {
  /** The directory, links resolved, relative to the tree; '' for its root. */
  readonly directory: string;
  /** Throws SottoError KUSTOMIZE_LOAD, KUSTOMIZE_SECURITY, KUSTOMIZE_REMOTE, KUSTOMIZE_LIMIT. */
  load(path: string): Uint8Array;
  /** {@link load} as UTF-8 text. */
  text(path: string): string;
  /** The path of a file relative to the tree, for messages and origins. */
  locate(path: string): string;
  /**
   * A loader for another directory.
   *
   * @throws SottoError KUSTOMIZE_LOAD, KUSTOMIZE_CYCLE, KUSTOMIZE_REMOTE
   */
  enter(path: string): Loader;
  /**
   * The path and the text of the directory's only kustomization file, or another text in its place.
   *
   * @throws SottoError KUSTOMIZE_LOAD
   */
  kustomization(text?: string): { readonly file: string; readonly text: string };
}

export interface LoaderOptions {
  readonly tree: Tree;
  readonly loadRestrictor: 'root-only' | 'none';
}

/**
 * A loader for the directory that a build starts in.
 *
 * @throws SottoError KUSTOMIZE_LOAD when there is no such directory
 */
export function rootLoader(options: LoaderOptions, path: string): Loader {
  const normal = joinPath(path);
  const directory = normal === undefined ? undefined : options.tree.resolve(normal);
  if (directory === undefined || options.tree.kind(directory) !== 'directory') {
    throw new SottoError('KUSTOMIZE_LOAD', `must build at directory: '${path}' is not a directory`);
  }
  return loaderAt(options, directory, []);
}

function loaderAt(options: LoaderOptions, directory: string, visited: readonly string[]): Loader {
  const { tree } = options;
  const locate = (path: string): string => joinPath(directory, path) ?? path;
  const load = (path: string, most: number): Uint8Array => readUpTo(tree, confirmFile(options, directory, path), most);
  return {
    directory,
    load: (path) => load(path, MAX_DATA),
    text: (path) => new TextDecoder().decode(withFewParts(load(path, MAX_MANIFEST), path)),
    locate,
    enter: (path) => loaderAt(options, confirmDirectory(tree, directory, path, [...visited, directory]), [...visited, directory]),
    kustomization: (text) => findKustomization(tree, directory, text),
  };
}

/** Two entries that indentation joined to one: kustomize after 5.8.1 refuses such a path even where it exists. */
function ambiguity(path: string): { readonly hint?: string } {
  const isJoined = path.split('/').some((segment) => segment.includes('..') && segment !== '..');
  return isJoined ? { hint: `a part of the path '${path}' contains '..': are two entries joined by their indentation?` } : {};
}

function readUpTo(tree: Tree, path: string, most: number): Uint8Array {
  const bytes = tree.read(path) ?? new Uint8Array();
  if (bytes.length <= most) return bytes;
  throw new SottoError('KUSTOMIZE_LIMIT', `'${path}' has ${bytes.length} bytes, more than ${most}`, {
    hint: 'split the file; a cluster takes no object of this size',
  });
}

/** Counts what can begin a line or an element, in the few files that have enough bytes for too many. */
function withFewParts(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes.length <= MAX_PARTS) return bytes;
  let parts = 0;
  for (const byte of bytes) if (STARTS_PART[byte] === 1) parts++;
  if (parts <= MAX_PARTS) return bytes;
  throw new SottoError('KUSTOMIZE_LIMIT', `'${path}' has more than ${MAX_PARTS} lines and elements`, { hint: 'split the file' });
}

const STARTS_PART = Uint8Array.from({ length: 256 }, (_, byte) => ('\n,[{'.includes(String.fromCharCode(byte)) ? 1 : 0));

function confirmFile({ tree, loadRestrictor }: LoaderOptions, directory: string, path: string): string {
  if (HTTP_URL.test(path)) throw remote(path);
  const joined = path.startsWith('/') ? undefined : joinPath(directory, path);
  if (joined === undefined) throw outside(path, directory, loadRestrictor);
  const found = tree.kind(joined);
  if (found === 'directory') throw new SottoError('KUSTOMIZE_LOAD', `'${path}' must resolve to a file, but it is a directory`);
  const resolved = tree.resolve(joined);
  if (found === undefined || resolved === undefined) {
    throw new SottoError('KUSTOMIZE_LOAD', `no such file: '${joined}' (a missing file, or a link that leads outside)`, ambiguity(path));
  }
  if (loadRestrictor === 'root-only' && !isWithin(resolved, directory)) throw outside(path, directory, loadRestrictor);
  return resolved;
}

function confirmDirectory(tree: Tree, directory: string, path: string, visited: readonly string[]): string {
  if (path === '') throw new SottoError('KUSTOMIZE_LOAD', 'new root cannot be empty');
  if (GIT_URL.test(path)) throw remote(path);
  if (path.startsWith('/')) throw new SottoError('KUSTOMIZE_LOAD', `new root '${path}' cannot be absolute`);
  const joined = joinPath(directory, path);
  const resolved = joined === undefined ? undefined : tree.resolve(joined);
  if (resolved === undefined || tree.kind(resolved) !== 'directory') {
    throw new SottoError(
      'KUSTOMIZE_LOAD',
      `must build at directory: '${joined ?? path}' is not a directory inside the source`,
      ambiguity(path),
    );
  }
  const contained = visited.findLast((earlier) => isWithin(earlier, resolved));
  if (contained === undefined) return resolved;
  throw new SottoError(
    'KUSTOMIZE_CYCLE',
    `cycle detected: candidate root '${resolved || '.'}' contains visited root '${contained || '.'}'`,
  );
}

function isWithin(path: string, directory: string): boolean {
  return directory === '' || path === directory || path.startsWith(`${directory}/`);
}

function outside(path: string, directory: string, restrictor: 'root-only' | 'none'): SottoError {
  const where = restrictor === 'root-only' ? directory || '.' : 'the source';
  return new SottoError('KUSTOMIZE_SECURITY', `security; file '${path}' is not in or below '${where}'`, {
    hint: 'move the file below the kustomization, or build with --load-restrictor LoadRestrictionsNone',
  });
}

function remote(path: string): SottoError {
  return new SottoError('KUSTOMIZE_REMOTE', `remote resources are not fetched: '${withoutCredentials(path)}'`, {
    hint: 'copy it into the repository, or make it a source of its own',
  });
}

/** True for what upstream would fetch: a git or http(s) URL by its form. */
export function isRemote(path: string): boolean {
  return GIT_URL.test(path);
}

/** A URL without user information and query, which can hold tokens. */
function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//').replace(/\?.*$/, '');
}

function findKustomization(tree: Tree, directory: string, text: string | undefined): { file: string; text: string } {
  const found = FILE_NAMES.filter((name) => tree.kind(joinPath(directory, name) ?? name) === 'file');
  const where = directory || '.';
  const [name, second] = found;
  if (text !== undefined) return { file: joinPath(directory, name ?? 'kustomization.yaml') ?? '', text };
  if (name === undefined) {
    throw new SottoError(
      'KUSTOMIZE_LOAD',
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${where}'`,
    );
  }
  if (second !== undefined)
    throw new SottoError('KUSTOMIZE_LOAD', `Found multiple kustomization files under: ${where} (${found.join(', ')})`);
  const file = joinPath(directory, name) ?? name;
  return { file, text: new TextDecoder().decode(readUpTo(tree, file, MAX_KUSTOMIZATION)) };
}
