/**
 * Builds random kustomizations with the real program and with Sotto, and compares byte for byte:
 *
 *     node test/kustomize/differential.ts [--seed N] [--count N] [--tree NAME] [--program PATH]
 *
 * The seed is printed; the same seed draws the same kustomizations. What differs is kept in a folder that is named.
 * Not part of `npm test`: it needs kustomize 5.8.1.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { buildWithOriginal, buildWithSotto, difference, isSame, type HowToBuild } from './compare.ts';
import { Draw } from './random/draw.ts';
import { TREES, type Files } from './random/trees.ts';

const PARALLEL = 2;
const MAX_SHOWN = 10;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    count: { type: 'string', default: '5000' },
    tree: { type: 'string' },
    program: { type: 'string', default: 'kustomize' },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);
const names = values.tree === undefined ? Object.keys(TREES) : [values.tree];
const folder = mkdtempSync(join(tmpdir(), 'sotto-differential-'));
const totals = { same: 0, refusedByBoth: 0, crashedUpstream: 0, different: 0 };

function write(directory: string, files: Files): void {
  rmSync(directory, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

async function compare(index: number): Promise<void> {
  const name = names[index % names.length] ?? '';
  const draw = new Draw(seed + index * 7919);
  const files = TREES[name]?.(draw);
  if (files === undefined) throw new Error(`no tree '${name}': ${Object.keys(TREES).join(', ')}`);
  const how: HowToBuild = { order: draw.maybe(0.5) ? 'fifo' : 'legacy', loadRestrictor: 'root-only' };
  const directory = join(folder, String(index));
  write(directory, files);
  const expected = await buildWithOriginal(values.program, directory, how);
  const actual = buildWithSotto(directory, '', how);
  if (expected === undefined) totals.crashedUpstream++;
  else if (isSame(expected, actual)) totals['text' in expected ? 'same' : 'refusedByBoth']++;
  else {
    totals.different++;
    if (totals.different <= MAX_SHOWN)
      process.stdout.write(`${name} in ${how.order} order, ${directory}: ${difference(expected, actual)}\n`);
    return;
  }
  rmSync(directory, { recursive: true });
}

process.stdout.write(`seed ${seed}, ${count} kustomizations of ${names.join(', ')}\n`);
let next = 0;
async function work(): Promise<void> {
  while (next < count) await compare(next++);
}
await Promise.all(Array.from({ length: PARALLEL }, work));
process.stdout.write(
  `${Object.entries(totals)
    .map(([what, number]) => `${what} ${number}`)
    .join(', ')}\n`,
);
if (totals.different === 0) rmSync(folder, { recursive: true });
process.exitCode = totals.different === 0 ? 0 : 1;
