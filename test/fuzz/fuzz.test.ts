import { describe, expect, it } from 'vitest';

import { formatPlain, parsePlain } from '../../src/secrets/sops/index.ts';
import { fuzz, problemOf, type Target } from './engine.ts';
import { SOPS_TARGETS } from './sops.ts';

/** Counts its readings: the same inputs are tried on every machine, and a hang ends with the test's own time limit. */
const readings = (): (() => number) => {
  let count = 0;
  return () => count++;
};
const now = readings();
/** About a thousand inputs for every target. */
const READINGS = 27_000;

describe('fuzzing', () => {
  it('SOPS-74: no input crashes or hangs a parser', { timeout: 60_000 }, async () => {
    const { findings, tried } = await fuzz({
      targets: SOPS_TARGETS,
      seed: Number(process.env['SOTTO_SEED'] ?? 1),
      milliseconds: READINGS,
      now: readings(),
    });
    expect(findings.map(({ target, problem, input }) => `${target}: ${problem}: ${Buffer.from(input).toString('base64')}`)).toEqual([]);
    for (const count of Object.values(tried)) expect(count).toBeGreaterThan(900);
  });

  it('tells a crash from an answer', async () => {
    const crashing: Target = { name: 'x', seeds: [], words: ['x'], run: () => JSON.parse('{') };
    expect(await problemOf(crashing, new Uint8Array(), now)).toMatch(/^SyntaxError/);
  });

  it.each([
    ['json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['json', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['yaml', `a: ${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    ['yaml', '- '.repeat(20_000)],
    ['yaml', `a: &a [x]\n${Array.from({ length: 30 }, (_, index) => `k${index}: &a [${'*a,'.repeat(9)}*a]`).join('\n')}\n`],
  ] as const)('a document in %s that is too deep or too wide is refused by name', async (format, text) => {
    const target: Target = {
      name: format,
      seeds: [],
      words: [],
      run: (input) => formatPlain(parsePlain(input, format), format),
    };
    expect(await problemOf(target, new TextEncoder().encode(text), now)).toBeUndefined();
  });
});
