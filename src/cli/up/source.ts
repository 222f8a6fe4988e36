import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { join, resolve, sep } from 'node:path';

import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { serveRepository, snapshotWorkingTree, watchRefs } from '../../fetch/git/index.ts';
import type { UpOptions } from './options.ts';

/** The repository that `sotto up` follows. */
export interface UpSource {
  /** URL that the first GitRepository gets. */
  readonly url: string;
  readonly branch: string;
  /** URLs that mean this very repository, when it is a checkout: fetched from here, without credentials. */
  readonly remotes: ReadonlySet<string>;
  readonly isLocal: boolean;
  /** Calls back soon after a new commit. */
  onCommit(callback: () => void): void;
  close(): Promise<void>;
}

const GIT_TIMEOUT_MS = 30_000;
/** Pause in which the changes of one `git commit` are taken together. */
const DEBOUNCE_MS = 50;

/**
 * Opens the source of a fleet.
 *
 * @throws SottoError SOURCE_NOT_A_REPOSITORY, SOURCE_EMPTY, SOURCE_BRANCH_MISSING
 */
export async function openSource(options: UpOptions, world: World, dataDir: string): Promise<UpSource> {
  const { source } = options;
  if (source.kind === 'url') {
    return {
      url: source.url,
      branch: options.branch ?? 'main',
      remotes: new Set(),
      isLocal: false,
      onCommit: () => {},
      close: async () => {},
    };
  }
  const top = await git(world, source.directory, ['rev-parse', '--show-toplevel']).catch((cause: unknown) => {
    throw new SottoError('SOURCE_NOT_A_REPOSITORY', `${source.directory} is not a Git checkout`, {
      hint: 'give a checkout or a URL with --source',
      cause,
    });
  });
  const branch = options.branch ?? (await currentBranch(world, top));
  if (!options.workingTree) await checkBranch(world, top, branch);
  return options.workingTree ? openWorkingTree(top, branch, world, dataDir) : openCheckout(top, branch, world);
}

async function openCheckout(top: string, branch: string, world: World): Promise<UpSource> {
  const server = await serveRepository(top, { world, name: 'fleet' });
  const watches: { close(): void }[] = [];
  return {
    url: server.url,
    branch,
    remotes: await remotesOf(world, top),
    isLocal: true,
    onCommit: (callback) => void watches.push(watchRefs(top, debounced(world, callback), world)),
    close: async () => {
      for (const watch of watches) watch.close();
      await server.close();
    },
  };
}

/** Uncommitted changes too: the working tree is committed into a store in the data folder, and that is served. */
async function openWorkingTree(top: string, branch: string, world: World, dataDir: string): Promise<UpSource> {
  const store = join(dataDir, 'working-tree.git');
  let { commit } = await snapshotWorkingTree(top, store, { world });
  const server = await serveRepository(store, { world, name: 'fleet' });
  const watches: { close(): void }[] = [];
  const again = async (callback: () => void): Promise<void> => {
    const next = await snapshotWorkingTree(top, store, { world });
    if (next.commit === commit) return;
    commit = next.commit;
    callback();
  };
  return {
    url: server.url,
    branch,
    remotes: await remotesOf(world, top),
    isLocal: true,
    onCommit: (callback) => {
      // A snapshot that fails (a file vanished meanwhile) is made again at the next change.
      const changed = debounced(world, () => void again(callback).catch(() => undefined));
      watches.push(watchRefs(top, changed, world), watchFiles(top, [join(top, '.git'), resolve(dataDir)], changed));
    },
    close: async () => {
      for (const watch of watches) watch.close();
      await server.close();
    },
  };
}

/** Calls back when a file below a directory changes, except below some of its folders. */
function watchFiles(top: string, except: readonly string[], onChange: () => void): { close(): void } {
  return watch(top, { recursive: true, persistent: false }, (_event, file) => {
    const path = join(top, file ?? '');
    if (!except.some((folder) => path === folder || path.startsWith(folder + sep))) onChange();
  });
}

function debounced(world: World, callback: () => void): () => void {
  let timer: { cancel(): void } | undefined;
  return () => {
    timer?.cancel();
    timer = world.clock.after(DEBOUNCE_MS, callback);
  };
}

async function currentBranch(world: World, top: string): Promise<string> {
  const name = await git(world, top, ['symbolic-ref', '--short', '--quiet', 'HEAD']).catch(() => '');
  if (name !== '') return name;
  throw new SottoError('SOURCE_BRANCH_MISSING', `no branch is checked out in ${top}`, { hint: 'name one with --branch' });
}

async function checkBranch(world: World, top: string, branch: string): Promise<void> {
  const found = await git(world, top, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`]).catch(() => '');
  if (found !== '') return;
  const branches = (await git(world, top, ['for-each-ref', '--format=%(refname:short)', 'refs/heads']))
    .split('\n')
    .filter((name) => name !== '');
  if (branches.length === 0)
    throw new SottoError('SOURCE_EMPTY', `${top} has no commit yet`, { hint: 'commit something, or use --working-tree' });
  throw new SottoError('SOURCE_BRANCH_MISSING', `${top} has no branch "${branch}"`, {
    hint: `there is ${branches.slice(0, 5).join(', ')}`,
  });
}

/** Fetch URLs of the checkout's remotes, in the forms in which a GitRepository may name them. */
async function remotesOf(world: World, top: string): Promise<Set<string>> {
  const listed = await git(world, top, ['remote', '--verbose']).catch(() => '');
  const urls = listed.split('\n').map((line) => line.split(/\s/)[1] ?? '');
  return new Set(urls.filter((url) => url !== '').map(comparableUrl));
}

/** One spelling for a repository's URL: no scheme, user, port, `.git` or trailing slash. */
export function comparableUrl(url: string): string {
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/.exec(url);
  const plain = scp === null ? url.replace(/^[a-z+]+:\/\//, '').replace(/^[^@/]*@/, '') : `${scp[1] ?? ''}/${scp[2] ?? ''}`;
  return plain
    .replace(/^([^/:]+):\d+/, '$1')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .toLowerCase();
}

/** Runs git for questions about a checkout; answers its trimmed output. */
function git(world: World, cwd: string, args: readonly string[]): Promise<string> {
  return world.outside(
    () =>
      new Promise((resolve, reject) => {
        execFile('git', ['-c', 'safe.directory=*', ...args], { cwd, timeout: GIT_TIMEOUT_MS, env: world.env }, (error, stdout) =>
          error === null ? resolve(stdout.trim()) : reject(error),
        );
      }),
  );
}
