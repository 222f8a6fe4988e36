/** Real git repositories for tests. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type { Tree } from '../../base/files/index.ts';

/** A checkout with one branch `main`. */
export interface TestRepository {
  readonly directory: string;
  /** Runs git in the checkout and returns what it prints, trimmed. */
  readonly git: (...args: string[]) => string;
  readonly write: (path: string, content: string, mode?: number) => void;
  /** Writes files, commits everything and returns the commit. `time` is seconds since the epoch. */
  commit(files: Readonly<Record<string, string>>, message?: string, time?: number): string;
}

const BASE_TIME = 1_700_000_000;

export function testRepository(directory: string, initArguments: readonly string[] = []): TestRepository {
  mkdirSync(directory, { recursive: true });
  const git = (...args: string[]): string => gitIn(directory, args);
  git('init', '--quiet', '--initial-branch=main', ...initArguments);
  const write = (path: string, content: string, mode = 0o644): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
    chmodSync(join(directory, path), mode);
  };
  return {
    directory,
    git,
    write,
    commit: (files, message = 'change', time = BASE_TIME) => {
      for (const [path, content] of Object.entries(files)) write(path, content);
      git('add', '--all');
      gitIn(directory, ['commit', '--quiet', '--allow-empty', '--message', message], {
        GIT_AUTHOR_DATE: `${time} +0000`,
        GIT_COMMITTER_DATE: `${time} +0000`,
      });
      return git('rev-parse', 'HEAD');
    },
  };
}

function gitIn(directory: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const identity = {
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@example.com',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@example.com',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  return execFileSync('git', args, {
    cwd: directory,
    env: { ...process.env, ...identity, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/** Temporary directories that a test suite removes at its end. */
export function temporaryDirectories(): { make(): string; remove(): void } {
  const made: string[] = [];
  return {
    make: () => {
      const directory = mkdtempSync(join(tmpdir(), 'sotto-test-'));
      made.push(directory);
      return directory;
    },
    remove: () => made.splice(0).forEach((directory) => rmSync(directory, { recursive: true, force: true })),
  };
}

/** Paths and contents of a tree; `x:` marks executables, a trailing slash empty directories. */
export function contentOf(tree: Tree, path = ''): Record<string, string> {
  const names = tree.list(path);
  if (names.length === 0 && path !== '') return { [`${path}/`]: '' };
  const parts = names.map((name) => {
    const child = path === '' ? name : `${path}/${name}`;
    if (tree.kind(child) === 'directory') return contentOf(tree, child);
    return { [child]: `${tree.isExecutable(child) ? 'x:' : ''}${Buffer.from(tree.read(child) ?? []).toString()}` };
  });
  return Object.assign({}, ...parts) as Record<string, string>;
}
