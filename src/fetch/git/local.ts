import type { World } from '../../base/world/index.ts';
import { SottoError } from '../../base/errors/index.ts';
import { gitEnvironment, HARDENED_SETTINGS, settings } from './hardening.ts';
import { readCommit, readHeader, readSigned, resolveCommit, type GitRunner } from './objects.ts';
import { runCommand } from './process.ts';
import { emptyRepository, refNotFound, revisionOf, targetOf } from './reference.ts';
import type { GitCommit, GitFetcher, GitFetchOptions, GitReference, RemoteRefs } from './types.ts';
import { highestVersions } from './versions.ts';

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024 * 1024;
/** No file can be below it. */
const NO_HOME = '/dev/null';
const TAGS = 'refs/tags/';
/** Owned by whoever runs Sotto or not: a checkout that a user named is read, and nothing in it is executed. */
const ANY_OWNER = settings({ 'safe.directory': '*' });

/**
 * Runs git on a repository on this machine: a checkout, a worktree or a bare one. Reads only; the repository's hooks,
 * filters and file-system monitor are off.
 */
export function localRunner(directory: string, world: World, signal?: AbortSignal, timeoutMs = TIMEOUT_MS): GitRunner {
  const { GIT_CEILING_DIRECTORIES: _, ...env } = gitEnvironment(world.env, { home: NO_HOME });
  return (args, input) =>
    runCommand(
      {
        program: 'git',
        args: [...HARDENED_SETTINGS, ...ANY_OWNER, ...args],
        env,
        cwd: directory,
        timeoutMs,
        maxOutputBytes: MAX_OUTPUT_BYTES,
        ...(input === undefined ? {} : { input }),
      },
      world,
      signal,
    );
}

/** Which directory stands in for a URL; undefined for those that are really fetched. */
export type LocalMapping = (url: string) => string | undefined;

/**
 * A fetcher that reads some URLs from repositories on this machine, as git's `insteadOf` would, and passes the
 * others on. Revisions and trees are those of the local repository's references; nothing is copied and no
 * credentials are used.
 */
export function localFetcher(mapping: LocalMapping, otherwise: GitFetcher, { world }: { readonly world: World }): GitFetcher {
  return {
    listRefs: async (remote, signal, options) => {
      const directory = mapping(remote.url);
      return directory === undefined
        ? otherwise.listRefs(remote, signal, options)
        : listLocal(localRunner(directory, world, signal), remote.url);
    },
    fetch: async (remote, reference, options, signal) => {
      const directory = mapping(remote.url);
      if (directory === undefined) return otherwise.fetch(remote, reference, options, signal);
      return fetchLocal(localRunner(directory, world, signal, options.timeoutMs), remote.url, reference, { ...options, world });
    },
  };
}

async function listLocal(git: GitRunner, url: string): Promise<RemoteRefs> {
  const { status, stdout } = await git(['for-each-ref', '--format=%(objectname)%09%(*objectname)%09%(refname)']);
  if (status !== 0) throw notARepository(url);
  const refs = new Map<string, string>();
  for (const line of stdout.toString('utf8').split('\n')) {
    const [hash = '', peeled = '', name] = line.split('\t');
    if (name !== undefined) refs.set(name, peeled === '' ? hash : peeled);
  }
  const head = await resolveCommit(git, 'HEAD');
  return head === undefined ? refs : new Map([['HEAD', head], ...refs]);
}

function notARepository(url: string): SottoError {
  return new SottoError('GIT_NOT_FOUND', `unable to clone '${url}': repository not found`, {
    hint: 'the local directory that stands in for this URL is no git repository',
    retry: true,
  });
}

async function fetchLocal(
  git: GitRunner,
  url: string,
  reference: GitReference,
  options: GitFetchOptions & { readonly world: World },
): Promise<GitCommit> {
  const target = targetOf(reference);
  const refs = await listLocal(git, url);
  if (refs.size === 0) throw emptyRepository(url, target);
  if (target.kind === 'commit') {
    const commit = /^[0-9a-f]{40}$/.test(target.commit) ? await resolveCommit(git, target.commit) : undefined;
    if (commit === undefined) throw refNotFound(url, target);
    return read(git, options, { commit, label: target.branch });
  }
  const name = target.kind === 'semver' ? await newestTag(git, refs, target.range, options.world) : target.ref;
  // What a listing peels once may be a tag of a tag: the object store follows to the commit.
  const commit = name === undefined || !refs.has(name) ? undefined : await resolveCommit(git, refs.get(name) ?? '');
  if (name === undefined || commit === undefined) throw refNotFound(url, target);
  const tag = name.startsWith(TAGS) ? { name: name.slice(TAGS.length), object: name } : undefined;
  return read(git, options, { commit, label: target.kind === 'semver' ? tag?.name : target.label, tag });
}

interface Found {
  readonly commit: string;
  readonly label: string | undefined;
  readonly tag?: { readonly name: string; readonly object: string } | undefined;
}

async function read(git: GitRunner, { withSignatures }: GitFetchOptions, { commit, label, tag }: Found): Promise<GitCommit> {
  const { tree, commitSubject, raw } = await readCommit(git, commit);
  const found = { revision: revisionOf(commit, label), commit, tree, commitSubject };
  return withSignatures === true ? { ...found, signed: await readSigned(git, { commit, raw }, tag) } : found;
}

async function newestTag(git: GitRunner, refs: RemoteRefs, range: string, world: World): Promise<string | undefined> {
  const tags = [...refs.keys()].filter((name) => name.startsWith(TAGS)).map((name) => name.slice(TAGS.length));
  let newest: { name: string; committedAt: number } | undefined;
  for (const tag of await highestVersions(tags, range, (work) => world.outside(work))) {
    const commit = await resolveCommit(git, refs.get(`${TAGS}${tag}`) ?? '');
    if (commit === undefined) continue;
    const { committedAt } = await readHeader(git, commit);
    if (newest === undefined || committedAt > newest.committedAt) newest = { name: `${TAGS}${tag}`, committedAt };
  }
  return newest?.name;
}
