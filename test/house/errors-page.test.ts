import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Every code that the sources can throw. Codes of API answers are built from the Status reason and listed once. */
function codesInSources(): Set<string> {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  );
  const texts = files.map((file) => readFileSync(join(root, 'src', file), 'utf8'));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/new (?:SottoError|Terminal)\(\s*'([A-Z][A-Z0-9_]+)'/g)].map(([, code]) => code ?? '')),
  );
}

it('docs/errors.md lists every error code, and no other', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  const listed = new Set([...page.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map(([, code]) => code ?? ''));
  const thrown = codesInSources();
  expect([...thrown].filter((code) => !listed.has(code)).toSorted()).toEqual([]);
  expect([...listed].filter((code) => !thrown.has(code) && !code.startsWith('KUBE_')).toSorted()).toEqual([]);
});
