import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { decrypted, encrypted, fileOf, root, SECOND_RECIPIENT, sops, vector, type Result } from './testing.ts';

afterAll(() => rmSync(root, { recursive: true, force: true }));

const BASE = '# about a\na: one\nb:\n    c: two\n    d: 3\nlist:\n    - x\n';

/** A side of a merge: the base file with some values set. */
async function side(base: string, ...changes: readonly (readonly string[])[]): Promise<string> {
  const { cwd } = await sops(['filestatus', 'x.yaml'], { files: { 'x.yaml': base } });
  for (const change of changes) expect((await sops(change, { cwd })).code).toBe(0);
  return readFileSync(join(cwd, 'x.yaml'), 'utf8');
}

function merge(base: string, ours: string, theirs: string, env: Record<string, string> = {}): Promise<Result> {
  return sops(['git', 'merge', 'base', 'ours', 'theirs', 'x.yaml'], { files: { base, ours, theirs }, env });
}

const token = (text: string, key: string): string => new RegExp(`^ *${key}: (ENC.*)$`, 'm').exec(text)?.[1] ?? '';

describe('sops git', () => {
  it('SOPS-15: merges values of both sides; what nobody touched keeps its ciphertext', async () => {
    const base = await encrypted(BASE);
    const ours = await side(base, ['set', 'x.yaml', '["b"]["c"]', '"ours"']);
    const theirs = await side(
      base,
      ['set', 'x.yaml', '["b"]["d"]', '4'],
      ['set', 'x.yaml', '["e"]', '"new"'],
      ['unset', 'x.yaml', '["list"]'],
    );
    const result = await merge(base, ours, theirs);
    expect(result).toMatchObject({ code: 0, err: '' });
    const merged = fileOf(result, 'ours');
    expect(await decrypted(merged)).toBe('# about a\na: one\nb:\n    c: ours\n    d: 4\ne: new\n');
    expect(token(merged, 'a')).toBe(token(base, 'a'));
    expect(token(merged, 'c')).toBe(token(ours, 'c'));
    expect(token(merged, 'd')).toBe(token(theirs, 'd'));
  });

  it('names a value that both sides changed, and merges the rest', async () => {
    const base = await encrypted(BASE);
    const ours = await side(base, ['set', 'x.yaml', '["a"]', '"left-secret"']);
    const theirs = await side(base, ['set', 'x.yaml', '["a"]', '"right-secret"'], ['set', 'x.yaml', '["b"]["d"]', '4']);
    const result = await merge(base, ours, theirs);
    expect(result.code).toBe(1);
    expect(result.err).toContain('both sides changed a;');
    expect(result.err).not.toContain('secret');
    expect(await decrypted(fileOf(result, 'ours'))).toMatch(/a: left-secret\n[\s\S]*d: 4\n/);
  });

  it('keeps a rotation of one side, and refuses recipients changed on both', async () => {
    const base = await encrypted(BASE);
    const rotated = await side(base, ['rotate', '-i', '--add-age', SECOND_RECIPIENT, 'x.yaml']);
    const changed = await side(base, ['set', 'x.yaml', '["a"]', '"new"']);
    for (const [ours, theirs] of [
      [rotated, changed],
      [changed, rotated],
    ] as const) {
      const result = await merge(base, ours, theirs);
      expect(result.code).toBe(0);
      expect(fileOf(result, 'ours')).toContain(SECOND_RECIPIENT);
      expect(await decrypted(fileOf(result, 'ours'))).toContain('a: new\n');
    }
    const third = /age1pq1\w+/.exec(readFileSync(vector('TEST-KEY-hybrid.agekey'), 'utf8'))?.[0] ?? '';
    const other = await side(base, ['rotate', '-i', '--add-age', third, 'x.yaml']);
    const refused = await merge(base, rotated, other);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('both sides changed the recipients');
    expect(fileOf(refused, 'ours')).toBe(rotated);
  });

  it('textconv masks values, needs no key, and shows what changed', async () => {
    const text = await encrypted('a: secret\nb_unencrypted: plain\n');
    const run = await sops(['git', 'textconv', 'x.yaml'], {
      files: { 'x.yaml': text, 'plain.yaml': 'a: 1\n' },
      env: { SOPS_AGE_KEY_FILE: '' },
    });
    expect(run.out).toMatch(/^a: '?\*\*\* [0-9a-f]{8}'?\nb_unencrypted: plain\nsops: group 1: age age1/);
    expect(run.out).not.toContain('secret');
    expect((await sops(['git', 'textconv', 'plain.yaml'], { cwd: run.cwd })).out).toBe('a: 1\n');
    expect((await sops(['git', 'textconv', '--show-values', 'x.yaml'], { cwd: run.cwd })).out).toContain('a: secret');
  });

  it('installs the drivers once', async () => {
    const start = await sops(['filestatus', 'x.yaml'], { files: { 'x.yaml': 'a: 1\n', '.gitattributes': '* text' } });
    const git = (...argv: string[]): string => execFileSync('git', argv, { cwd: start.cwd, encoding: 'utf8' });
    git('init', '-q');
    for (const _time of [1, 2]) expect((await sops(['git', 'install', '*.secret.yaml'], { cwd: start.cwd })).code).toBe(0);
    expect(fileOf(start, '.gitattributes')).toBe('* text\n*.secret.yaml merge=sops diff=sops\n');
    expect(git('config', 'merge.sops.driver')).toBe('sotto sops git merge %O %A %B %P\n');
    expect(git('check-attr', 'merge', 'a/b.secret.yaml')).toContain('merge: sops');
  });
});
