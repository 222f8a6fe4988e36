import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { renderReport } from '../../scripts/api-report.ts';

it('docs/api.md is up to date (npm run generate)', () => {
  const page = join(dirname(fileURLToPath(import.meta.url)), '../../docs/api.md');
  expect(readFileSync(page, 'utf8')).toBe(renderReport());
});
