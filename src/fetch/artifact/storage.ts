import { mkdir, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import { joinPath, writeFileAtomic, type Tree } from '../../base/files/index.ts';
import type { World } from '../../base/world/index.ts';
import { packTree } from './archive.ts';
import { digestOf, hasDigest, type DigestAlgorithm } from './digest.ts';
import type { Artifact } from './types.ts';

const RETENTION_TTL_MS = 60_000;
const RETENTION_RECORDS = 2;
const MAX_WALKED = 1000;
const FILE_MODE = 0o600;

/** Whose artifacts: kind in any case, namespace and name of the source object. */
export interface ArtifactOwner {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface ArtifactStorageOptions {
  readonly world: World;
  /** Where archives lie on disk; without it they are kept in memory. */
  readonly directory?: string;
  /** Host and port (or a whole `http://…`) that URLs are made with; a function when it is known only later. */
  readonly advertisedAddress: string | (() => string);
  /** Flag --artifact-retention-ttl in milliseconds. Default 1m. */
  readonly retentionTtlMs?: number;
  /** Flag --artifact-retention-records. Default 2. */
  readonly retentionRecords?: number;
  /** Flag --artifact-digest-algo. */
  readonly digestAlgorithm?: DigestAlgorithm;
}

export interface StoreRequest {
  readonly owner: ArtifactOwner;
  /** Name of the archive: `<commit>.tar.gz`. */
  readonly file: string;
  readonly revision: string;
  readonly tree: Tree;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Archives of sources: written, verified, read and cleared away. Paths are those of `status.artifact.path`. */
export interface ArtifactStorage {
  /** Packs a tree and keeps it. @throws SottoError ARTIFACT_STORE when it cannot be written */
  store(request: StoreRequest): Promise<Artifact>;
  /** Whether the archive is there and still has the digest recorded for it. */
  verify(artifact: Artifact): Promise<'intact' | 'missing' | 'mismatch'>;
  /** The bytes at a path; undefined when nothing is there. */
  read(path: string): Promise<Uint8Array | undefined>;
  remove(artifact: Artifact): Promise<void>;
  /** Removes everything of an owner (on deletion of the object). */
  removeAll(owner: ArtifactOwner): Promise<void>;
  /**
   * Removes archives older than the retention time, then the oldest beyond the number to keep; never
   * `current`. Returns the removed paths.
   */
  collectGarbage(owner: ArtifactOwner, current: Artifact | undefined): Promise<readonly string[]>;
  /** The URL that a path is advertised under. */
  urlOf(path: string): string;
}

interface StoredFile {
  readonly path: string;
  readonly modifiedMs: number;
}

/** Where bytes lie: a folder or a Map. Paths were checked to stay inside. */
interface Shelf {
  read(path: string): Promise<Uint8Array | undefined>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  removeAll(directory: string): Promise<void>;
  list(directory: string): Promise<StoredFile[]>;
}

/** Storage for archives, on disk or in memory. Follows fluxcd/pkg artifact/storage. */
export function artifactStorage(options: ArtifactStorageOptions): ArtifactStorage {
  const { world } = options;
  const shelf = options.directory === undefined ? memoryShelf(world) : diskShelf(options.directory, world);
  const address = (): string => (typeof options.advertisedAddress === 'string' ? options.advertisedAddress : options.advertisedAddress());
  const urlOf = (path: string): string => {
    const base = address().replace(/\/+$/, '');
    return `${/^https?:\/\//.test(base) ? base : `http://${base}`}/${path}`;
  };

  const store = async (request: StoreRequest): Promise<Artifact> => {
    const bytes = packTree(request.tree);
    const path = checkedPath(directoryOf(request.owner), request.file);
    try {
      await shelf.write(path, bytes);
    } catch (cause) {
      throw new SottoError('ARTIFACT_STORE', `unable to archive artifact to storage: cannot write '${path}' (${codeOf(cause)})`, {
        retry: true,
        cause,
      });
    }
    return {
      path,
      url: urlOf(path),
      revision: request.revision,
      digest: digestOf(bytes, options.digestAlgorithm),
      lastUpdateTime: secondsOf(world.clock.now()),
      size: bytes.length,
      ...(request.metadata === undefined ? {} : { metadata: request.metadata }),
    };
  };

  const collectGarbage = async (owner: ArtifactOwner, current: Artifact | undefined): Promise<readonly string[]> => {
    const removed = expired(await shelf.list(directoryOf(owner)), {
      current: current?.path,
      oldestMs: world.clock.now() - (options.retentionTtlMs ?? RETENTION_TTL_MS),
      records: options.retentionRecords ?? RETENTION_RECORDS,
    });
    for (const path of removed) await shelf.remove(path);
    return removed;
  };

  return {
    store,
    urlOf,
    collectGarbage,
    read: async (path) => {
      const inside = joinPath(path);
      return inside === undefined || inside !== path ? undefined : shelf.read(inside);
    },
    verify: async (artifact) => {
      const bytes = await shelf.read(checkedPath(artifact.path));
      if (bytes === undefined) return 'missing';
      return isIntact(bytes, artifact.digest) ? 'intact' : 'mismatch';
    },
    remove: (artifact) => shelf.remove(checkedPath(artifact.path)),
    removeAll: (owner) => shelf.removeAll(directoryOf(owner)),
  };
}

/** A digest that cannot be computed does not match. */
function isIntact(bytes: Uint8Array, digest: string): boolean {
  try {
    return hasDigest(bytes, digest);
  } catch {
    return false; // another algorithm than ours: the archive is made again
  }
}

function directoryOf(owner: ArtifactOwner): string {
  return checkedPath(owner.kind.toLowerCase(), owner.namespace, owner.name);
}

function checkedPath(...parts: readonly string[]): string {
  const path = joinPath(...parts);
  if (path === undefined || path === '' || path !== parts.join('/')) {
    throw new SottoError('ARTIFACT_PATH_INVALID', `artifact path '${parts.join('/')}' leaves the storage`);
  }
  return path;
}

/** Time to seconds, as metav1.Time is written. */
function secondsOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Which of these files go: all that are too old, then the oldest beyond the number of records. */
function expired(files: readonly StoredFile[], keep: { current: string | undefined; oldestMs: number; records: number }): string[] {
  const archives = files.filter(({ path }) => !path.endsWith('.lock')).slice(0, MAX_WALKED);
  const others = archives.filter(({ path }) => path !== keep.current).toSorted((a, b) => a.modifiedMs - b.modifiedMs);
  const tooOld = others.filter(({ modifiedMs }) => modifiedMs < keep.oldestMs);
  const young = others.slice(tooOld.length);
  const tooMany = young.slice(0, Math.max(0, archives.length - tooOld.length - keep.records));
  return [...tooOld, ...tooMany].map(({ path }) => path);
}

function memoryShelf(world: World): Shelf {
  const files = new Map<string, { bytes: Uint8Array; modifiedMs: number }>();
  const below = (directory: string): string[] => [...files.keys()].filter((path) => path.startsWith(`${directory}/`));
  return {
    read: async (path) => files.get(path)?.bytes,
    write: async (path, bytes) => void files.set(path, { bytes, modifiedMs: world.clock.now() }),
    remove: async (path) => void files.delete(path),
    removeAll: async (directory) => below(directory).forEach((path) => files.delete(path)),
    list: async (directory) => below(directory).map((path) => ({ path, modifiedMs: files.get(path)?.modifiedMs ?? 0 })),
  };
}

function diskShelf(root: string, world: World): Shelf {
  const absent = (error: unknown): undefined => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  };
  const list = async (directory: string): Promise<StoredFile[]> => {
    const names = (await readdir(join(root, directory)).catch(absent)) ?? [];
    const found: StoredFile[] = [];
    for (const name of names.slice(0, MAX_WALKED)) {
      const path = `${directory}/${name}`;
      const stats = await stat(join(root, path)).catch(absent);
      if (stats?.isFile() === true) found.push({ path, modifiedMs: stats.mtimeMs });
    }
    return found;
  };
  return {
    list: (directory) => world.outside(() => list(directory)),
    read: (path) => world.outside(async () => readFile(join(root, path)).catch(absent)),
    write: (path, bytes) =>
      world.outside(async () => {
        await mkdir(dirname(join(root, path)), { recursive: true, mode: 0o700 });
        await writeFileAtomic(join(root, path), bytes, FILE_MODE);
      }),
    remove: (path) =>
      world.outside(async () => {
        await unlink(join(root, path)).catch(absent);
        await unlink(join(root, `${path}.lock`)).catch(absent);
      }),
    removeAll: (directory) => world.outside(() => rm(join(root, directory), { recursive: true, force: true })),
  };
}
