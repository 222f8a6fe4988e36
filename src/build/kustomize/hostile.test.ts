import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { diskTree, memoryTree } from '../../base/files/index.ts';
import { build, renderYaml, type BuildResult } from './index.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

function run(files: Files): BuildResult {
  return build({ tree: memoryTree(new Map(Object.entries(files))), path: '', order: 'fifo', loadRestrictor: 'root-only' });
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SottoError) return error.code;
    throw error;
  }
  return 'builds';
}

const OBJECT = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
const RESOURCE = 'resources: [a.yaml]\n';
/** Nine letters, each nine times the one before: 9^9 nodes. */
const ALIAS_BOMB = 'abcdefghi'
  .split('')
  .map(
    (letter, index) =>
      `${letter}: &${letter} [${Array<string>(9)
        .fill(index === 0 ? 'x' : `*${'abcdefghi'.charAt(index - 1)}`)
        .join(',')}]\n`,
  )
  .join('');
const MERGE_BOMB = Array.from(
  { length: 40 },
  (_, i) => `m${i}: &m${i} {<<: [${i === 0 ? '' : `*m${i - 1}, *m${i - 1}`}], k${i}: 1}\n`,
).join('');

describe('KZ-74: text that grows when it is read ends with a named error', () => {
  it.each<[string, Files, RegExp]>([
    ['aliases in an object', { 'kustomization.yaml': RESOURCE, 'a.yaml': OBJECT + ALIAS_BOMB }, /^YAML_LIMIT$/],
    ['aliases in the kustomization file', { 'kustomization.yaml': ALIAS_BOMB + RESOURCE }, /^YAML_LIMIT$/],
    [
      'aliases in a patch',
      { 'kustomization.yaml': `${RESOURCE}patches: [{path: p.yaml}]\n`, 'a.yaml': OBJECT, 'p.yaml': OBJECT + ALIAS_BOMB },
      /^KUSTOMIZE_PATCH$/,
    ],
    ['merge keys', { 'kustomization.yaml': RESOURCE, 'a.yaml': OBJECT + MERGE_BOMB }, /^YAML_LIMIT$/],
    ['an alias of itself', { 'kustomization.yaml': RESOURCE, 'a.yaml': `${OBJECT}x: &x [*x]\n` }, /^YAML_SYNTAX$/],
    ['deep brackets', { 'kustomization.yaml': RESOURCE, 'a.yaml': '['.repeat(100_000) }, /^YAML_LIMIT$/],
    [
      'deep indentation',
      { 'kustomization.yaml': RESOURCE, 'a.yaml': Array.from({ length: 3_000 }, (_, i) => `${' '.repeat(i)}a:\n`).join('') },
      /^YAML_LIMIT$/,
    ],
  ])('%s', (_, files, code) => {
    expect(codeOf(() => run(files))).toMatch(code);
  });
});

describe('KZ-74: files of 100 MB are refused by their size', () => {
  const big = Buffer.alloc(100_000_000, 'a: b\n');
  it.each<[string, Files]>([
    ['a resource', { 'kustomization.yaml': 'resources: [big]\n', big }],
    ['the input of a generator', { 'kustomization.yaml': 'secretGenerator: [{name: s, files: [big]}]\n', big }],
    ['an env file', { 'kustomization.yaml': 'secretGenerator: [{name: s, envs: [big]}]\n', big }],
    ['the kustomization file', { 'kustomization.yaml': big }],
    ['a file of half as many bytes, all line ends', { 'kustomization.yaml': 'resources: [big]\n', big: Buffer.alloc(32_000_000, '-\n') }],
  ])('%s', (_, files) => {
    expect(codeOf(() => run(files))).toBe('KUSTOMIZE_LIMIT');
  });

  it('a patch', () => {
    const files = { 'kustomization.yaml': `${RESOURCE}patches: [{path: big}]\n`, 'a.yaml': OBJECT, big };
    expect(() => run(files)).toThrow(/'big' has 100000000 bytes, more than/);
  });
});

describe('KZ-74: many files, and junk', () => {
  it('100,000 files beside the kustomization cost nothing', () => {
    const files: Record<string, string> = { 'kustomization.yaml': RESOURCE, 'a.yaml': OBJECT };
    for (let i = 0; i < 100_000; i++) files[`many/${i % 100}/${i}.yaml`] = OBJECT;
    const tree = memoryTree(new Map(Object.entries(files)));
    const read: string[] = [];
    const watched = { ...tree, read: (path: string) => (read.push(path), tree.read(path)) };
    expect(build({ tree: watched, path: '', order: 'fifo', loadRestrictor: 'none' }).objects).toHaveLength(1);
    expect(new Set(read)).toEqual(new Set(['kustomization.yaml', 'a.yaml']));
  });

  it('100,000 listed files end in bounded time', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `f${i}`);
    const files: Record<string, string> = { 'kustomization.yaml': `resources: [${names.join(',')}]\n` };
    for (const name of names) files[name] = `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}`;
    expect(run(files).objects).toHaveLength(100_000);
  }, 120_000);

  const junk = new Uint8Array(200_000);
  for (let i = 0, state = 1; i < junk.length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    junk[i] = state >> 16;
  }
  it.each<[string, Files, RegExp]>([
    ['resource', { 'kustomization.yaml': RESOURCE, 'a.yaml': junk }, /^YAML_|^KUSTOMIZE_/],
    ['kustomization file', { 'kustomization.yaml': junk }, /^YAML_|^KUSTOMIZE_/],
    ['patch', { 'kustomization.yaml': `${RESOURCE}patches: [{path: p}]\n`, 'a.yaml': OBJECT, p: junk }, /^KUSTOMIZE_PATCH$/],
    ['env file', { 'kustomization.yaml': 'configMapGenerator: [{name: c, envs: [p]}]\n', p: junk }, /^KUSTOMIZE_/],
    ['configuration', { 'kustomization.yaml': 'configurations: [p]\nnamePrefix: a\n', p: junk }, /^YAML_|^KUSTOMIZE_/],
    ['schema', { 'kustomization.yaml': 'openapi: {path: p}\nnamePrefix: a\n', p: junk }, /^YAML_|^KUSTOMIZE_/],
    ['CRD', { 'kustomization.yaml': 'crds: [p]\nnamePrefix: a\n', p: junk }, /^YAML_|^KUSTOMIZE_/],
  ])('random bytes as a %s are a named error', (_, files, code) => {
    const found = codeOf(() => run(files));
    expect(found).toMatch(code);
    expect(found).not.toBe('KUSTOMIZE_INTERNAL');
  });

  it('random bytes are data for a generator', () => {
    expect(run({ 'kustomization.yaml': 'configMapGenerator: [{name: c, files: [p]}]\n', p: junk }).objects).toHaveLength(1);
  });
});

describe('KZ-74: keys that name prototypes are ordinary keys', () => {
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
  it.each(keys)('%s in an object, a patch, labels and generators', (key) => {
    const result = run({
      'kustomization.yaml': `${RESOURCE}configMapGenerator: [{name: g, literals: ["${key}=v"]}]
labels: [{pairs: {"${key}": l}}]
patches:
- path: p.yaml
- target: {name: a}
  patch: |
    - {op: add, path: "/data/${key}2", value: w}
    - {op: add, path: "/${key}", value: {x: y}}
replacements:
- sourceValue: r
  targets: [{select: {name: a}, fieldPaths: ["data.${key}3"], options: {create: true}}]
`,
      'a.yaml': `${OBJECT}data: {"${key}": old}\n`,
      'p.yaml': `${OBJECT}data: {"${key}": new}\n`,
    });
    const text = renderYaml(result);
    for (const line of [`  ${key}: new`, `  ${key}2: w`, `  ${key}3: r`, `    ${key}: l`, `  ${key}: v`, `${key}:`])
      expect(text).toContain(line);
    expect(({} as { x?: unknown; new?: unknown }).x).toBeUndefined();
  });

  it.each(keys)('%s is no kind of a plugin, and no field of the kustomization file', (key) => {
    expect(codeOf(() => run({ 'kustomization.yaml': `"${key}": {x: y}\nresources: []\n` }))).toBe('KUSTOMIZE_INVALID_FILE');
    const plugin = `apiVersion: builtin\nkind: "${key}"\nmetadata: {name: x}\n`;
    for (const field of ['transformers', 'generators']) {
      expect(codeOf(() => run({ 'kustomization.yaml': `${field}: [a.yaml]\n`, 'a.yaml': plugin }))).toBe('KUSTOMIZE_PLUGIN');
    }
  });
});

describe('KZ-62, KZ-63: links on disk', () => {
  const root = mkdtempSync(join(tmpdir(), 'sotto-hostile-'));
  afterAll(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'source/app'), { recursive: true });
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside/kustomization.yaml'), 'resources: []\n');
  writeFileSync(join(root, 'outside/secret'), OBJECT);
  const link = (target: string, path: string): void => symlinkSync(target, join(root, 'source/app', path));
  link('../../outside', 'directory');
  link('../../outside/secret', 'file');
  link(join(root, 'outside/secret'), 'absolute');
  link('/etc/passwd', 'passwd');
  link('loop', 'loop');
  link('file', 'chain');
  link('.', 'self');
  link('..', 'parent');
  link('/dev/zero', 'endless');

  it.each([
    ['resources: [directory]', 'KUSTOMIZE_LOAD'],
    ['components: [directory]', 'KUSTOMIZE_LOAD'],
    ['resources: [directory/secret]', 'KUSTOMIZE_LOAD'],
    ['resources: [file]', 'KUSTOMIZE_LOAD'],
    ['resources: [absolute]', 'KUSTOMIZE_LOAD'],
    ['resources: [chain]', 'KUSTOMIZE_LOAD'],
    ['resources: [loop]', 'KUSTOMIZE_LOAD'],
    ['secretGenerator: [{name: s, files: [passwd]}]', 'KUSTOMIZE_LOAD'],
    ['secretGenerator: [{name: s, files: [endless]}]', 'KUSTOMIZE_LOAD'],
    ['resources: [self]', 'KUSTOMIZE_CYCLE'],
    ['resources: [parent/app]', 'KUSTOMIZE_CYCLE'],
    ['resources: [parent]', 'KUSTOMIZE_CYCLE'],
  ])('%s is refused', (rootFile, code) => {
    const tree = diskTree(join(root, 'source'));
    for (const loadRestrictor of ['root-only', 'none'] as const) {
      expect(codeOf(() => build({ tree, path: 'app', order: 'fifo', loadRestrictor, rootFile: `${rootFile}\n` }))).toBe(code);
    }
  });
});
