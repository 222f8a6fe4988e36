/**
 * Renders the expected results of the corpus with the real program: `node test/kustomize/render.ts /path/to/kustomize`.
 * Writes expected.yaml (fifo), expected-legacy.yaml where the legacy order differs, or expected-error.txt with the
 * fragments of the message that must stay.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [program = 'kustomize', only = ''] = process.argv.slice(2);
const cases = join(import.meta.dirname, 'cases');

interface Case {
  readonly path?: string;
  readonly loadRestrictor?: 'none';
  readonly fragments?: readonly string[];
}

function render(directory: string, flags: readonly string[]): { readonly text?: string; readonly error?: string } {
  try {
    return { text: execFileSync(program, ['build', directory, ...flags], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }) };
  } catch (error) {
    return { error: String((error as { stderr?: unknown }).stderr) };
  }
}

for (const name of readdirSync(cases).filter((each) => each.includes(only))) {
  const directory = join(cases, name);
  const options = JSON.parse(readFileSync(join(directory, 'case.json'), 'utf8')) as Case;
  const flags = options.loadRestrictor === 'none' ? ['--load-restrictor', 'LoadRestrictionsNone'] : [];
  const input = join(directory, 'input', options.path ?? '');
  for (const file of ['expected.yaml', 'expected-legacy.yaml', 'expected-error.txt']) {
    if (existsSync(join(directory, file))) rmSync(join(directory, file));
  }
  const fifo = render(input, [...flags, '--reorder', 'none']);
  const legacy = render(input, flags);
  if (fifo.text !== undefined) writeFileSync(join(directory, 'expected.yaml'), fifo.text);
  if (legacy.text !== undefined && legacy.text !== fifo.text) writeFileSync(join(directory, 'expected-legacy.yaml'), legacy.text);
  if ((fifo.error === undefined) === (options.fragments !== undefined))
    process.stderr.write(`${name}: ${fifo.error ?? 'builds, but fragments are given'}\n`);
  for (const fragment of options.fragments ?? []) {
    if (fifo.error?.includes(fragment) !== true) process.stderr.write(`${name}: no "${fragment}" in ${fifo.error ?? ''}\n`);
  }
  if (options.fragments !== undefined) writeFileSync(join(directory, 'expected-error.txt'), `${options.fragments.join('\n')}\n`);
}
