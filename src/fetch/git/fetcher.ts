import type { World } from '../../base/world/index.ts';
import { SottoError } from '../../base/errors/index.ts';
import type { SshAlgorithms } from './agent.ts';
import { readCommit, readHeader, readSigned, resolveCommit, unsupportedHash, type GitRunner } from './objects.ts';
import { gitFailure, late } from './outcome.ts';
import { emptyRepository, isCommit, isRefName, refNotFound, revisionOf, targetOf, type Target } from './reference.ts';
import { openSession, type GitSession } from './session.ts';
import type { GitCommit, GitFetcher, GitFetchOptions, GitReference, GitRemote, RemoteRefs } from './types.ts';
import { highestVersions } from './versions.ts';

const TIMEOUT_MS = 60_000;
const URL_SCHEMES = ['http:', 'https:', 'ssh:'];
/** Where fetched references are kept in a store. */
const FETCHED = 'refs/sotto/';
const TAGS = 'refs/tags/';

export interface GitProgramOptions {
  readonly world: World;
  readonly ssh?: SshAlgorithms;
  /** Where stores are made. Default: the system's temporary directory. */
  readonly directory?: string;
}

/**
 * Fetches with the git program, hardened: no system or user configuration, no prompts, only http, https and ssh, no
 * hooks, filters or LFS; credentials go by askpass over an inherited descriptor, ssh keys through a private agent.
 * Every call works in a private directory that is removed afterwards.
 */
export function gitProgramFetcher(options: GitProgramOptions): GitFetcher {
  const within = async <T>(
    remote: GitRemote,
    { timeoutMs = TIMEOUT_MS }: GitFetchOptions,
    signal: AbortSignal | undefined,
    work: (session: GitSession) => Promise<T>,
  ): Promise<T> => {
    checkUrl(remote.url);
    const { world, ssh, directory } = options;
    const session = await openSession(remote, {
      world,
      timeoutMs,
      ...(ssh === undefined ? {} : { ssh }),
      ...(directory === undefined ? {} : { directory }),
      ...(signal === undefined ? {} : { signal }),
    });
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  };
  return {
    listRefs: (remote, signal, fetchOptions = {}) => within(remote, fetchOptions, signal, (session) => list(session, remote.url)),
    fetch: (remote, reference, fetchOptions, signal) =>
      within(remote, fetchOptions, signal, (session) =>
        checkout(session, { world: options.world, url: remote.url, reference, withSignatures: fetchOptions.withSignatures === true }),
      ),
  };
}

function checkUrl(url: string): void {
  if (!URL_SCHEMES.includes(URL.parse(url)?.protocol ?? '')) {
    throw new SottoError('GIT_PROTOCOL', 'protocol not allowed', { hint: 'only http, https and ssh are fetched from' });
  }
}

async function list(session: GitSession, url: string): Promise<RemoteRefs> {
  const { status, stdout, stderr } = await session
    .run(['ls-remote', '--quiet', '--', session.url])
    .catch(late('unable to list remote for', url));
  if (status !== 0) throw gitFailure('unable to list remote for', url, stderr, (text) => session.redact(text));
  return parseRefs(stdout.toString('utf8'));
}

/** Lines of `git ls-remote`; `^{}` gives what an annotated tag leads to. */
function parseRefs(listing: string): Map<string, string> {
  const refs = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [hash = '', name] = line.split('\t');
    if (name === undefined) continue;
    if (!isCommit(hash)) throw unsupportedHash();
    refs.set(name.replace(/\^\{\}$/, ''), hash);
  }
  return refs;
}

interface Asked {
  readonly world: World;
  readonly url: string;
  readonly reference: GitReference;
  readonly withSignatures: boolean;
}

async function checkout(session: GitSession, asked: Asked): Promise<GitCommit> {
  const { url } = asked;
  const target = targetOf(asked.reference);
  const git: GitRunner = (args, input) => session.run([`--git-dir=${session.store}`, ...args], input);
  await initialise(session);
  if (target.kind === 'commit') return checkoutCommit(session, git, asked, target);
  if (target.kind === 'semver') return checkoutVersion(session, git, asked, target);
  await fetchRef(session, git, { url, target, ref: target.ref, depth: 1 });
  const commit = await resolveCommit(git, `${FETCHED}head`);
  if (commit === undefined) throw refNotFound(url, target);
  const tag = target.ref.startsWith(TAGS) ? { name: target.ref.slice(TAGS.length), object: `${FETCHED}head` } : undefined;
  return readFetched(git, asked, { commit, label: target.label, tag });
}

interface Fetched {
  readonly commit: string;
  readonly label: string | undefined;
  readonly tag?: { readonly name: string; readonly object: string } | undefined;
}

async function readFetched(
  git: GitRunner,
  { withSignatures }: Pick<Asked, 'withSignatures'>,
  { commit, label, tag }: Fetched,
): Promise<GitCommit> {
  const { tree, commitSubject, raw } = await readCommit(git, commit);
  const fetched = { revision: revisionOf(commit, label), commit, tree, commitSubject };
  return withSignatures ? { ...fetched, signed: await readSigned(git, { commit, raw }, tag) } : fetched;
}

async function initialise(session: GitSession): Promise<void> {
  const { status } = await session.run(['init', '--quiet', '--bare', '--template=', '--', session.store]);
  if (status !== 0) throw new SottoError('GIT_FAILED', 'the store for fetched objects cannot be made', { retry: true });
}

/** The branch, or all of them, with full history: a commit counts only when one of them leads to it. */
async function checkoutCommit(
  session: GitSession,
  git: GitRunner,
  request: Asked,
  target: Target & { kind: 'commit' },
): Promise<GitCommit> {
  const { commit, branch } = target;
  const { url } = request;
  const ref = branch === undefined ? 'refs/heads/*' : `refs/heads/${branch}`;
  const asked: Target = branch === undefined ? target : { kind: 'ref', ref, label: branch, from: 'branch' };
  await fetchRef(session, git, { url, target: asked, ref, depth: undefined });
  if (!isCommit(commit) || (await resolveCommit(git, commit)) === undefined) {
    throw (await list(session, url)).size === 0 ? emptyRepository(url, target) : refNotFound(url, target);
  }
  return readFetched(git, request, { commit, label: branch });
}

/** The highest version; among tags of one version that with the newest commit. */
async function checkoutVersion(
  session: GitSession,
  git: GitRunner,
  request: Asked,
  target: Target & { kind: 'semver' },
): Promise<GitCommit> {
  const { url } = request;
  const refs = await list(session, url);
  if (refs.size === 0) throw emptyRepository(url, target);
  const tags = [...refs.keys()].filter((name) => name.startsWith(TAGS)).map((name) => name.slice(TAGS.length));
  const best = await highestVersions(tags, target.range, (work) => request.world.outside(work));
  let newest: { tag: string; object: string; commit: string; committedAt: number } | undefined;
  for (const tag of best) {
    await fetchRef(session, git, { url, target, ref: `${TAGS}${tag}`, depth: 1 });
    const commit = await resolveCommit(git, `${FETCHED}head`);
    if (commit === undefined) continue;
    const { committedAt } = await readHeader(git, commit);
    if (newest === undefined || committedAt > newest.committedAt)
      newest = { tag, object: await objectOf(git, `${FETCHED}head`), commit, committedAt };
  }
  if (newest === undefined) throw refNotFound(url, target);
  return readFetched(git, request, { commit: newest.commit, label: newest.tag, tag: { name: newest.tag, object: newest.object } });
}

/** What a reference points at, a tag object perhaps. */
async function objectOf(git: GitRunner, ref: string): Promise<string> {
  return (await git(['rev-parse', '--verify', '--end-of-options', ref])).stdout.toString('latin1').trim();
}

interface RefRequest {
  readonly url: string;
  readonly target: Target;
  /** A full name, or `refs/heads/*`. */
  readonly ref: string;
  readonly depth: number | undefined;
}

async function fetchRef(session: GitSession, git: GitRunner, { url, target, ref, depth }: RefRequest): Promise<void> {
  const isPattern = ref.endsWith('/*');
  if (!isPattern && !isRefName(ref)) throw refNotFound(url, target);
  const limits = depth === undefined ? [] : [`--depth=${depth}`];
  const refspec = `+${ref}:${FETCHED}${isPattern ? 'heads/*' : 'head'}`;
  const flags = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-auto-maintenance'];
  const { status, stderr } = await git(['fetch', ...flags, ...limits, '--', session.url, refspec]).catch(late('unable to clone', url));
  if (status === 0) return;
  if (!/couldn't find remote ref|no such remote ref/i.test(stderr))
    throw gitFailure('unable to clone', url, stderr, (text) => session.redact(text));
  throw (await list(session, url)).size === 0 ? emptyRepository(url, target) : refNotFound(url, target);
}
