import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import { rotationReport } from '../../secrets/sops/index.ts';
import { encrypted, fileOf, RECIPIENT, root, SECOND_RECIPIENT, sops } from './testing.ts';

afterAll(() => rmSync(root, { recursive: true, force: true }));

const PLAIN = 'a: one\nb:\n    c: two\n';

describe('sops rotate --report', () => {
  it('SOPS-54: proves the change and names the commits that a removed key still opens', async () => {
    const start = await sops(['filestatus', 'x.yaml'], { files: { 'x.yaml': await encrypted(PLAIN) } });
    const { cwd } = start;
    const git = (...argv: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...argv], { cwd, encoding: 'utf8' });
    git('init', '-q');
    git('add', 'x.yaml');
    git('commit', '-qm', 'one');
    const first = git('rev-parse', 'HEAD').slice(0, 12);
    expect((await sops(['rotate', '-i', '--add-age', SECOND_RECIPIENT, 'x.yaml'], { cwd })).code).toBe(0);
    git('commit', '-qam', 'two');
    const run = await sops(['rotate', '-i', '--rm-age', SECOND_RECIPIENT, '--report', 'x.yaml'], { cwd });
    expect(run).toMatchObject({ code: 0, out: '' });
    expect(run.err).toContain(`removed keys: ${SECOND_RECIPIENT}\n`);
    expect(run.err).toContain('wrapped data keys that stayed: none\n');
    expect(run.err).toContain('encrypted values that stayed: none (of 2)');
    expect(run.err).toContain(`opens this file: ${git('rev-parse', 'HEAD').slice(0, 12)}\n`);
    expect(run.err).not.toContain(first);
    expect(run.err).toContain('change at their source: a, b.c');
    expect(fileOf(run, 'x.yaml')).not.toContain(SECOND_RECIPIENT);
  });

  it('finds what a mere change of recipients leaves', async () => {
    const before = await encrypted(PLAIN);
    const { cwd } = await sops(['updatekeys', '-y', 'x.yaml'], {
      files: { 'x.yaml': before, '.sops.yaml': `creation_rules:\n  - age: ${RECIPIENT},${SECOND_RECIPIENT}\n` },
    });
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const report = rotationReport(bytes(before), bytes(fileOf({ cwd }, 'x.yaml')), 'yaml');
    expect(report).toMatchObject({ added: [SECOND_RECIPIENT], removed: [], sameTokens: ['a', 'b.c'] });
    expect(rotationReport(bytes(before), bytes(before), 'yaml').sameWrappedKeys).toEqual([RECIPIENT]);
  });

  it('needs --in-place', async () => {
    expect((await sops(['rotate', '--report', 'x.yaml'], { files: { 'x.yaml': await encrypted(PLAIN) } })).code).toBe(8);
  });
});
