import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';

import { assert, boolean, dictionary, property, record, stringMatching, uint8Array } from 'fast-check';
import { extract, pack, type Header } from 'tar-stream';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { codeOf } from '../../base/errors/index.ts';
import { diskTree, memoryTree, type Tree } from '../../base/files/index.ts';
import { digestOf, hasDigest, packTree, unpackTree } from './index.ts';

/** Reads an archive with an independent implementation. */
async function headersOf(archive: Uint8Array): Promise<Header[]> {
  const headers: Header[] = [];
  for await (const entry of Readable.from([gunzipSync(archive)]).pipe(extract())) {
    headers.push(entry.header);
    entry.resume();
  }
  return headers;
}

async function archiveOf(entries: readonly (Partial<Header> & { name: string; body?: string })[]): Promise<Uint8Array> {
  const packer = pack();
  for (const { body, ...header } of entries) packer.entry(header, body ?? '');
  packer.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of packer) parts.push(part as Uint8Array);
  return gzipSync(Buffer.concat(parts));
}

function filesOf(tree: Tree, path = ''): Record<string, string> {
  return Object.assign(
    {},
    ...tree.list(path).map((name) => {
      const child = path === '' ? name : `${path}/${name}`;
      if (tree.kind(child) === 'directory') return filesOf(tree, child);
      return { [child]: `${tree.isExecutable(child) ? 'x:' : ''}${Buffer.from(tree.read(child) ?? []).toString()}` };
    }),
  ) as Record<string, string>;
}

describe('packTree', () => {
  it('SRC-03: writes the root and every directory before its files, in walk order, without owners and times', async () => {
    const tree = memoryTree(
      new Map<string, string | { bytes: Uint8Array; executable: boolean }>([
        ['b.txt', 'b'],
        ['b/run.sh', { bytes: Buffer.from('#!'), executable: true }],
        ['a/x.yaml', 'x'],
      ]),
      ['empty'],
    );
    const headers = await headersOf(packTree(tree));
    expect(headers.map(({ name, type, mode }) => [name, type, mode?.toString(8)])).toEqual([
      ['.', 'directory', '750'],
      ['a', 'directory', '750'],
      ['a/x.yaml', 'file', '600'],
      ['b', 'directory', '750'],
      ['b/run.sh', 'file', '700'],
      ['b.txt', 'file', '600'],
      ['empty', 'directory', '750'],
    ]);
    for (const header of headers) {
      expect(header).toMatchObject({ uid: 0, gid: 0, uname: '', gname: '' });
      expect(header.mtime?.getTime()).toBe(0);
    }
  });

  it('SRC-03: gives the same bytes for the same tree', () => {
    const files = new Map([['a', 'one']]);
    expect(packTree(memoryTree(files))).toEqual(packTree(memoryTree(files)));
    expect(packTree(memoryTree(files))).not.toEqual(packTree(memoryTree(new Map([['a', 'two']]))));
  });

  it('SRC-03: leaves symbolic links out', () => {
    const root = mkdtempSync(join(tmpdir(), 'sotto-pack-'));
    cleanups.push(() => rmSync(root, { recursive: true }));
    mkdirSync(join(root, 'dir'));
    writeFileSync(join(root, 'dir/file'), 'text');
    symlinkSync('dir', join(root, 'link'));
    symlinkSync('dir/file', join(root, 'other'));
    expect(filesOf(unpackTree(packTree(diskTree(root))))).toEqual({ 'dir/file': 'text' });
  });

  it('SRC-03: carries long and non-ASCII names', async () => {
    const names = [`${'d'.repeat(90)}/${'f'.repeat(120)}`, 'grüße/日本.yaml', `x${'é'.repeat(49)}`];
    const archive = packTree(memoryTree(new Map(names.map((name) => [name, name]))));
    const read = (await headersOf(archive)).filter(({ type }) => type === 'file').map(({ name }) => name);
    expect(new Set(read)).toEqual(new Set(names));
    expect(new Set(Object.keys(filesOf(unpackTree(archive))))).toEqual(new Set(names));
  });

  it('SRC-03/SRC-05: unpackTree gives back what packTree wrote', () => {
    const name = stringMatching(/^[a-zA-Zé_. -]{1,60}$/).filter((text) => !/^\.+$/.test(text));
    const file = record({ bytes: uint8Array({ maxLength: 1500 }), executable: boolean() });
    assert(
      property(dictionary(name, file, { maxKeys: 8 }), dictionary(name, file, { maxKeys: 4 }), (top, nested) => {
        const files = new Map([
          ...Object.entries(top),
          ...Object.entries(nested).map(([key, value]) => [`nested-9/${key}`, value] as const),
        ]);
        const tree = unpackTree(packTree(memoryTree(files)));
        for (const [path, { bytes, executable }] of files) {
          expect(Buffer.from(tree.read(path) ?? [])).toEqual(Buffer.from(bytes));
          expect(tree.isExecutable(path)).toBe(executable);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('unpackTree', () => {
  const refused: readonly (readonly [string, Partial<Header> & { name: string }, string])[] = [
    ['an absolute name', { name: '/etc/passwd' }, 'ARTIFACT_NAME_INVALID'],
    ['a name that climbs', { name: 'a/../../b' }, 'ARTIFACT_NAME_INVALID'],
    ['a name that climbs and comes back', { name: 'a/../b' }, 'ARTIFACT_NAME_INVALID'],
    ['the parent itself', { name: '..', type: 'directory' }, 'ARTIFACT_NAME_INVALID'],
    ['a name with a backslash', { name: 'a\\b' }, 'ARTIFACT_NAME_INVALID'],
    ['an empty name', { name: '' }, 'ARTIFACT_NAME_INVALID'],
    ['a device', { name: 'null', type: 'character-device' }, 'ARTIFACT_TYPE_UNSUPPORTED'],
    ['a pipe', { name: 'pipe', type: 'fifo' }, 'ARTIFACT_TYPE_UNSUPPORTED'],
    ['a hard link', { name: 'hard', type: 'link', linkname: 'a' }, 'ARTIFACT_TYPE_UNSUPPORTED'],
  ];
  it.each(refused)('SRC-05: refuses %s', async (_what, entry, code) => {
    const archive = await archiveOf([{ name: 'ok', body: 'x' }, entry]);
    expect(codeOf(thrown(() => unpackTree(archive)))).toBe(code);
  });

  it('SRC-05: skips symbolic links', async () => {
    const archive = await archiveOf([
      { name: 'link', type: 'symlink', linkname: '/etc' },
      { name: 'file', body: 'x' },
    ]);
    expect(filesOf(unpackTree(archive))).toEqual({ file: 'x' });
  });

  it('SRC-05: reads archives of other writers, with and without trailing slashes', async () => {
    const archive = await archiveOf([
      { name: './', type: 'directory' },
      { name: './a/', type: 'directory' },
      { name: './a/f', body: 'x', mode: 0o755 },
      { name: `long/${'n'.repeat(180)}`, body: 'y' },
    ]);
    expect(filesOf(unpackTree(archive))).toEqual({ 'a/f': 'x:x', [`long/${'n'.repeat(180)}`]: 'y' });
  });

  it('refuses archives with too many entries or too many bytes', async () => {
    const archive = packTree(memoryTree(new Map([['a', '0'.repeat(100_000)]])));
    expect(codeOf(thrown(() => unpackTree(archive, { maxEntries: 1, maxBytes: 1e9 })))).toBe('ARTIFACT_TOO_LARGE');
    expect(codeOf(thrown(() => unpackTree(archive, { maxEntries: 10, maxBytes: 50_000 })))).toBe('ARTIFACT_TOO_LARGE');
  });

  it('refuses what is no gzip or a tar that is cut short', () => {
    expect(codeOf(thrown(() => unpackTree(Buffer.from('plain'))))).toBe('ARTIFACT_GZIP_INVALID');
    const tar = gunzipSync(packTree(memoryTree(new Map([['a', '0'.repeat(5000)]]))));
    expect(codeOf(thrown(() => unpackTree(gzipSync(tar.subarray(0, 2000)))))).toBe('ARTIFACT_TAR_INVALID');
    tar[0] = 0x7a;
    expect(codeOf(thrown(() => unpackTree(gzipSync(tar))))).toBe('ARTIFACT_TAR_INVALID');
  });
});

describe('digestOf', () => {
  it('SRC-05: a digest names its algorithm, and without a name it is sha256', () => {
    const bytes = Buffer.from('abc');
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(digestOf(bytes)).toBe(`sha256:${sha256}`);
    expect(hasDigest(bytes, sha256)).toBe(true);
    expect(hasDigest(bytes, digestOf(bytes, 'sha384'))).toBe(true);
    expect(hasDigest(bytes, digestOf(bytes, 'sha512'))).toBe(true);
    expect(hasDigest(Buffer.from('abd'), `sha256:${sha256}`)).toBe(false);
    expect(codeOf(thrown(() => hasDigest(bytes, 'md5:00')))).toBe('ARTIFACT_DIGEST_UNSUPPORTED');
  });
});

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

function thrown(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
