/**
 * `npm run fuzz -- sops [seconds]`: random and mutated input for every parser. The seed is printed, and `SOTTO_SEED` takes one.
 * Exit status 1 when an input crashed a parser or took too long; each such input is printed in base64.
 *
 * @module
 */
import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';

import { fuzz, type Target } from './engine.ts';
import { SOPS_TARGETS } from './sops.ts';

const ROOMS: Readonly<Record<string, readonly Target[]>> = { sops: SOPS_TARGETS };
const DEFAULT_SECONDS = 60;

const [room = 'sops', seconds = String(DEFAULT_SECONDS)] = process.argv.slice(2);
const targets = Object.hasOwn(ROOMS, room) ? ROOMS[room] : undefined;
if (targets === undefined || !/^\d{1,5}$/.test(seconds)) {
  process.stderr.write(`usage: fuzz ${Object.keys(ROOMS).join('|')} [SECONDS]\n`);
  process.exit(64);
}
const seed = Number(process.env['SOTTO_SEED'] ?? randomInt(2 ** 32));
process.stdout.write(`SOTTO_SEED=${seed}\n`);
const { findings, tried } = await fuzz({ targets, seed, milliseconds: Number(seconds) * 1000, now: () => performance.now() });
for (const [name, count] of Object.entries(tried)) process.stdout.write(`${name}: ${count} inputs\n`);
for (const { target, problem, input } of findings) {
  process.stderr.write(`${target}: ${problem}\n  ${Buffer.from(input.subarray(0, 4096)).toString('base64')}\n`);
}
process.exitCode = findings.length === 0 ? 0 : 1;
