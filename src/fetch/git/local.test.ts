import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeEach, describe, expect, it } from 'vitest';

import { systemWorld } from '../../base/world/index.ts';
import {
  gitProgramFetcher,
  localFetcher,
  memoryGitFetcher,
  serveRepository,
  snapshotWorkingTree,
  watchRefs,
  type GitFetcher,
} from './index.ts';
import { contentOf, temporaryDirectories, testRepository, type TestRepository } from './repository.fixture.ts';

const run = promisify(execFile);
const world = systemWorld();
const temporary = temporaryDirectories();
const URL_OF_FLEET = 'https://git.example/fleet';
let checkout: TestRepository;
let first: string;

beforeEach(() => {
  checkout = testRepository(join(temporary.make(), 'fleet'));
  first = checkout.commit({ 'a.yaml': 'one', 'dir/b.yaml': 'two' }, 'first commit');
});
afterAll(() => temporary.remove());

function local(directory = checkout.directory): GitFetcher {
  return localFetcher((url) => (url === URL_OF_FLEET ? directory : undefined), memoryGitFetcher(), { world });
}

describe('localFetcher', () => {
  const remote = { url: URL_OF_FLEET };

  it('GIT-02/GIT-03: reads branches, tags, ranges, names and commits of a checkout', async () => {
    checkout.git('tag', '-a', '-m', 'x', 'v1.2.3');
    const second = checkout.commit({ 'a.yaml': 'changed' }, 'second');
    checkout.git('update-ref', 'refs/pull/1/head', first);
    const revisions: Record<string, string> = {};
    for (const reference of [
      { branch: 'main' },
      { tag: 'v1.2.3' },
      { semver: '1.x' },
      { name: 'refs/pull/1/head' },
      { commit: first, branch: 'main' },
    ]) {
      revisions[JSON.stringify(reference)] = (await local().fetch(remote, reference, {})).revision;
    }
    expect(Object.values(revisions)).toEqual([
      `main@sha1:${second}`,
      `v1.2.3@sha1:${first}`,
      `v1.2.3@sha1:${first}`,
      `refs/pull/1/head@sha1:${first}`,
      `main@sha1:${first}`,
    ]);
    const refs = await local().listRefs(remote);
    expect([refs.get('HEAD'), refs.get('refs/heads/main'), refs.get('refs/tags/v1.2.3')]).toEqual([second, second, first]);
  });

  it('reads commits, not the working tree', async () => {
    checkout.write('a.yaml', 'not committed');
    expect(contentOf((await local().fetch(remote, { branch: 'main' }, {})).tree)).toEqual({ 'a.yaml': 'one', 'dir/b.yaml': 'two' });
  });

  it('reads worktrees and bare repositories, and passes other URLs on', async () => {
    const worktree = join(temporary.make(), 'worktree');
    checkout.git('worktree', 'add', '--quiet', '-b', 'side', worktree);
    const bare = join(temporary.make(), 'bare.git');
    checkout.git('clone', '--quiet', '--bare', checkout.directory, bare);
    for (const directory of [worktree, bare]) expect((await local(directory).fetch(remote, { branch: 'main' }, {})).commit).toBe(first);
    await expect(local().fetch({ url: 'https://other' }, { branch: 'main' }, {})).rejects.toMatchObject({ code: 'GIT_EMPTY' });
  });

  it('names what is wrong', async () => {
    await expect(local().fetch(remote, { branch: 'x' }, {})).rejects.toMatchObject({ code: 'GIT_REF_NOT_FOUND' });
    await expect(local().fetch(remote, { commit: 'e'.repeat(40) }, {})).rejects.toMatchObject({ code: 'GIT_REF_NOT_FOUND' });
    await expect(local(temporary.make()).fetch(remote, {}, {})).rejects.toMatchObject({ code: 'GIT_NOT_FOUND' });
    const empty = testRepository(join(temporary.make(), 'empty'));
    await expect(local(empty.directory).fetch(remote, {}, {})).rejects.toMatchObject({ code: 'GIT_EMPTY' });
  });
});

describe('memoryGitFetcher', () => {
  it('GIT-02/GIT-06: gives the same hashes in every run and resolves references like the others', async () => {
    const make = (): { git: ReturnType<typeof memoryGitFetcher>; hash: string } => {
      const git = memoryGitFetcher();
      const hash = git.commit('u', { files: { a: '1' }, subject: 's' });
      git.setRef('u', 'refs/tags/v1.0.0', hash);
      return { git, hash };
    };
    const { git, hash } = make();
    expect(make().hash).toBe(hash);
    expect(git.commit('u', { files: { a: '1' }, subject: 's' })).not.toBe(hash);
    expect(await git.fetch({ url: 'u' }, { semver: '*' }, {})).toMatchObject({ revision: `v1.0.0@sha1:${hash}`, commitSubject: 's' });
    git.fail('u', () => new Error('down'));
    await expect(git.listRefs({ url: 'u' })).rejects.toThrow('down');
  });
});

describe('serveRepository', () => {
  it('can only be read: no pushes, no dumb protocol, no other paths', async () => {
    const server = await serveRepository(checkout.directory, { world, name: 'fleet' });
    try {
      expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/fleet\.git$/);
      const status = async (path: string, method = 'GET'): Promise<number> => (await fetch(`${server.url}${path}`, { method })).status;
      expect(await status('/info/refs?service=git-upload-pack')).toBe(200);
      expect(await status('/info/refs?service=git-receive-pack')).toBe(403);
      expect(await status('/git-receive-pack', 'POST')).toBe(403);
      expect(await status('/info/refs')).toBe(403);
      expect(await status('/HEAD')).toBe(404);
      expect(await status('/objects/info/packs')).toBe(404);
      expect(await status('/../../etc/passwd')).toBe(404);
      const clone = join(temporary.make(), 'clone');
      // Not synchronous: the server runs in this process.
      await run('git', ['clone', '--quiet', server.url, clone]);
      await expect(run('git', ['push', 'origin', 'HEAD:refs/heads/x'], { cwd: clone })).rejects.toThrow('Command failed');
    } finally {
      await server.close();
    }
  });

  it('serves worktrees and bare repositories, and new commits at once', async () => {
    const worktree = join(temporary.make(), 'worktree');
    checkout.git('worktree', 'add', '--quiet', '-b', 'side', worktree);
    const bare = join(temporary.make(), 'bare.git');
    checkout.git('clone', '--quiet', '--bare', checkout.directory, bare);
    const fetcher = gitProgramFetcher({ world });
    for (const directory of [worktree, bare]) {
      const server = await serveRepository(directory, { world });
      try {
        expect((await fetcher.fetch({ url: server.url }, { branch: 'main' }, {})).commit).toBe(first);
      } finally {
        await server.close();
      }
    }
    const server = await serveRepository(checkout.directory, { world });
    try {
      const second = checkout.commit({ 'a.yaml': 'changed' });
      expect((await fetcher.listRefs({ url: server.url })).get('refs/heads/main')).toBe(second);
    } finally {
      await server.close();
    }
    await expect(fetcher.listRefs({ url: server.url })).rejects.toMatchObject({ code: 'GIT_UNREACHABLE' });
  });
});

describe('watchRefs', () => {
  const changes: readonly (readonly [string, (repository: TestRepository) => void])[] = [
    ['a commit', (repository) => void repository.commit({ 'new.yaml': 'x' })],
    ['a new branch with a slash', ({ git }) => void git('branch', 'feature/x')],
    ['a checkout of another branch', ({ git }) => void git('checkout', '--quiet', '-b', 'other')],
    [
      'packed references',
      ({ git }) => {
        git('tag', 'v1');
        git('pack-refs', '--all');
      },
    ],
  ];
  it.each(changes)('notices %s', async (_name, change) => {
    let notice: (() => void) | undefined;
    const noticed = new Promise<void>((resolve) => {
      notice = resolve;
    });
    const watch = watchRefs(checkout.directory, () => notice?.(), world);
    try {
      change(checkout);
      await noticed;
    } finally {
      watch.close();
    }
  });

  it('notices a commit in a worktree', async () => {
    const directory = join(temporary.make(), 'worktree');
    checkout.git('worktree', 'add', '--quiet', '-b', 'side', directory);
    await new Promise<void>((resolve) => {
      const watch = watchRefs(
        directory,
        () => {
          watch.close();
          resolve();
        },
        world,
      );
      checkout.git('-C', directory, 'commit', '--quiet', '--allow-empty', '-m', 'x');
    });
  });

  it('is silent while nothing but files change', async () => {
    let calls = 0;
    const watch = watchRefs(checkout.directory, () => (calls += 1), world);
    checkout.write('a.yaml', 'edited');
    checkout.git('add', '--all');
    checkout.git('status');
    await world.clock.sleep(300);
    watch.close();
    expect(calls).toBe(0);
  });
});

describe('snapshotWorkingTree', () => {
  /** Everything in `.git` of the checkout. */
  const stateOf = (): string => {
    const hash = createHash('sha256');
    const root = join(checkout.directory, '.git');
    for (const entry of readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted((a, b) => (a < b ? -1 : 1))) {
      hash.update(entry);
      if (statSync(join(root, entry)).isFile()) hash.update(readFileSync(join(root, entry)));
    }
    return hash.digest('hex');
  };

  it('commits what is not committed, without touching the checkout', async () => {
    checkout.write('.gitignore', 'ignored\n');
    checkout.write('ignored', 'x');
    checkout.write('a.yaml', 'edited');
    checkout.write('staged.yaml', 'staged');
    checkout.git('add', 'staged.yaml');
    rmSync(join(checkout.directory, 'dir/b.yaml'));
    const before = stateOf();
    const store = join(temporary.make(), 'store.git');
    const snapshot = await snapshotWorkingTree(checkout.directory, store, { world });
    expect(snapshot).toMatchObject({ branch: 'main', isDirty: true });
    expect(stateOf()).toBe(before);
    const server = await serveRepository(store, { world });
    try {
      const fetched = await gitProgramFetcher({ world }).fetch({ url: server.url }, { branch: 'main' }, {});
      expect(fetched).toMatchObject({ revision: `main@sha1:${snapshot.commit}`, commitSubject: 'uncommitted changes' });
      expect(contentOf(fetched.tree)).toEqual({ '.gitignore': 'ignored\n', 'a.yaml': 'edited', 'staged.yaml': 'staged' });
    } finally {
      await server.close();
    }
    expect((await local(store).fetch({ url: URL_OF_FLEET }, { branch: 'main' }, {})).commit).toBe(snapshot.commit);
    expect((await local(store).fetch({ url: URL_OF_FLEET }, { commit: first }, {})).commit).toBe(first);
  });

  it('is the last commit when nothing differs, and the same commit for the same content', async () => {
    const store = join(temporary.make(), 'store.git');
    expect(await snapshotWorkingTree(checkout.directory, store, { world })).toEqual({ commit: first, branch: 'main', isDirty: false });
    checkout.write('a.yaml', 'edited');
    const one = await snapshotWorkingTree(checkout.directory, store, { world });
    expect(await snapshotWorkingTree(checkout.directory, store, { world })).toEqual(one);
    checkout.write('a.yaml', 'edited again');
    expect((await snapshotWorkingTree(checkout.directory, store, { world })).commit).not.toBe(one.commit);
    checkout.git('checkout', '--quiet', '--', '.');
    expect((await snapshotWorkingTree(checkout.directory, store, { world })).commit).toBe(first);
  });

  it('follows branches, works from a subdirectory, in a worktree, and before the first commit', async () => {
    const store = join(temporary.make(), 'store.git');
    checkout.git('branch', 'old');
    await snapshotWorkingTree(checkout.directory, store, { world });
    checkout.git('branch', '-D', 'old');
    checkout.git('checkout', '--quiet', '-b', 'feature/x');
    checkout.write('a.yaml', 'edited');
    const snapshot = await snapshotWorkingTree(join(checkout.directory, 'dir'), store, { world });
    expect(snapshot).toMatchObject({ branch: 'feature/x', isDirty: true });
    const refs = await local(store).listRefs({ url: URL_OF_FLEET });
    expect([...refs]).toEqual([
      ['HEAD', snapshot.commit],
      ['refs/heads/feature/x', snapshot.commit],
      ['refs/heads/main', first],
    ]);
    const worktree = join(temporary.make(), 'worktree');
    checkout.git('worktree', 'add', '--quiet', '-b', 'side', worktree, 'main');
    expect(await snapshotWorkingTree(worktree, join(temporary.make(), 's.git'), { world })).toMatchObject({
      branch: 'side',
      commit: first,
      isDirty: false,
    });
    const unborn = testRepository(join(temporary.make(), 'unborn'));
    unborn.write('x.yaml', 'x');
    const store2 = join(temporary.make(), 's.git');
    const born = await snapshotWorkingTree(unborn.directory, store2, { world });
    expect(born).toMatchObject({ branch: 'main', isDirty: true });
    expect(contentOf((await local(store2).fetch({ url: URL_OF_FLEET }, { branch: 'main' }, {})).tree)).toEqual({ 'x.yaml': 'x' });
    expect(existsSync(join(unborn.directory, '.git/index'))).toBe(false);
  });

  it("leaves out what the repository's and the user's own lists exclude, and runs no filters", async () => {
    const home = temporary.make();
    const mark = join(home, 'mark');
    checkout.write('.git/info/exclude', 'local-only\n');
    const user = testRepository(join(home, '.config'));
    user.write('git/ignore', '.envrc\n');
    checkout.write('local-only', 'x');
    checkout.write('.envrc', 'SECRET=1');
    checkout.write('.gitattributes', '*.yaml filter=evil\n');
    checkout.git('config', 'filter.evil.clean', `touch '${mark}'; cat`);
    checkout.write('a.yaml', 'edited');
    const store = join(temporary.make(), 'store.git');
    await snapshotWorkingTree(checkout.directory, store, { world: { ...world, env: { PATH: process.env['PATH'], HOME: home } } });
    const { tree } = await local(store).fetch({ url: URL_OF_FLEET }, { branch: 'main' }, {});
    expect(Object.keys(contentOf(tree))).toEqual(['.gitattributes', 'a.yaml', 'dir/b.yaml']);
    expect(existsSync(mark)).toBe(false);
  });

  it('refuses what is no working tree', async () => {
    await expect(snapshotWorkingTree(temporary.make(), join(temporary.make(), 's'), { world })).rejects.toMatchObject({
      code: 'GIT_FAILED',
    });
  });
});
