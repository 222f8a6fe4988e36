import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Sources without tests. */
function sourceTexts(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(root, 'src', file), 'utf8'));
}

/** Where a code is given to an error: as first argument of a constructor or of a helper that makes errors, or as `code`. */
const THROWN = [
  /new (?:SottoError|Terminal)\(\s*'([A-Z][A-Z0-9_]+)'/g,
  /\b(?:super|fail|problem|prefixed|celError)\(\s*'([A-Z][A-Z0-9]*_[A-Z0-9_]+)'/g,
  /\bcode: '([A-Z][A-Z0-9]*_[A-Z0-9_]+)'/g,
  /\bconst (?:code|FAILED) = (?:[^;\n]* )?'([A-Z][A-Z0-9]*_[A-Z0-9_]+)'/g,
  /\bconst code = [^;\n]*'([A-Z][A-Z0-9]*_[A-Z0-9_]+)' :/g,
];

/** Codes that are made of a reason of the Ready condition. */
function codesOfReasons(texts: readonly string[]): string[] {
  const reasons = texts.flatMap((text) => [...text.matchAll(/export type FailureReason =([^;]+);/g)].map(([, union]) => union ?? ''));
  return reasons
    .flatMap((union) => [...union.matchAll(/'(\w+)'/g)].map(([, reason]) => reason ?? ''))
    .map((reason) => `KUSTOMIZATION_${reason.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`);
}

/** Every code that the sources can throw. Codes of API answers are built from the Status reason and listed once. */
function codesInSources(texts: readonly string[]): Set<string> {
  const found = texts.flatMap((text) => THROWN.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code]) => code ?? '')));
  return new Set([...found, ...codesOfReasons(texts)]);
}

function quotedIn(texts: readonly string[]): Set<string> {
  return new Set(texts.flatMap((text) => [...text.matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, word]) => word ?? '')));
}

it('docs/errors.md lists every error code, and no other', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  const listed = new Set([...page.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map(([, code]) => code ?? ''));
  const texts = sourceTexts();
  const thrown = codesInSources(texts);
  const known = new Set([...quotedIn(texts), ...codesOfReasons(texts)]);
  expect([...thrown].filter((code) => !listed.has(code)).toSorted()).toEqual([]);
  expect([...listed].filter((code) => !known.has(code) && !code.startsWith('KUBE_')).toSorted()).toEqual([]);
});
