import { SottoError } from '../../base/errors/index.ts';
import { joinPath, memoryTree, type Tree, type TreeFile } from '../../base/files/index.ts';
import type { CommandResult } from './process.ts';
import { signedCommit, signedTag } from './signature.ts';
import type { SignedCommit } from './types.ts';

const MAX_ENTRIES = 500_000;
const MAX_TREE_BYTES = 512 * 1024 * 1024;
const ENTRY = /^(\d{6}) (\w+) ([0-9a-f]+) +(\d+|-)$/;
const [SYMLINK, SUBMODULE, EXECUTABLE] = ['120000', '160000', '100755'];

/** Runs git on the repository that objects are read from. */
export type GitRunner = (args: readonly string[], input?: string) => Promise<CommandResult>;

/** A commit as it lies in a repository. */
export interface StoredCommit {
  readonly commit: string;
  readonly tree: Tree;
  readonly commitSubject: string;
  /** Seconds since the epoch. */
  readonly committedAt: number;
  /** The commit object. */
  readonly raw: Uint8Array;
}

/** The commit that a name leads to, tags followed; undefined when there is none. */
export async function resolveCommit(git: GitRunner, name: string): Promise<string | undefined> {
  const { status, stdout } = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
  const commit = stdout.toString('latin1').trim();
  if (status !== 0) return undefined;
  if (commit.length !== 40) throw unsupportedHash();
  return commit;
}

export function unsupportedHash(): SottoError {
  return new SottoError('GIT_UNSUPPORTED', 'SHA-256 object repositories are not supported');
}

/** Subject, time and raw text of a commit. */
export async function readHeader(git: GitRunner, commit: string): Promise<{ commitSubject: string; committedAt: number; raw: Uint8Array }> {
  const raw = await mustRun(git, ['cat-file', 'commit', commit]);
  const [header = '', ...body] = raw.toString('utf8').split('\n\n');
  const [, seconds = '0'] = /^committer .* (\d+) [-+]\d{4}$/m.exec(header) ?? [];
  return { commitSubject: body.join('\n\n').trimStart().split('\n')[0]?.trimEnd() ?? '', committedAt: Number(seconds), raw };
}

/**
 * What signatures cover of a commit, and of the tag that led to it.
 *
 * @param tag the tag's short name and the object its reference points at
 * @throws SottoError GIT_FAILED when a tag object is not the one its reference says
 */
export async function readSigned(
  git: GitRunner,
  { commit: name, raw }: Pick<StoredCommit, 'commit' | 'raw'>,
  tag?: { readonly name: string; readonly object: string },
): Promise<SignedCommit> {
  const commit = signedCommit(raw);
  if (tag === undefined) return { commit };
  const hash = (await mustRun(git, ['rev-parse', '--verify', '--end-of-options', tag.object])).toString('latin1').trim();
  if ((await resolveCommit(git, hash)) !== name)
    throw new SottoError('GIT_FAILED', `the tag '${tag.name}' moved while it was read`, { retry: true });
  const type = (await mustRun(git, ['cat-file', '-t', hash])).toString('latin1').trim();
  if (type !== 'tag') return { commit, tag: { name: tag.name, hash, payload: new Uint8Array(), signature: undefined } };
  const text = await mustRun(git, ['cat-file', 'tag', hash]);
  // A reference may be pointed at another signed tag: an older release, say.
  if (!text.toString('utf8').split('\n\n')[0]?.split('\n').includes(`tag ${tag.name}`)) {
    throw new SottoError('GIT_FAILED', `the tag '${tag.name}' is the tag object of another name`);
  }
  return { commit, tag: { name: tag.name, hash, ...signedTag(text) } };
}

/**
 * Reads a commit's files straight from the object store: no checkout, so no hooks, filters, attributes or LFS.
 *
 * @throws SottoError GIT_FAILED for names that leave the root or objects that are missing, GIT_TOO_LARGE
 */
export async function readCommit(git: GitRunner, commit: string): Promise<StoredCommit> {
  const header = await readHeader(git, commit);
  const listing = await mustRun(git, ['ls-tree', '-r', '-l', '-z', '--full-tree', commit]);
  const entries = parseListing(listing.toString('utf8'));
  const blobs = await readBlobs(git, entries);
  const files = new Map<string, TreeFile>();
  const directories: string[] = [];
  for (const { mode, hash, path } of entries) {
    if (mode === SUBMODULE) directories.push(path);
    else if (mode !== SYMLINK) files.set(path, { bytes: blobs.get(hash) ?? new Uint8Array(), executable: mode === EXECUTABLE });
  }
  return { commit, ...header, tree: memoryTree(files, directories) };
}

interface ListedEntry {
  readonly mode: string;
  readonly hash: string;
  readonly path: string;
}

function parseListing(listing: string): ListedEntry[] {
  let bytes = 0;
  const entries = listing
    .split('\0')
    .filter((line) => line !== '')
    .map((line): ListedEntry => {
      const tab = line.indexOf('\t');
      const [, mode = '', , hash = '', size = ''] = ENTRY.exec(line.slice(0, tab)) ?? [];
      bytes += Number(size === '-' ? 0 : size);
      return { mode, hash, path: checkedPath(line.slice(tab + 1)) };
    });
  if (entries.length > MAX_ENTRIES) throw tooLarge(`${MAX_ENTRIES} files`);
  if (bytes > MAX_TREE_BYTES) throw tooLarge(`${MAX_TREE_BYTES} bytes`);
  return entries;
}

/** Git itself never makes such names, but a hand-made tree can hold them. */
function checkedPath(path: string): string {
  const isOdd = path.split('/').some((part) => part.toLowerCase() === '.git');
  if (isOdd || path === '' || joinPath(path) !== path) {
    throw new SottoError('GIT_FAILED', `the repository holds a file with the invalid name ${JSON.stringify(path)}`);
  }
  return path;
}

async function readBlobs(git: GitRunner, entries: readonly ListedEntry[]): Promise<Map<string, Uint8Array>> {
  const wanted = [...new Set(entries.filter(({ mode }) => mode !== SYMLINK && mode !== SUBMODULE).map(({ hash }) => hash))];
  const blobs = new Map<string, Uint8Array>();
  if (wanted.length === 0) return blobs;
  const output = await mustRun(git, ['cat-file', '--batch'], `${wanted.join('\n')}\n`);
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(0x0a, at);
    const [hash = '', type, size] = output.toString('latin1', at, end).split(' ');
    if (type !== 'blob') throw new SottoError('GIT_FAILED', `object ${hash} is missing in the fetched repository`, { retry: true });
    const start = end + 1;
    blobs.set(hash, output.subarray(start, start + Number(size)));
    at = start + Number(size) + 1;
  }
  return blobs;
}

async function mustRun(git: GitRunner, args: readonly string[], input?: string): Promise<Buffer> {
  const { status, stdout } = await git(args, input);
  if (status !== 0) throw new SottoError('GIT_FAILED', `the fetched repository is damaged: git ${args[0] ?? ''} failed`, { retry: true });
  return stdout;
}

function tooLarge(what: string): SottoError {
  return new SottoError('GIT_TOO_LARGE', `the repository has more than ${what}`);
}
