import { createHash } from 'node:crypto';

import type { World } from '../../base/world/index.ts';
import { memoryTree, type Tree } from '../../base/files/index.ts';
import { digestOf, packTree } from '../artifact/index.ts';
import { emptyRepository, refNotFound, revisionOf, targetOf } from './reference.ts';
import type { GitFetcher, GitReference } from './types.ts';
import { highestVersions } from './versions.ts';

/** A commit to make in memory. */
export interface MemoryCommit {
  /** Default `main`. */
  readonly branch?: string;
  readonly files: Tree | Readonly<Record<string, string | Uint8Array>>;
  readonly subject?: string;
}

/** Repositories that exist only in memory, by URL. */
export interface MemoryGit extends GitFetcher {
  /** Makes a commit on a branch and returns its hash: the same content and parent give the same hash. */
  commit(url: string, commit: MemoryCommit): string;
  /** Points a reference (full name) at a commit; without one the reference goes. */
  setRef(url: string, ref: string, commit: string | undefined): void;
  /** Makes an empty repository. */
  create(url: string): void;
  /** While it returns an error, every call for this URL fails with it. */
  fail(url: string, error: (() => Error | undefined) | undefined): void;
}

interface StoredCommit {
  readonly tree: Tree;
  readonly subject: string;
  readonly order: number;
}

interface Repository {
  readonly refs: Map<string, string>;
  readonly commits: Map<string, StoredCommit>;
}

/**
 * A fetcher for simulations and tests: no child processes, no files, the same hashes in every run. Give it the world when
 * ranges of versions are asked for in a simulation.
 */
export function memoryGitFetcher({ outside = (work) => work() }: Partial<Pick<World, 'outside'>> = {}): MemoryGit {
  const repositories = new Map<string, Repository>();
  const failures = new Map<string, () => Error | undefined>();
  const create = (url: string): Repository => {
    const repository = repositories.get(url) ?? { refs: new Map(), commits: new Map() };
    repositories.set(url, repository);
    return repository;
  };
  const open = (url: string): Repository => {
    const failure = failures.get(url)?.();
    if (failure !== undefined) throw failure;
    return repositories.get(url) ?? create(url);
  };
  return {
    create: (url) => void create(url),
    setRef: (url, ref, commit) => {
      if (commit === undefined) create(url).refs.delete(ref);
      else create(url).refs.set(ref, commit);
    },
    fail: (url, error) => void (error === undefined ? failures.delete(url) : failures.set(url, error)),
    commit: (url, { branch = 'main', files, subject = 'change' }) => {
      const repository = create(url);
      const ref = `refs/heads/${branch}`;
      const tree = isTree(files) ? files : memoryTree(new Map(Object.entries(files)));
      const identity = [repository.refs.get(ref) ?? '', subject, digestOf(packTree(tree))].join('\n');
      const hash = createHash('sha1').update(identity).digest('hex');
      repository.commits.set(hash, { tree, subject, order: repository.commits.size });
      repository.refs.set(ref, hash);
      return hash;
    },
    listRefs: async (remote) => new Map(open(remote.url).refs),
    fetch: async (remote, reference) => {
      const repository = open(remote.url);
      const { commit, label } = await resolve(remote.url, repository, reference, outside);
      const found = repository.commits.get(commit);
      if (found === undefined) throw refNotFound(remote.url, targetOf(reference));
      return { revision: revisionOf(commit, label), commit, tree: found.tree, commitSubject: found.subject };
    },
  };
}

function isTree(files: MemoryCommit['files']): files is Tree {
  return typeof files['read'] === 'function';
}

async function resolve(
  url: string,
  repository: Repository,
  reference: GitReference,
  outside: World['outside'],
): Promise<{ commit: string; label: string | undefined }> {
  const target = targetOf(reference);
  if (repository.refs.size === 0) throw emptyRepository(url, target);
  if (target.kind === 'commit') return { commit: target.commit, label: target.branch };
  if (target.kind === 'ref') {
    const commit = repository.refs.get(target.ref);
    if (commit === undefined) throw refNotFound(url, target);
    return { commit, label: target.label };
  }
  const tags = [...repository.refs.keys()].filter((name) => name.startsWith('refs/tags/')).map((name) => name.slice('refs/tags/'.length));
  const candidates = (await highestVersions(tags, target.range, outside)).map((tag) => ({
    label: tag,
    commit: repository.refs.get(`refs/tags/${tag}`) ?? '',
  }));
  const order = (commit: string): number => repository.commits.get(commit)?.order ?? 0;
  const [best] = candidates.toSorted((a, b) => order(b.commit) - order(a.commit));
  if (best === undefined) throw refNotFound(url, target);
  return best;
}
