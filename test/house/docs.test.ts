import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { ENTRIES } from '../../scripts/entries.ts';
import { systemEntropy, systemWorld } from '../../src/base/world/index.ts';
import { findCommand, findDropIn } from '../../src/cli/commands.ts';
import { parseArguments } from '../../src/cli/flags.ts';
import { GLOBAL_FLAGS } from '../../src/cli/help.ts';
import { main } from '../../src/cli/index.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

const blocks: Block[] = pages.flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```(\w+)?[^\n]*\n(.*?)^```/gms)].map(([, language, text]) => ({
    page,
    language: language ?? '',
    text: text ?? '',
  })),
);

/** Command lines of sotto in shell blocks: the words after `sotto`, up to a pipe, redirection or comment. */
const commandLines = blocks
  .filter((block) => ['sh', 'bash', 'console'].includes(block.language))
  .flatMap((block) => block.text.split('\n').map((line) => ({ page: block.page, line: line.replace(/^\$ /, '').replace(/\s#.*$/, '') })))
  .filter(({ line }) => /^(npx )?sotto /.test(line))
  .map(({ page, line }) => ({ page, line, words: (line.replace(/^(npx )?sotto /, '').split(/\s[|>&]|;/)[0] ?? '').trim().split(/\s+/) }));

describe('documentation', () => {
  it.each(commandLines)('$page: `$line` is a command with flags that exist', async ({ words }) => {
    const [name = '', ...rest] = words;
    if (findDropIn(name) !== undefined || name.startsWith('-')) return expect(name).not.toBe('');
    const entry = findCommand(name);
    expect(entry, `unknown command ${name}`).toBeDefined();
    const command = await entry?.load();
    await expect(parseArguments(rest, [...(command?.flags ?? []), ...GLOBAL_FLAGS])).resolves.toBeDefined();
  });

  it.each(blocks.filter((block) => block.language === 'ts'))('$page: the TypeScript block runs', ({ text }) => {
    const code = text.replaceAll(/from 'sotto\/(\w+)'/g, (_match, name: string) => `from '${join(root, ENTRIES[name] ?? name)}'`);
    execFileSync(process.execPath, ['--input-type=module-typescript', '--eval', code], { cwd: root, stdio: 'pipe' });
  });

  it('every `--help` page fits 80 columns and ends with exit code 0', async () => {
    let output = '';
    const world = { ...systemWorld(), env: {}, stdout: { write: (text: string) => void (output += text), isTTY: false, columns: 80 } };
    for (const name of ['up', 'cluster', 'controller', 'build', 'get', 'reconcile', 'completion', 'version']) {
      expect(await main([name, '--help'], world, systemEntropy, new AbortController().signal)).toBe(0);
    }
    expect(output.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});
