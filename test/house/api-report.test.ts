import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { ENTRIES } from '../../scripts/entries.ts';
import { renderReport } from '../../scripts/api-report.ts';

it('docs/api.md is up to date (npm run generate)', () => {
  const page = join(dirname(fileURLToPath(import.meta.url)), '../../docs/api.md');
  expect(readFileSync(page, 'utf8')).toBe(renderReport());
});

it('package.json exports exactly the public entries', async () => {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  const exported = Object.keys(manifest.exports).filter((name) => name !== './package.json');
  expect(exported).toEqual(Object.keys(ENTRIES).map((name) => `./${name}`));
});
