import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, posix, sep } from 'node:path';

/** A file in a tree, as archives carry it. */
export interface TreeFile {
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

/**
 * A read-only directory tree. Paths are relative to its root, `/`-separated, normalised, without a leading
 * `./`; the root itself is ''. Calls are synchronous: a tree is small and near (memory, local disk).
 */
export interface Tree {
  /** What is at this path, links followed; undefined when nothing is, or when it lies outside the root. */
  kind(path: string): 'file' | 'directory' | undefined;
  /** The bytes of a file; undefined when there is no such file inside the root. */
  read(path: string): Uint8Array | undefined;
  /** Names in a directory, in byte order; empty when it is none. */
  list(path: string): readonly string[];
  isExecutable(path: string): boolean;
  /**
   * The path with symbolic links resolved, relative to the root; undefined when it leads outside. A tree in
   * memory has no links, so this is the path itself.
   */
  resolve(path: string): string | undefined;
}

/** Joins and normalises path parts; undefined when the result would leave the root. */
export function joinPath(...parts: readonly string[]): string | undefined {
  const path = posix.normalize(parts.filter((part) => part !== '').join('/'));
  if (path === '..' || path.startsWith('../') || path.startsWith('/')) return undefined;
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '.' ? '' : trimmed;
}

/** A tree of the given files; directories are implied by paths, `directories` adds empty ones. */
export function memoryTree(files: ReadonlyMap<string, TreeFile | Uint8Array | string>, directories: Iterable<string> = []): Tree {
  const content = new Map<string, TreeFile>();
  const children = new Map<string, Set<string>>([['', new Set()]]);
  const addDirectory = (path: string): void => {
    if (children.has(path)) return;
    children.set(path, new Set());
    addChild(path);
  };
  const addChild = (path: string): void => {
    const parent = posix.dirname(path) === '.' ? '' : posix.dirname(path);
    addDirectory(parent);
    children.get(parent)?.add(posix.basename(path));
  };
  for (const directory of directories) if (directory !== '') addDirectory(directory);
  for (const [path, file] of files) {
    content.set(path, toTreeFile(file));
    addChild(path);
  }
  const sorted = new Map<string, readonly string[]>();
  return {
    kind: (path) => (content.has(path) ? 'file' : children.has(path) ? 'directory' : undefined),
    read: (path) => content.get(path)?.bytes,
    list: (path) => {
      let names = sorted.get(path);
      if (names === undefined) {
        names = [...(children.get(path) ?? [])].toSorted(byteOrder);
        sorted.set(path, names);
      }
      return names;
    },
    isExecutable: (path) => content.get(path)?.executable ?? false,
    resolve: (path) => (content.has(path) || children.has(path) ? path : undefined),
  };
}

function toTreeFile(file: TreeFile | Uint8Array | string): TreeFile {
  if (typeof file === 'string') return { bytes: new TextEncoder().encode(file), executable: false };
  return file instanceof Uint8Array ? { bytes: file, executable: false } : file;
}

function byteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A directory on disk. Links are followed, but never out of the root. */
export function diskTree(root: string): Tree {
  const realRoot = realpathSync(root);
  const rootPrefix = realRoot.endsWith(sep) ? realRoot : realRoot + sep;
  const inside = (path: string): string | undefined => {
    try {
      const real = realpathSync(join(realRoot, path));
      return real === realRoot || real.startsWith(rootPrefix) ? real : undefined;
    } catch {
      return undefined; // nothing there, or a loop of links: both mean that no such file exists
    }
  };
  const kind = (path: string): 'file' | 'directory' | undefined => {
    const real = inside(path);
    const found = real === undefined ? undefined : statSync(real, { throwIfNoEntry: false });
    return found?.isFile() === true ? 'file' : found?.isDirectory() === true ? 'directory' : undefined;
  };
  return {
    kind,
    read: (path) => {
      const real = inside(path);
      return real === undefined || kind(path) !== 'file' ? undefined : readFileSync(real);
    },
    list: (path) => {
      const real = inside(path);
      return real === undefined || kind(path) !== 'directory' ? [] : readdirSync(real).toSorted(byteOrder);
    },
    isExecutable: (path) => {
      const real = inside(path);
      return real !== undefined && ((statSync(real, { throwIfNoEntry: false })?.mode ?? 0) & 0o111) !== 0;
    },
    resolve: (path) => {
      const real = inside(path);
      return real === undefined
        ? undefined
        : real
            .slice(realRoot.length + 1)
            .split(sep)
            .join('/');
    },
  };
}

/** `base` with some files replaced or added. */
export function overlayTree(base: Tree, files: ReadonlyMap<string, Uint8Array>): Tree {
  const added = memoryTree(files);
  return {
    kind: (path) => added.kind(path) ?? base.kind(path),
    read: (path) => files.get(path) ?? base.read(path),
    list: (path) => [...new Set([...base.list(path), ...added.list(path)])].toSorted(byteOrder),
    isExecutable: (path) => !files.has(path) && base.isExecutable(path),
    resolve: (path) => (files.has(path) ? path : base.resolve(path)),
  };
}
