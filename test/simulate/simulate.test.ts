import { describe, expect, it } from 'vitest';

import { simulate, type PlantedBug } from './run.ts';

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

describe('two virtual hours of commits, faults and crashes', () => {
  it.each(SEEDS)('seed %d: converges, orphans nothing, prunes nothing wrongly, writes nothing needless', async (seed) => {
    const result = await simulate({ seed, hours: 2 });
    expect(result.violations).toEqual([]);
    expect(result.faults / result.requests).toBeGreaterThanOrEqual(0.02);
    expect(result.crashes).toBeGreaterThanOrEqual(1);
  });

  it('the same seed takes the same steps', async () => {
    expect(await simulate({ seed: 3, hours: 1 })).toEqual(await simulate({ seed: 3, hours: 1 }));
  });
});

const BUGS: readonly PlantedBug[] = [
  'inventory-after-apply',
  'prune-after-failed-build',
  'lost-watch-event',
  'write-without-change',
  'stale-artifact',
];
const MAX_SEEDS = 200;

describe('planted bugs', () => {
  it.each(BUGS)('%s is found', { timeout: 120_000 }, async (bug) => {
    for (let seed = 1; seed <= MAX_SEEDS; seed++) {
      const { violations } = await simulate({ seed, hours: 1, bug });
      if (violations.length > 0) return;
    }
    expect.fail(`not found in ${MAX_SEEDS} seeds`);
  });
});
