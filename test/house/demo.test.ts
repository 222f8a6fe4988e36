import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Folders that demos made and did not remove. */
const leftovers = (): string[] =>
  ['/dev/shm', tmpdir()]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).filter((name) => name.startsWith('sotto-demo-')));

it('the demo of the README ends well, shows what rolled and leaves nothing behind', { timeout: 60_000 }, () => {
  const before = leftovers();
  const demo = spawnSync(process.execPath, [join(root, 'scripts/demo.ts')], { cwd: root, encoding: 'utf8' });
  expect(demo.stderr).toBe('');
  expect(demo.stdout).toMatch(/Secret +database-(\w{10}) +→ +database-(?!\1)\w{10}/);
  expect(demo.stdout).toMatch(/generation +1 +→ +2/);
  expect(demo.stdout).toMatch(/grep over 2 commits and \d+ bytes of output: 4 secrets, 0 found/);
  expect(demo.stdout).not.toContain('demo-second-password');
  expect(demo.status).toBe(0);
  expect(leftovers()).toEqual(before);
  expect(processesMentioning('sotto-demo-')).toEqual([]);
});

/** Process ids whose command line holds a text. */
function processesMentioning(text: string): string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').filter((line) => line.includes(text) && !line.includes('ps -eo'));
}
