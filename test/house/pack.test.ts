import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const folder = mkdtempSync(join(tmpdir(), 'sotto-pack-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const npm = (args: string[], cwd: string): string =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

// `prepare` has built dist/ at install; building it again here would pull it away from under other tests.
it('a packed tarball installs into an empty folder and `npx sotto --version` answers', { timeout: 180_000 }, () => {
  const [packed] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root)) as {
    filename: string;
    files: { path: string }[];
  }[];
  const names = packed?.files.map((file) => file.path) ?? [];
  expect(names).toEqual(
    expect.arrayContaining(['bin/sotto.js', 'dist/cli.js', 'dist/THIRD-PARTY-NOTICES.txt', 'dist/sbom.cdx.json', 'LICENSE']),
  );
  expect(names.filter((name) => /\.test\.|^src\/|^test\//.test(name))).toEqual([]);
  npm(['init', '--yes'], folder);
  npm(['install', '--prefer-offline', '--no-audit', join(folder, packed?.filename ?? '')], folder);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(execFileSync('npx', ['sotto', '--version'], { cwd: folder, encoding: 'utf8' })).toBe(`sotto ${version}\n`);
});
