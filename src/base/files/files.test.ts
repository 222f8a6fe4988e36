import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  diskTree,
  joinPath,
  makePrivateDirectory,
  memoryTree,
  overlayTree,
  privateTemporaryDirectory,
  sweepTemporaryDirectories,
  writeFileAtomic,
  writePrivateFile,
} from './index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const mode = (path: string): number => statSync(path).mode & 0o777;

describe('atomic writes', () => {
  it('replace the content, keep the mode, leave nothing beside it', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'old');
    chmodSync(path, 0o640);
    await writeFileAtomic(path, 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(mode(path)).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('a private file is 0600 whatever it was before, its folder 0700', async () => {
    const inner = join(folder, 'x', 'y');
    await makePrivateDirectory(inner);
    writeFileSync(join(inner, 'k'), '', { mode: 0o644 });
    await writePrivateFile(join(inner, 'k'), 'v');
    expect([mode(inner), mode(join(inner, 'k'))]).toEqual([0o700, 0o600]);
  });

  it('a failed write leaves the old file and no temporary one', async () => {
    const target = join(folder, 'directory');
    mkdirSync(target);
    await expect(writeFileAtomic(target, 'x')).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['directory']);
  });

  it('a temporary directory is private', async () => {
    const path = await privateTemporaryDirectory();
    expect(mode(path)).toBe(0o700);
    rmSync(path, { recursive: true });
    expect(existsSync(path)).toBe(false);
  });
});

describe('what a crash left behind', () => {
  it('is swept when its process is gone, and only then', async () => {
    const mine = await privateTemporaryDirectory('sotto-sweep-');
    const gone = spawnSync(process.execPath, ['-e', '0']).pid;
    const left = mine.replace(`-${process.pid}-`, `-${gone}-`);
    mkdirSync(left, { mode: 0o700 });
    writeFileSync(join(left, 'secret'), 'x');
    expect(await sweepTemporaryDirectories()).toBeGreaterThanOrEqual(1);
    expect([existsSync(left), existsSync(mine)]).toEqual([false, true]);
    rmSync(mine, { recursive: true });
  });
});

describe('joinPath', () => {
  it.each([
    [['a', './b/../c'], 'a/c'],
    [['a', '..'], ''],
    [['', './'], ''],
    [['a', '../..'], undefined],
    [['/etc'], undefined],
    [['a/b/'], 'a/b'],
  ])('%o → %s', (parts, result) => {
    expect(joinPath(...parts)).toBe(result);
  });
});

describe.each([
  ['memory', (files: Record<string, string>) => memoryTree(new Map(Object.entries(files)))],
  [
    'disk',
    (files: Record<string, string>) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(join(folder, path, '..'), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      return diskTree(folder);
    },
  ],
])('a tree in %s', (_name, make) => {
  it('knows files and directories', () => {
    const tree = make({ 'b/x.yaml': '1', 'b/a.yaml': '2', a: '3' });
    expect(tree.list('')).toEqual(['a', 'b']);
    expect(tree.list('b')).toEqual(['a.yaml', 'x.yaml']);
    expect([tree.kind('b'), tree.kind('a'), tree.kind('c'), tree.kind('')]).toEqual(['directory', 'file', undefined, 'directory']);
    expect(Buffer.from(tree.read('b/x.yaml') ?? []).toString()).toBe('1');
    expect(tree.read('b')).toBeUndefined();
    expect(tree.list('nowhere')).toEqual([]);
  });

  it('an overlay replaces and adds files', () => {
    const tree = overlayTree(
      make({ a: '1', 'b/c': '2' }),
      new Map([
        ['a', Buffer.from('new')],
        ['b/d', Buffer.from('added')],
      ]),
    );
    expect(Buffer.from(tree.read('a') ?? []).toString()).toBe('new');
    expect(tree.list('b')).toEqual(['c', 'd']);
  });
});

describe('a tree on disk', () => {
  it('links are followed inside the root and refused out of it', () => {
    writeFileSync(join(folder, 'real'), 'x');
    symlinkSync('real', join(folder, 'inside'));
    symlinkSync('/etc/passwd', join(folder, 'outside'));
    symlinkSync('loop', join(folder, 'loop'));
    const tree = diskTree(folder);
    expect(tree.resolve('inside')).toBe('real');
    expect([tree.read('outside'), tree.kind('outside'), tree.resolve('outside'), tree.kind('loop')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(tree.read('../etc/passwd')).toBeUndefined();
  });
});
