/** `npm run simulate -- --seed N --hours H [--faults F] [--bug B] [--count N]`: one line a seed; exit 1 when an invariant broke. */
import { parseArgs } from 'node:util';

import { simulate, type PlantedBug } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    hours: { type: 'string', default: '2' },
    faults: { type: 'string', default: '0.045' },
    count: { type: 'string', default: '1' },
    bug: { type: 'string' },
  },
});

const first = Number(values.seed);
for (let seed = first; seed < first + Number(values.count); seed++) {
  const began = performance.now();
  const result = await simulate({
    seed,
    hours: Number(values.hours),
    faults: Number(values.faults),
    ...(values.bug === undefined ? {} : { bug: values.bug as PlantedBug }),
  });
  const { requests, faults, crashes, commits, violations } = result;
  const took = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(
    `seed ${seed}: ${commits} commits, ${requests} requests, ${faults} faults, ${crashes} crashes, ${violations.length} violations, ${took} s\n`,
  );
  for (const violation of violations.slice(0, 20))
    process.stdout.write(`  ${violation.invariant} at ${violation.second} s: ${violation.what}\n`);
  if (violations.length > 0) process.exitCode = 1;
}
