import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import { decrypted, encrypted, fileOf, RECIPIENT, root, SECOND_KEY_FILE, SECOND_RECIPIENT, sops } from './testing.ts';

afterAll(() => rmSync(root, { recursive: true, force: true }));

const RULE = `creation_rules:\n  - path_regex: \\.enc\\.yaml$\n    age: ${RECIPIENT}\n`;

describe('commands over a tree', () => {
  it('SOPS-50: encrypt -r encrypts what a rule names and nothing else; a dry run only says so', async () => {
    const files = {
      '.sops.yaml': RULE,
      'a/x.enc.yaml': 'a: 1\n',
      'b.enc.yaml': 'b: 2\n',
      'plain.yaml': 'c: 3\n',
      'a/done.enc.yaml': await encrypted('d: 4\n'),
    };
    const dry = await sops(['encrypt', '-r', '--dry-run', '.'], { files });
    expect(dry.out.split('\n').toSorted().join('\n')).toMatch(/^\na\/x\.enc\.yaml: would encrypt.*\nb\.enc\.yaml: would encrypt/);
    expect(fileOf(dry, 'b.enc.yaml')).toBe('b: 2\n');
    const run = await sops(['encrypt', '-r', '.'], { cwd: dry.cwd });
    expect(run).toMatchObject({ code: 0, out: '' });
    expect(await decrypted(fileOf(run, 'a/x.enc.yaml'))).toBe('a: 1\n');
    expect(fileOf(run, 'plain.yaml')).toBe('c: 3\n');
    expect(fileOf(run, 'a/done.enc.yaml')).toBe(files['a/done.enc.yaml']);
    expect(run.err).toContain('2 concerned, 0 failed');
  });

  it('SOPS-55: updatekeys -r changes the files whose keys differ', async () => {
    const files = { '.sops.yaml': RULE.replace(RECIPIENT, `${RECIPIENT},${SECOND_RECIPIENT}`), 'a/x.enc.yaml': await encrypted('a: 1\n') };
    const dry = await sops(['updatekeys', '-r', '--dry-run'], { files });
    expect(dry.out).toContain(`a/x.enc.yaml: would keys +${SECOND_RECIPIENT}`.replace('would keys', 'would change the keys:'));
    expect(fileOf(dry, 'a/x.enc.yaml')).toBe(files['a/x.enc.yaml']);
    const run = await sops(['updatekeys', '-r'], { cwd: dry.cwd });
    expect(run.code).toBe(0);
    expect(await decrypted(fileOf(run, 'a/x.enc.yaml'), 'x.yaml', { SOPS_AGE_KEY_FILE: SECOND_KEY_FILE })).toBe('a: 1\n');
    expect((await sops(['updatekeys', '-r'], { cwd: dry.cwd })).err).toContain('0 concerned, 0 failed');
  });

  it('SOPS-54: rotate -r gives every file a new data key', async () => {
    const before = await encrypted('a: 1\n');
    const run = await sops(['rotate', '-r', '.'], { files: { '.sops.yaml': RULE, 'x.enc.yaml': before, 'y.enc.yaml': 'plain: 1\n' } });
    expect(run.code).toBe(0);
    expect(fileOf(run, 'x.enc.yaml')).not.toBe(before);
    expect(await decrypted(fileOf(run, 'x.enc.yaml'))).toBe('a: 1\n');
    expect(fileOf(run, 'y.enc.yaml')).toBe('plain: 1\n');
  });

  it('SOPS-04: verify tells a good file from a changed one, and shows no value', async () => {
    const good = await encrypted('a: secret\nb_unencrypted: shown\n');
    const files = { 'good.yaml': good, 'bad.yaml': good.replace('shown', 'changed') };
    const one = await sops(['verify', 'good.yaml'], { files });
    expect(one).toMatchObject({ code: 0 });
    expect(one.out).toContain('good.yaml: MAC verified');
    expect(one.out).not.toContain('secret');
    expect((await sops(['verify', 'bad.yaml'], { cwd: one.cwd })).code).toBe(51);
    const all = await sops(['verify', '-r', '.'], { cwd: one.cwd });
    expect(all.code).toBe(1);
    expect(all.err).toContain('bad.yaml: ');
    expect(all.err).toContain('2 concerned, 1 failed');
  });

  it('a dry run of one file is refused', async () => {
    expect((await sops(['rotate', '--dry-run', 'x.yaml'], { files: { 'x.yaml': await encrypted('a: 1\n') } })).code).toBe(8);
  });
});
