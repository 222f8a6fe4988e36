import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Licences that may be linked into an Apache-2.0 program. */
const ALLOWED = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'CC0-1.0',
  'BlueOak-1.0.0',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
  '(MIT OR Apache-2.0)',
  '(Apache-2.0 OR MIT)',
  'Apache-2.0 AND MIT',
]);

/** Used as it is installed, loaded when first needed, never bundled. */
const EXCEPTIONS: Readonly<Record<string, string>> = { 'node_modules/openpgp': 'LGPL-3.0+' };

interface Lock {
  packages: Record<string, { dev?: boolean; optional?: boolean; license?: string; resolved?: string; version?: string }>;
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;

it('every package that ships has an allowed licence', () => {
  const wrong = Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.dev !== true)
    .map(([path, entry]) => ({ path, licence: entry.license ?? licenceOf(path) }))
    .filter(({ path, licence }) => !ALLOWED.has(licence) && EXCEPTIONS[path] !== licence);
  expect(wrong).toEqual([]);
});

function licenceOf(path: string): string {
  const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as { license?: string };
  return manifest.license ?? 'none';
}

it('the lock file names no registry host', () => {
  expect(Object.values(lock.packages).filter((entry) => entry.resolved?.startsWith('http') === true)).toEqual([]);
});
