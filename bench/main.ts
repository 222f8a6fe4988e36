/** `npm run bench [-- NAME]`: runs the benchmarks whose name contains NAME and prints one table. Timing never fails it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { api } from './api.ts';
import type { Benchmark, Group, Measured } from './benchmark.ts';
import { fleet } from './fleet.ts';
import { functions } from './functions.ts';
import { machineLine } from './machine.ts';
import { buildIfStale, root } from './process.ts';
import { startup } from './startup.ts';
import { renderResults, resultOf, type Result } from './table.ts';

const GROUPS: readonly Group[] = [startup, functions, api, fleet];

const [only = ''] = process.argv.slice(2);
const machine = machineLine();
buildIfStale();

const results: Result[] = [];
for (const group of GROUPS) {
  await using scope = new AsyncDisposableStack();
  for (const benchmark of group(scope).filter(({ name }) => name.includes(only)))
    results.push(resultOf(benchmark, await attempt(benchmark)));
}

process.stdout.write(`${machine}\n\n${renderResults(results)}`);
// A part of the benchmarks does not replace the numbers of all.
if (only === '')
  writeFileSync(
    join(root, 'bench/results/latest.json'),
    `${JSON.stringify({ machine, date: new Date().toISOString(), results }, undefined, 2)}\n`,
  );
process.exitCode = results.some(({ error }) => error !== undefined) ? 1 : 0;

async function attempt(benchmark: Benchmark): Promise<Measured | Error> {
  process.stderr.write(`${benchmark.name} …\n`);
  try {
    return await benchmark.measure();
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause));
  }
}
