import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, watch, type FSWatcher } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Timer, World } from '../../base/world/index.ts';

/** Changes come in bursts: this long after the first one the references are read. */
const SETTLE_MS = 30;
/** Where the system reports nothing (network drives, exhausted watches), the references are read this often. */
const POLL_MS = 2000;

/** Stops watching. */
export interface RefWatch {
  close(): void;
}

/**
 * Calls `onChange` soon after HEAD or a reference of a repository has changed (commit, checkout, fetch, rebase,
 * tag), and only then. `directory` is a checkout, a worktree, or a `.git` directory.
 */
export function watchRefs(directory: string, onChange: () => void, world: World): RefWatch {
  const places = repositoryPlaces(directory);
  let known = fingerprint(places);
  let timer: Timer | undefined;
  let isClosed = false;
  const check = (): void => {
    if (isClosed) return;
    schedule(POLL_MS);
    const current = fingerprint(places);
    if (current === known) return;
    known = current;
    onChange();
  };
  const schedule = (ms: number): void => {
    timer?.cancel();
    if (!isClosed) timer = world.clock.after(ms, check);
  };
  const watchers = [...new Set([places.gitDir, places.commonDir])]
    .flatMap((path) => [
      { path, recursive: false },
      { path: join(path, 'refs'), recursive: true },
    ])
    .flatMap(({ path, recursive }) => startWatcher(path, recursive, () => schedule(SETTLE_MS)));
  schedule(POLL_MS);
  return {
    close: () => {
      isClosed = true;
      timer?.cancel();
      for (const watcher of watchers) watcher.close();
    },
  };
}

function startWatcher(path: string, recursive: boolean, onEvent: () => void): FSWatcher[] {
  try {
    const watcher = watch(path, { recursive, persistent: false }, onEvent);
    watcher.on('error', onEvent); // polling goes on
    return [watcher];
  } catch {
    return []; // not there or no watches left: polling finds the change
  }
}

interface Places {
  readonly gitDir: string;
  /** Where shared references are; differs from gitDir in a worktree. */
  readonly commonDir: string;
}

/** Finds the git directory of a checkout or worktree (where `.git` is a file that names it). */
export function repositoryPlaces(directory: string): Places {
  const dotGit = join(directory, '.git');
  let gitDir = directory;
  if (existsSync(dotGit)) {
    gitDir = statSync(dotGit).isDirectory()
      ? dotGit
      : resolve(
          directory,
          readText(dotGit)
            .replace(/^gitdir:\s*/, '')
            .trim(),
        );
  }
  const common = readText(join(gitDir, 'commondir')).trim();
  return { gitDir: resolve(gitDir), commonDir: common === '' ? resolve(gitDir) : resolve(gitDir, common) };
}

/** A digest over everything that says where references point. */
function fingerprint({ gitDir, commonDir }: Places): string {
  const hash = createHash('sha256');
  const add = (path: string): void => void hash.update(`${path}\0${readText(path)}\0`);
  add(join(gitDir, 'HEAD'));
  for (const directory of new Set([gitDir, commonDir])) {
    add(join(directory, 'packed-refs'));
    add(join(directory, 'reftable', 'tables.list'));
    for (const path of filesBelow(join(directory, 'refs'))) add(path);
  }
  return hash.digest('hex');
}

function filesBelow(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.lock'))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted((a, b) => (a < b ? -1 : 1));
  } catch {
    return []; // a directory went away while it was read: the next look sees the new state
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // absent, or replaced at this moment
  }
}
