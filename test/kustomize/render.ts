/**
 * Renders the expected results of the corpus with the real program:
 *
 *     node test/kustomize/render.ts [--program PATH] [--only PART-OF-A-NAME] [--check]
 *
 * Writes expected.yaml (fifo), expected-legacy.yaml where the legacy order differs, or expected-error.txt with the
 * fragments of the message that must stay. With --check nothing is written, and what differs is reported.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { buildWithOriginal, type Outcome } from './compare.ts';

const CASES = join(import.meta.dirname, 'cases');
const FILES = ['expected.yaml', 'expected-legacy.yaml', 'expected-error.txt'] as const;

interface Case {
  readonly path?: string;
  readonly loadRestrictor?: 'none';
  readonly fragments?: readonly string[];
}

const { values } = parseArgs({
  options: {
    program: { type: 'string', default: 'kustomize' },
    only: { type: 'string', default: '' },
    check: { type: 'boolean', default: false },
  },
});

/** What the case's files should hold, and what is wrong with the case itself. */
async function render(name: string): Promise<{ readonly files: ReadonlyMap<string, string>; readonly problems: readonly string[] }> {
  const directory = join(CASES, name);
  const { path = '', loadRestrictor = 'root-only', fragments } = JSON.parse(readFileSync(join(directory, 'case.json'), 'utf8')) as Case;
  const input = join(directory, 'input', path);
  const [fifo, legacy] = await Promise.all(
    (['fifo', 'legacy'] as const).map((order) => buildWithOriginal(values.program, input, { order, loadRestrictor })),
  );
  if (fifo === undefined || legacy === undefined) return { files: new Map(), problems: ['the program crashed'] };
  if (fragments === undefined) return { files: outputs(fifo, legacy), problems: 'error' in fifo ? [fifo.error] : [] };
  const problems = 'text' in fifo ? ['builds, but fragments are given'] : missing(fragments, fifo.error);
  return { files: new Map([['expected-error.txt', `${fragments.join('\n')}\n`]]), problems };
}

function outputs(fifo: Outcome, legacy: Outcome): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  if ('text' in fifo) files.set('expected.yaml', fifo.text);
  if ('text' in legacy && 'text' in fifo && legacy.text !== fifo.text) files.set('expected-legacy.yaml', legacy.text);
  return files;
}

function missing(fragments: readonly string[], error: string): string[] {
  return fragments.filter((fragment) => !error.includes(fragment)).map((fragment) => `no "${fragment}" in ${error}`);
}

let problems = 0;
function report(name: string, problem: string): void {
  problems++;
  process.stderr.write(`${name}: ${problem}\n`);
}

const names = readdirSync(CASES).filter((name) => name.includes(values.only));
for (const name of names) {
  const rendered = await render(name);
  for (const problem of rendered.problems) report(name, problem);
  for (const file of FILES) {
    const path = join(CASES, name, file);
    const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    const after = rendered.files.get(file);
    if (before === after) continue;
    if (values.check) report(name, `${file} is not what the program prints`);
    else if (after === undefined) rmSync(path);
    else writeFileSync(path, after);
  }
}
process.stdout.write(`${names.length} cases, ${problems} problems\n`);
process.exitCode = problems === 0 ? 0 : 1;
