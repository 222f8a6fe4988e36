import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { readRows, renderPage, testsById } from '../../scripts/compatibility.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

it('docs/compatibility.md is up to date (npm run generate)', () => {
  expect(readFileSync(join(root, 'docs/compatibility.md'), 'utf8')).toBe(renderPage());
});

it('every row marked held, part or refused is named by a test', () => {
  const tests = testsById();
  expect(
    readRows()
      .filter((row) => row.state !== 'none' && !tests.has(row.id))
      .map((row) => row.id),
  ).toEqual([]);
});

it('every state is one of the four', () => {
  expect(
    readRows()
      .filter((row) => !/^(held|refused|none|part: .+)$/.test(row.state))
      .map((row) => `${row.id} ${row.state}`),
  ).toEqual([]);
});
