import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { Sensitive } from '../../base/sensitive/index.ts';
import { systemWorld } from '../../base/world/index.ts';
import { gitProgramFetcher, serveRepository, type GitFetcher, type GitReference, type RepositoryServer } from './index.ts';
import { contentOf, temporaryDirectories, testRepository, type TestRepository } from './repository.fixture.ts';

const world = systemWorld();
const temporary = temporaryDirectories();
const working = temporary.make();
const fetcher: GitFetcher = gitProgramFetcher({ world, directory: working });
const commits: Record<string, string> = {};
let repository: TestRepository;
let server: RepositoryServer;

beforeAll(async () => {
  repository = testRepository(join(temporary.make(), 'fleet'));
  const { git, write } = repository;
  commits['first'] = repository.commit({ 'a.yaml': 'one', 'dir/b.yaml': 'two' }, 'first commit\n\nbody', 1_700_000_000);
  git('tag', 'v1.0.0');
  git('tag', '--annotate', '--message', 'annotated', 'v1.1.0+build.1');
  git('tag', '--annotate', '--message', 'tag of a tag', 'nested', 'v1.1.0+build.1');
  write('run.sh', '#!/bin/sh\n', 0o755);
  symlinkSync('a.yaml', join(repository.directory, 'link.yaml'));
  commits['second'] = repository.commit({ 'a.yaml': 'changed' }, 'second commit', 1_700_000_100);
  git('tag', 'v1.1.0+build.2');
  git('update-ref', 'refs/pull/420/head', commits['first']);
  git('checkout', '--quiet', '-b', 'feature/x');
  commits['feature'] = repository.commit({ 'c.yaml': 'feature' }, 'on a branch', 1_700_000_200);
  git('checkout', '--quiet', 'main');
  server = await serveRepository(repository.directory, { world });
});
afterAll(async () => {
  await server.close();
  expect(readdirSync(working), 'private directories are removed').toEqual([]);
  temporary.remove();
});

const hash = (name: string): string => commits[name] ?? 'unknown';
const main = { 'a.yaml': 'changed', 'dir/b.yaml': 'two', 'run.sh': 'x:#!/bin/sh\n' };
const first = { 'a.yaml': 'one', 'dir/b.yaml': 'two' };

describe('gitProgramFetcher', () => {
  it.each<[string, GitReference, () => { revision: string; commit: string; subject: string; files: Record<string, string> }]>([
    [
      'a branch',
      { branch: 'main' },
      () => ({ revision: `main@sha1:${hash('second')}`, commit: hash('second'), subject: 'second commit', files: main }),
    ],
    [
      'a branch with a slash',
      { branch: 'feature/x' },
      () => ({
        revision: `feature/x@sha1:${hash('feature')}`,
        commit: hash('feature'),
        subject: 'on a branch',
        files: { ...main, 'c.yaml': 'feature' },
      }),
    ],
    [
      'a tag',
      { tag: 'v1.0.0' },
      () => ({ revision: `v1.0.0@sha1:${hash('first')}`, commit: hash('first'), subject: 'first commit', files: first }),
    ],
    [
      'a tag of a tag',
      { tag: 'nested' },
      () => ({ revision: `nested@sha1:${hash('first')}`, commit: hash('first'), subject: 'first commit', files: first }),
    ],
    [
      'a semver range whose highest version has two tags: the newest commit',
      { semver: '1.x' },
      () => ({ revision: `v1.1.0+build.2@sha1:${hash('second')}`, commit: hash('second'), subject: 'second commit', files: main }),
    ],
    [
      'a full reference name',
      { name: 'refs/pull/420/head' },
      () => ({ revision: `refs/pull/420/head@sha1:${hash('first')}`, commit: hash('first'), subject: 'first commit', files: first }),
    ],
  ])('GIT-02/GIT-03/GIT-05/GIT-06: %s', async (_name, reference, expected) => {
    const { revision, commit, subject, files } = expected();
    const fetched = await fetcher.fetch({ url: server.url }, reference, {});
    expect({ ...fetched, tree: contentOf(fetched.tree) }).toEqual({ revision, commit, commitSubject: subject, tree: files });
  });

  it('GIT-02/GIT-03: a commit, with and without a branch that labels and bounds it', async () => {
    const remote = { url: server.url };
    expect(await fetcher.fetch(remote, { commit: hash('first') }, {})).toMatchObject({ revision: `sha1:${hash('first')}` });
    expect(await fetcher.fetch(remote, { commit: hash('feature') }, {})).toMatchObject({ revision: `sha1:${hash('feature')}` });
    expect(await fetcher.fetch(remote, { commit: hash('first'), branch: 'main' }, {})).toMatchObject({
      revision: `main@sha1:${hash('first')}`,
    });
    await expect(fetcher.fetch(remote, { commit: hash('feature'), branch: 'main' }, {})).rejects.toMatchObject({
      code: 'GIT_REF_NOT_FOUND',
      message: `unable to resolve commit object for '${hash('feature')}': object not found`,
    });
  });

  it('GIT-04: lists references with tags followed to their commits', async () => {
    const refs = await fetcher.listRefs({ url: server.url });
    expect(refs.get('HEAD')).toBe(hash('second'));
    expect(refs.get('refs/heads/feature/x')).toBe(hash('feature'));
    expect(refs.get('refs/tags/v1.1.0+build.1')).toBe(hash('first'));
    expect([...refs.keys()].some((name) => name.includes('^'))).toBe(false);
  });

  it('SRC-03: submodules that are not asked for are empty directories', async () => {
    const { git } = repository;
    git('checkout', '--quiet', '-b', 'submodule');
    git('update-index', '--add', '--cacheinfo', `160000,${hash('first')},vendor/sub`);
    git('commit', '--quiet', '--message', 'submodule');
    git('checkout', '--quiet', '--force', 'main');
    const { tree } = await fetcher.fetch({ url: server.url }, { branch: 'submodule' }, {});
    expect(contentOf(tree)).toEqual({ ...main, 'vendor/sub/': '' });
  });

  it('GIT-05: fetches one commit deep for a branch', async () => {
    const deep = testRepository(join(temporary.make(), 'deep'));
    const big = 'x'.repeat(100_000);
    for (let i = 0; i < 5; i++)
      deep.commit({ 'big.txt': Array.from({ length: 500 }, (_, n) => `${i}:${n}:${(n * 7919 + i * 31) % 9973}`).join('\n') }, `c${i}`);
    deep.commit({ 'big.txt': big }, 'last');
    const deepServer = await serveRepository(deep.directory, { world });
    try {
      const fetched = await fetcher.fetch({ url: deepServer.url }, { branch: 'main' }, {});
      expect(fetched.tree.read('big.txt')?.length).toBe(100_000);
    } finally {
      await deepServer.close();
    }
  });

  it.each<[string, GitReference, (url: string) => [string, string]]>([
    [
      'an unknown branch',
      { branch: 'nope' },
      (url) => ['GIT_REF_NOT_FOUND', `unable to clone: couldn't find remote ref "refs/heads/nope": git repository: '${url}'`],
    ],
    [
      'an unknown tag',
      { tag: 'nope' },
      (url) => ['GIT_REF_NOT_FOUND', `unable to clone: couldn't find remote ref "refs/tags/nope": git repository: '${url}'`],
    ],
    ['an unknown name', { name: 'refs/x/y' }, () => ['GIT_REF_NOT_FOUND', "unable to resolve ref 'refs/x/y' to a specific commit"]],
    ['a range without a match', { semver: '>=9' }, () => ['GIT_REF_NOT_FOUND', 'no match found for semver: >=9']],
    [
      'an unknown commit',
      { commit: 'd'.repeat(40) },
      () => ['GIT_REF_NOT_FOUND', `unable to resolve commit object for '${'d'.repeat(40)}': object not found`],
    ],
    [
      'a branch that looks like an option',
      { branch: '--upload-pack=x' },
      (url) => ['GIT_REF_NOT_FOUND', `unable to clone: couldn't find remote ref "refs/heads/--upload-pack=x": git repository: '${url}'`],
    ],
    [
      'a name with refspec syntax',
      { name: 'refs/heads/main:refs/heads/x' },
      () => ['GIT_REF_NOT_FOUND', "unable to resolve ref 'refs/heads/main:refs/heads/x' to a specific commit"],
    ],
  ])('GIT-02: %s is an error', async (_name, reference, expected) => {
    const [code, message] = expected(server.url);
    await expect(fetcher.fetch({ url: server.url }, reference, {})).rejects.toMatchObject({ code, message });
  });

  it('GIT-13: an empty repository is told apart for branches only', async () => {
    const empty = testRepository(join(temporary.make(), 'empty'));
    const emptyServer = await serveRepository(empty.directory, { world });
    try {
      const remote = { url: emptyServer.url };
      expect((await fetcher.listRefs(remote)).size).toBe(0);
      await expect(fetcher.fetch(remote, {}, {})).rejects.toMatchObject({ code: 'GIT_EMPTY', message: 'git repository is empty' });
      for (const reference of [{ tag: 'v1' }, { semver: '*' }, { commit: 'a'.repeat(40) }]) {
        await expect(fetcher.fetch(remote, reference, {})).rejects.toMatchObject({
          code: 'GIT_FAILED',
          message: `unable to clone: remote repository is empty: git repository: '${emptyServer.url}'`,
        });
      }
    } finally {
      await emptyServer.close();
    }
  });

  it('GIT-03: SHA-256 object repositories are refused', async () => {
    const sha256 = testRepository(join(temporary.make(), 'sha256'), ['--object-format=sha256']);
    sha256.commit({ a: 'b' });
    const sha256Server = await serveRepository(sha256.directory, { world });
    try {
      const message = 'SHA-256 object repositories are not supported';
      await expect(fetcher.listRefs({ url: sha256Server.url })).rejects.toMatchObject({
        code: 'GIT_UNSUPPORTED',
        message: expect.stringContaining(message) as string,
      });
      await expect(fetcher.fetch({ url: sha256Server.url }, { branch: 'main' }, {})).rejects.toMatchObject({
        code: 'GIT_UNSUPPORTED',
        message: expect.stringContaining(message) as string,
      });
    } finally {
      await sha256Server.close();
    }
  });

  it('a repository that does not exist, and a server that is not there', async () => {
    const url = server.url.replace('repository.git', 'other.git');
    await expect(fetcher.fetch({ url }, { branch: 'main' }, {})).rejects.toMatchObject({
      code: 'GIT_NOT_FOUND',
      message: `unable to clone '${url}': repository not found`,
    });
    await expect(fetcher.listRefs({ url })).rejects.toMatchObject({
      code: 'GIT_NOT_FOUND',
      message: `unable to list remote for '${url}': repository not found`,
    });
    await expect(fetcher.listRefs({ url: 'http://127.0.0.1:1/x.git' })).rejects.toMatchObject({ code: 'GIT_UNREACHABLE', retry: true });
  });

  it('GIT-07: basic authentication, right, wrong and absent', async () => {
    const password = new Sensitive('p@ss word\'"$(x)%');
    const guarded = await serveRepository(repository.directory, { world, auth: { kind: 'basic', username: 'robot@corp', password } });
    try {
      const remote = { url: guarded.url };
      const good = { ...remote, credentials: { kind: 'basic', username: 'robot@corp', password } } as const;
      expect(await fetcher.fetch(good, { branch: 'main' }, {})).toMatchObject({ commit: hash('second') });
      const wrong = { ...remote, credentials: { kind: 'basic', username: 'robot@corp', password: new Sensitive('wrong') } } as const;
      for (const refused of [wrong, remote]) {
        await expect(fetcher.fetch(refused, { branch: 'main' }, {})).rejects.toMatchObject({
          code: 'GIT_AUTHENTICATION',
          message: `unable to clone '${guarded.url}': authentication required`,
        });
      }
    } finally {
      await guarded.close();
    }
  });

  it('GIT-07: a bearer token', async () => {
    const token = new Sensitive('tok"en\\1234');
    const guarded = await serveRepository(repository.directory, { world, auth: { kind: 'bearer', token } });
    try {
      const remote = { url: guarded.url, credentials: { kind: 'bearer', token } } as const;
      expect(await fetcher.fetch(remote, { semver: '1.x' }, {})).toMatchObject({ commit: hash('second') });
      const wrong = { ...remote, credentials: { kind: 'bearer', token: new Sensitive('other') } } as const;
      await expect(fetcher.fetch(wrong, { branch: 'main' }, {})).rejects.toMatchObject({ code: 'GIT_AUTHENTICATION' });
    } finally {
      await guarded.close();
    }
  });

  it('stops git when its signal fires or its time is over', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silent.address() as { port: number }).port}/x.git`;
    try {
      await expect(fetcher.listRefs({ url }, undefined, { timeoutMs: 300 })).rejects.toMatchObject({
        code: 'GIT_TIMEOUT',
        message: `unable to list remote for '${url}': context deadline exceeded`,
      });
      const controller = new AbortController();
      const running = fetcher.listRefs({ url }, controller.signal);
      setTimeout(() => controller.abort(), 100);
      await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    } finally {
      silent.close();
    }
  });
});
