/**
 * Builds every kustomization below a directory with the real kustomize and with Sotto, and reports what differs:
 *
 *     node scripts/try-build.ts DIR [--program PATH]
 *
 * Exits with 1 when a build differs. Needs kustomize 5.8.1; nothing is written.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { buildWithOriginal, buildWithSotto, difference, isSame } from '../test/kustomize/compare.ts';

const NAMES = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);
const SKIPPED = new Set(['node_modules', '.git']);

const { values, positionals } = parseArgs({ allowPositionals: true, options: { program: { type: 'string', default: 'kustomize' } } });
const [argument] = positionals;
if (argument === undefined) throw new Error('expected a directory: node scripts/try-build.ts DIR');
const root = resolve(argument);

/** Directories with a file of kustomize's; Flux's objects in a file of that name are none. */
function* kustomizations(path: string): Generator<string> {
  const entries = readdirSync(join(root, path), { withFileTypes: true });
  const file = entries.find((entry) => entry.isFile() && NAMES.has(entry.name));
  const isFlux = file !== undefined && /^apiVersion:\s*kustomize\.toolkit/m.test(readFileSync(join(root, path, file.name), 'utf8'));
  if (file !== undefined && !isFlux) yield path;
  for (const entry of entries) if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* kustomizations(join(path, entry.name));
}

const totals = { same: 0, 'refused by both': 0, 'crashed upstream': 0, different: 0 };
for (const path of kustomizations('')) {
  const how = { order: 'legacy', loadRestrictor: 'none' } as const;
  const expected = await buildWithOriginal(values.program, join(root, path), how);
  const actual = buildWithSotto(root, path, how);
  if (expected === undefined) totals['crashed upstream']++;
  else if (isSame(expected, actual)) totals['text' in expected ? 'same' : 'refused by both']++;
  else {
    totals.different++;
    process.stdout.write(`${path || '.'}: ${difference(expected, actual)}\n`);
  }
}
process.stdout.write(
  `${Object.entries(totals)
    .map(([what, number]) => `${what} ${number}`)
    .join(', ')}\n`,
);
process.exitCode = totals.different === 0 ? 0 : 1;
