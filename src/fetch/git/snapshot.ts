import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { gitEnvironment, HARDENED_SETTINGS, settings } from './hardening.ts';
import { localRunner } from './local.ts';
import { resolveCommit } from './objects.ts';
import { runCommand } from './process.ts';
import { repositoryPlaces } from './watch.ts';

const TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const AUTHOR = 'sotto <sotto@localhost>';

/** What {@link snapshotWorkingTree} made. */
export interface Snapshot {
  readonly commit: string;
  /** The branch that is checked out; `HEAD` when none is. */
  readonly branch: string;
  /** Whether the working tree differs from the last commit; when not, `commit` is that. */
  readonly isDirty: boolean;
}

/**
 * Makes a commit of a checkout as it is now, uncommitted and untracked files included (ignored ones are not), in
 * a bare repository of its own: `storeDir`, which borrows the checkout's objects. All references of the checkout are
 * copied there and its current branch leads to the new commit, so that the store can be served or read in the
 * checkout's place. The checkout's index, references and objects are never touched. The same content on the same
 * commit gives the same snapshot.
 *
 * @throws SottoError GIT_FAILED when `checkout` is no working tree or cannot be read
 */
export async function snapshotWorkingTree(
  checkout: string,
  storeDir: string,
  options: { readonly world: World; readonly signal?: AbortSignal },
): Promise<Snapshot> {
  const { world, signal } = options;
  const source = localRunner(checkout, world, signal);
  const root = await textOf(source(['rev-parse', '--show-toplevel']), 'is not the working tree of a git repository', checkout);
  const store = storeRunner(root, resolve(storeDir), world, signal);
  await prepareStore(root, resolve(storeDir), world);
  const branchRef = (await source(['symbolic-ref', '--quiet', 'HEAD'])).stdout.toString('utf8').trim();
  const parent = await resolveCommit(source, 'HEAD');
  await mustRun(store(['add', '--all', '--', '.']), 'cannot be read', root);
  const tree = await textOf(store(['write-tree']), 'cannot be read', root);
  const parentTree = parent === undefined ? '' : await textOf(store(['rev-parse', `${parent}^{tree}`]), 'cannot be read', root);
  const isDirty = parent === undefined || tree !== parentTree;
  const commit = parent !== undefined && !isDirty ? parent : await commitTree(store, tree, parent, root);
  await copyReferences(source, store, { ref: branchRef === '' ? 'HEAD' : branchRef, commit }, root);
  return { commit, branch: branchRef.replace(/^refs\/heads\//, '') || 'HEAD', isDirty };
}

type Runner = (
  args: readonly string[],
  extra?: { input?: string; env?: Record<string, string> },
) => Promise<{ status: number; stdout: Buffer }>;

/** Runs git with the store as repository and the checkout as working tree. */
function storeRunner(root: string, storeDir: string, world: World, signal: AbortSignal | undefined): Runner {
  const places = { GIT_DIR: storeDir, GIT_WORK_TREE: root, GIT_INDEX_FILE: join(storeDir, 'snapshot-index') };
  const own = settings({ 'core.bare': 'false', 'safe.directory': '*', 'core.autocrlf': 'false', 'advice.addEmbeddedRepo': 'false' });
  return (args, { input = '', env = {} } = {}) =>
    runCommand(
      {
        program: 'git',
        args: [...HARDENED_SETTINGS, ...own, ...args],
        env: { ...gitEnvironment(world.env, { home: storeDir }), ...places, ...env },
        cwd: root,
        input,
        timeoutMs: TIMEOUT_MS,
        maxOutputBytes: MAX_OUTPUT_BYTES,
      },
      world,
      signal,
    );
}

async function prepareStore(root: string, storeDir: string, world: World): Promise<void> {
  const { gitDir, commonDir } = repositoryPlaces(root);
  await world.outside(() => mkdir(storeDir, { recursive: true, mode: 0o700 }));
  await mustRun(localRunner(storeDir, world)(['init', '--quiet', '--bare', '--template=']), 'cannot be copied', root);
  await world.outside(async () => {
    await mkdir(join(storeDir, 'info'), { recursive: true });
    await writeFile(join(storeDir, 'objects/info/alternates'), `${join(commonDir, 'objects')}\n`);
    await writeFile(join(storeDir, 'info/exclude'), await excludes(commonDir, world));
    // A copy of the index spares reading files that have not changed.
    await copyFile(join(gitDir, 'index'), join(storeDir, 'snapshot-index')).catch(ignoreAbsent);
  });
}

/** What this user never commits: the repository's own list and the user's. */
async function excludes(commonDir: string, world: World): Promise<string> {
  const home = world.env['HOME'] ?? homedir();
  const userFiles = [
    join(world.env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'git/ignore'),
    join(home, '.gitignore_global'),
    join(home, '.gitignore'),
  ];
  const texts = [];
  for (const path of [...userFiles, join(commonDir, 'info/exclude')]) texts.push((await readFile(path, 'utf8').catch(ignoreAbsent)) ?? '');
  return `${texts.join('\n')}\n`;
}

function ignoreAbsent(error: unknown): undefined {
  if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error))) return undefined;
  throw error;
}

/** Author and time are fixed by the parent, so that the same content makes the same commit. */
async function commitTree(store: Runner, tree: string, parent: string | undefined, root: string): Promise<string> {
  const date =
    parent === undefined
      ? '@0 +0000'
      : await textOf(store(['show', '--no-patch', '--format=@%cd', '--date=raw', parent]), 'cannot be read', root);
  const [name = '', email = ''] = AUTHOR.split(/ <|>/);
  const env = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
  const parents = parent === undefined ? [] : ['-p', parent];
  return textOf(store(['commit-tree', tree, ...parents], { input: 'uncommitted changes\n', env }), 'cannot be committed', root);
}

async function copyReferences(
  source: ReturnType<typeof localRunner>,
  store: Runner,
  head: { ref: string; commit: string },
  root: string,
): Promise<void> {
  const wanted = new Map(parse((await source(['for-each-ref', '--format=%(objectname) %(refname)'])).stdout));
  if (head.ref !== 'HEAD') wanted.set(head.ref, head.commit);
  const present = parse((await store(['for-each-ref', '--format=%(objectname) %(refname)'])).stdout);
  const lines = [
    ...present.filter(([ref]) => !wanted.has(ref)).map(([ref]) => `delete ${ref}\n`),
    ...[...wanted].map(([ref, hash]) => `update ${ref} ${hash}\n`),
  ];
  await mustRun(store(['update-ref', '--stdin'], { input: lines.join('') }), 'has references that cannot be copied', root);
  const point = head.ref === 'HEAD' ? ['update-ref', '--no-deref', 'HEAD', head.commit] : ['symbolic-ref', 'HEAD', head.ref];
  await mustRun(store(point), 'has references that cannot be copied', root);
}

function parse(listing: Buffer): [string, string][] {
  const lines = listing
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]);
}

async function mustRun(running: Promise<{ status: number; stdout: Buffer }>, what: string, directory: string): Promise<Buffer> {
  const { status, stdout } = await running;
  if (status !== 0) throw new SottoError('GIT_FAILED', `${directory} ${what}`, { retry: true });
  return stdout;
}

async function textOf(running: Promise<{ status: number; stdout: Buffer }>, what: string, directory: string): Promise<string> {
  return (await mustRun(running, what, directory)).toString('utf8').trim();
}
