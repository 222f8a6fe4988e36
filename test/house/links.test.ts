import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'sotto-links-'));
const run = (program: string, ...args: string[]): string =>
  execFileSync(process.execPath, [join(folder, program), ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(() => {
  for (const program of ['sops', 'age-keygen', 'kustomize']) symlinkSync(join(root, 'bin/sotto.js'), join(folder, program));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a link named after a program is that program', () => {
  expect(run('sops', '--version')).toMatch(/^sops \d/);
  expect(run('age-keygen')).toMatch(/^# created: .*\n# public key: age1\w+\nAGE-SECRET-KEY-1\w+\n$/);
  expect(run('kustomize', 'build', join(root, 'examples/fleet/clusters/home'))).toMatch(
    /^apiVersion: kustomize\.toolkit\.fluxcd\.io\/v1\n/,
  );
});

it('`sotto NAME` is the same program', () => {
  const direct = execFileSync(process.execPath, [join(root, 'bin/sotto.js'), 'sops', '--version'], { encoding: 'utf8' });
  expect(direct).toBe(run('sops', '--version'));
});
