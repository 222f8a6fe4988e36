import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { decrypted, encrypted, fileOf, KEY_FILE, RECIPIENT, root, sops, type Result, type Run } from './testing.ts';

afterAll(() => rmSync(root, { recursive: true, force: true }));

const PLAIN = 'a: x\nb: w\n';
let sealed: string;
beforeAll(async () => {
  sealed = await encrypted(PLAIN);
});

/** Folders for plain text that this process made and did not remove. */
function leftovers(pid = process.pid): string[] {
  return ['/dev/shm', tmpdir()].flatMap((base) =>
    existsSync(base) ? readdirSync(base).filter((name) => name.startsWith(`sotto-sops-${pid}-`)) : [],
  );
}

/**
 * An editor that writes down what it was given, and then does what the next line of `todo` says: a text becomes the content, `null`
 * leaves it, a number is the status to fail with.
 */
const EDITOR = `
const { readFileSync, writeFileSync, statSync, existsSync, appendFileSync } = require('node:fs');
const { dirname } = require('node:path');
const path = process.argv.at(-1);
const mode = (name) => (statSync(name).mode & 0o777).toString(8);
appendFileSync('seen', JSON.stringify({ argv: process.argv.slice(2), content: readFileSync(path, 'utf8'), mode: mode(path), folder: mode(dirname(path)) }) + '\\n');
const round = readFileSync('seen', 'utf8').trim().split('\\n').length - 1;
const todo = JSON.parse(readFileSync('todo.json', 'utf8'))[round];
if (typeof todo === 'number') process.exit(todo);
if (todo !== null) writeFileSync(path, todo);
`;

interface Seen {
  readonly argv: readonly string[];
  readonly content: string;
  readonly mode: string;
  readonly folder: string;
}

/** Runs with the scripted editor, and gives what it saw. */
async function edit(
  argv: readonly string[],
  todo: readonly (string | number | null)[],
  options: Run = {},
): Promise<Result & { readonly seen: readonly Seen[] }> {
  const result = await sops(argv, {
    ...options,
    env: { EDITOR: `${process.execPath} editor.cjs 'an argument'`, ...options.env },
    files: { 'editor.cjs': EDITOR, 'todo.json': JSON.stringify(todo), 'x.yaml': sealed, ...options.files },
  });
  const seen = existsSync(join(result.cwd, 'seen')) ? fileOf(result, 'seen').trim().split('\n') : [];
  return { ...result, seen: seen.map((line) => JSON.parse(line) as Seen) };
}

describe('sops edit', () => {
  it.each([[['edit', 'x.yaml']], [['x.yaml']]])('SOPS-52: %j shows the plain text in a private file of the same name', async (argv) => {
    const result = await edit(argv, ['a: changed\nb: w\n']);
    expect(result).toMatchObject({ code: 0, out: '', err: '' });
    const [seen] = result.seen;
    expect(seen).toMatchObject({ content: PLAIN, mode: '600', folder: '700' });
    expect(seen?.argv).toEqual(['an argument', expect.stringMatching(/\/x\.yaml$/)]);
    expect(existsSync(dirname(seen?.argv[1] ?? ''))).toBe(false);
    expect(leftovers()).toEqual([]);
    const text = fileOf(result, 'x.yaml');
    expect(await decrypted(text)).toBe('a: changed\nb: w\n');
    const lineB = /^b: .*$/m.exec(sealed)?.[0] ?? 'none';
    expect(text).toContain(lineB);
  });

  it.skipIf(!existsSync('/dev/shm'))('SOPS-52: the file is in memory, not on a disk', async () => {
    const { seen } = await edit(['edit', 'x.yaml'], [null]);
    expect(seen[0]?.argv[1]).toMatch(/^\/dev\/shm\/sotto-sops-/);
  });

  const untouched: [name: string, todo: (string | number | null)[], code: number, message: string, env: Record<string, string>][] = [
    ['no change', [null], 200, 'File has not changed, exiting.', {}],
    ['an editor that fails', [3], 201, 'Could not run editor: exit status 3', {}],
    ['an editor that is missing', [], 201, 'executable file not found in $PATH', { EDITOR: 'no-such-editor' }],
    ['SOPS_EDITOR before EDITOR', [], 201, '"other-editor"', { SOPS_EDITOR: 'other-editor' }],
    ['no editor at all', [], 201, 'no editor available', { EDITOR: '', PATH: '/nonexistent' }],
    ['garbage, and nobody to ask', ['a: [\n'], 1, 'x.yaml:2:1', {}],
  ];
  it.each(untouched)('SOPS-52, SOPS-60: %s leaves the file as it was', async (_name, todo, code, message, env) => {
    const result = await edit(['edit', 'x.yaml'], todo, { env });
    expect(result.err).toContain(message);
    expect(result.code).toBe(code);
    expect(fileOf(result, 'x.yaml')).toBe(sealed);
    expect(leftovers()).toEqual([]);
  });

  it('SOPS-52: what cannot be read or encrypted opens again, with the text as it was left', async () => {
    const result = await edit(['edit', 'x.yaml'], ['a: [\n', 'sops: 1\n', '', 'a: fine\n'], { stdin: '\n\n\n' });
    expect(result.code).toBe(0);
    expect(result.seen.map(({ content }) => content)).toEqual([PLAIN, 'a: [\n', 'sops: 1\n', '']);
    expect(result.err.match(/Press enter to return to the editor/g)).toHaveLength(3);
    expect(result.err).toContain("Found key 'sops'");
    expect(await decrypted(fileOf(result, 'x.yaml'))).toBe('a: fine\n');
  });

  it('SOPS-52: a file that does not exist begins with examples; unchanged it is not made', async () => {
    const made = await edit(['edit', '--age', RECIPIENT, 'new.yaml'], ['a: new\n']);
    expect(made.code).toBe(0);
    expect(made.seen[0]?.content).toContain('example_key: example_value\n');
    expect(await decrypted(fileOf(made, 'new.yaml'))).toBe('a: new\n');
    const unchanged = await edit(['edit', '--age', RECIPIENT, 'new.yaml'], [null]);
    expect(unchanged.code).toBe(200);
    expect(existsSync(join(unchanged.cwd, 'new.yaml'))).toBe(false);
    const byRule = await edit(['new.env'], ['A=1\n'], { files: { '.sops.yaml': `creation_rules:\n  - age: ${RECIPIENT}\n` } });
    expect(await decrypted(fileOf(byRule, 'new.env'), 'new.env')).toBe('A=1\n');
  });

  it('SOPS-52: a new file without keys is 1, with keys that cannot wrap 128; no editor opens', async () => {
    expect(await edit(['edit', 'new.yaml'], [])).toMatchObject({ code: 1, seen: [] });
    expect(await edit(['edit', '--hckms', 'r:k', 'new.yaml'], [])).toMatchObject({ code: 128, seen: [] });
    expect(await edit(['edit', '--age', 'nope', 'new.yaml'], [])).toMatchObject({ code: 1, seen: [] });
    expect(await edit(['edit'], [])).toMatchObject({ code: 100, seen: [] });
  });

  it('SOPS-52: with -s values can be changed and the metadata cannot', async () => {
    const shown = (await edit(['edit', '-s', 'x.yaml'], [null])).seen[0]?.content ?? '';
    expect(shown).toContain(`recipient: ${RECIPIENT}`);
    const changed = await edit(['edit', '-s', 'x.yaml'], [shown.replace('a: x', 'a: y2')]);
    expect(changed.code).toBe(0);
    expect(await decrypted(fileOf(changed, 'x.yaml'))).toBe('a: y2\nb: w\n');
    const refused = await edit(['edit', '-s', 'x.yaml'], [shown.replace('recipient: age1', 'recipient: age2')]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('the sops metadata cannot be changed') as string });
    expect(fileOf(refused, 'x.yaml')).toBe(sealed);
  });

  it('SOPS-52: raises the version of an older file, which set does not', async () => {
    const old = sealed.replace(/version: .*/, 'version: 3.7.1');
    expect(fileOf(await edit(['x.yaml'], ['a: y2\n'], { files: { 'x.yaml': old } }), 'x.yaml')).toContain('version: 3.13.3');
    expect(fileOf(await sops(['set', 'x.yaml', '["a"]', '1'], { files: { 'x.yaml': old } }), 'x.yaml')).toContain('version: 3.7.1');
  });

  it('SOPS-52: a changed MAC is refused, unless it is ignored', async () => {
    const files = { 'x.yaml': sealed.replace(/lastmodified: "..../, 'lastmodified: "1999') };
    expect(await edit(['edit', 'x.yaml'], [], { files })).toMatchObject({ code: 51, seen: [] });
    expect((await edit(['edit', '--ignore-mac', 'x.yaml'], ['a: 1\n'], { files })).code).toBe(0);
  });
});

describe('sops exec-env and exec-file', () => {
  let files: Record<string, string>;
  beforeAll(async () => {
    files = { 'x.yaml': await encrypted("# c\na: it's $HOME\nf: 1.0\nb: true\n"), 'nested.yaml': await encrypted('l:\n    - hunter2\n') };
  });

  it('SOPS-57: exec-env gives the values to a shell command, beside our own environment', async () => {
    const result = await sops(['exec-env', 'x.yaml', 'printf "%s|" "$a" "$f" "$b" "$OWN"; cat'], {
      files,
      env: { OWN: 'kept' },
      stdin: 'input',
    });
    expect(result).toMatchObject({ code: 0, out: "it's $HOME|1.0|true|kept|input", err: '' });
  });

  it('SOPS-57: --pristine gives nothing else', async () => {
    const { out } = await sops(['exec-env', '--pristine', 'x.yaml', '/usr/bin/env'], { files });
    const names = new Set(
      out
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0] ?? ''),
    );
    // the shell's own
    for (const name of ['PWD', '_', 'SHLVL']) names.delete(name);
    expect(names).toEqual(new Set(['a', 'b', 'f']));
  });

  it.each([
    ['exec-env', 'exit 7', 7, 'exit status 7'],
    ['exec-env', 'kill -9 $$', 255, 'signal: killed'],
    ['exec-file', 'cat {} >/dev/null; exit 3', 3, 'exit status 3'],
    ['exec-file', 'exit 5', 5, 'exit status 5'],
  ])('SOPS-57: %s %s gives the status of the command', async (program, command, code, message) => {
    expect(await sops([program, 'x.yaml', command], { files })).toMatchObject({ code, err: `${message}\n` });
    expect(leftovers()).toEqual([]);
  });

  it.each([
    [['exec-env', 'nested.yaml', 'true'], 1, 'cannot use complex value in environment; offending key l'],
    [['exec-env', 'x.yaml'], 1, 'missing file to decrypt'],
    [['exec-env', 'none.yaml', 'true'], 2, 'no such file or directory'],
    [['exec-env', '--background', '--same-process', 'x.yaml', 'true'], 8, 'cannot be used with --background'],
    [['exec-file', 'x.yaml'], 1, 'missing file to decrypt'],
    [['exec-file', 'none.yaml', 'true'], 2, 'no such file or directory'],
    [['exec-file', '--filename', '../x', 'x.yaml', 'true'], 1, 'is not a local path'],
    [['exec-file', '--filename', '/x', 'x.yaml', 'true'], 1, 'is not a local path'],
  ])('SOPS-57, SOPS-60: %j is %i', async (argv, code, message) => {
    const result = await sops(argv, { files });
    expect(result.err).toContain(message);
    expect(result.err).not.toContain('hunter2');
    expect(result).toMatchObject({ code, out: '' });
  });

  const shapes: [name: string, argv: string[], listed: RegExp][] = [
    ['a pipe', [], /^prw------- .*\/tmp-file$/m],
    ['a file', ['--no-fifo'], /^-rw------- .*\/tmp-file$/m],
    ['a named one', ['--filename', 'creds.yaml'], /^prw------- .*\/creds\.yaml$/m],
  ];
  it.each(shapes)('SOPS-57: exec-file hands out %s that only we can read, in a private folder', async (_name, argv, listed) => {
    const result = await sops(['exec-file', ...argv, 'x.yaml', 'ls -l {}; ls -ld "$(dirname {})"; cat {}'], { files });
    expect(result.code).toBe(0);
    expect(result.out).toMatch(listed);
    expect(result.out).toMatch(/^drwx------/m);
    expect(result.out).toContain('f: 1\nb: true\n');
    expect(leftovers()).toEqual([]);
  });

  it('SOPS-57: exec-file converts, and nothing of the content is in an argument', async () => {
    const result = await sops(['exec-file', '--output-type', 'json', 'x.yaml', 'cat {}; tr "\\0" " " < /proc/$$/cmdline; echo {} {}'], {
      files,
    });
    expect(result.out).toContain('"b": true');
    const [, after = ''] = result.out.split('}\n');
    expect(after).not.toContain('true');
  });
});

const PROGRAM = `import { start } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}; await start(process.argv.slice(1), 'sops');`;

/** The whole program as a process of its own. */
function start(
  argv: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): { readonly child: ChildProcess; readonly done: Promise<{ code: number | null; out: string; err: string }> } {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', PROGRAM, '--', ...argv], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, SOPS_AGE_KEY_FILE: KEY_FILE, ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
  const done = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  return { child, done };
}

/** Waits until something is true. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('as a process', () => {
  let cwd: string;
  beforeAll(() => {
    cwd = mkdtempSync(join(root, 'process-'));
    writeFileSync(join(cwd, 'x.yaml'), sealed);
  });

  it('SOPS-57: --same-process becomes the command', async () => {
    const { child, done } = start(['exec-env', '--same-process', 'x.yaml', 'echo "$a $$"; exit 4'], cwd);
    expect(await done).toEqual({ code: 4, out: `x ${child.pid}\n`, err: '' });
  });

  it.skipIf(process.getuid?.() !== 0)('SOPS-57: --user runs as that user, who owns the file as well', async () => {
    const environment = await start(['exec-env', '--user', 'nobody', 'x.yaml', 'id -un; id -un -r; echo "$USER $LOGNAME $a"'], cwd).done;
    expect(environment).toMatchObject({ code: 0, out: 'nobody\nnobody\nnobody nobody x\n' });
    const file = await start(['exec-file', '--user', 'nobody', 'x.yaml', 'stat -c %U {} "$(dirname {})"; cat {}'], cwd).done;
    expect(file).toMatchObject({ code: 0, out: `nobody\nnobody\n${PLAIN}` });
    expect(await start(['exec-env', '--user', 'no-such-user', 'x.yaml', 'id'], cwd).done).toMatchObject({ code: 1, out: '' });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'SOPS-52: %s while the editor is open removes the plain text and leaves the file',
    async (signal) => {
      writeFileSync(join(cwd, 'wait.sh'), '#!/bin/sh\necho "$1" > "$HOME/opened"\nexec sleep 20\n', { mode: 0o755 });
      rmSync(join(cwd, 'opened'), { force: true });
      const { child, done } = start(['edit', 'x.yaml'], cwd, { EDITOR: join(cwd, 'wait.sh') });
      await until(() => existsSync(join(cwd, 'opened')) && readFileSync(join(cwd, 'opened'), 'utf8') !== '');
      const path = readFileSync(join(cwd, 'opened'), 'utf8').trim();
      expect(existsSync(path)).toBe(true);
      child.kill(signal);
      expect(await done).toMatchObject({ code: 1, err: expect.stringContaining('User canceled operation') as string });
      expect(existsSync(dirname(path))).toBe(false);
      expect(readFileSync(join(cwd, 'x.yaml'), 'utf8')).toBe(sealed);
    },
  );

  it('SOPS-57: SIGTERM ends the command of exec-file, and its folder goes', async () => {
    rmSync(join(cwd, 'opened'), { force: true });
    const { child, done } = start(['exec-file', 'x.yaml', 'echo {} > opened; exec sleep 20'], cwd);
    await until(() => existsSync(join(cwd, 'opened')) && readFileSync(join(cwd, 'opened'), 'utf8') !== '');
    child.kill('SIGTERM');
    expect((await done).code).toBe(255);
    expect(existsSync(dirname(readFileSync(join(cwd, 'opened'), 'utf8').trim()))).toBe(false);
  });

  it('SOPS-52: what a killed process left behind goes at the next start', async () => {
    rmSync(join(cwd, 'opened'), { force: true });
    const { child, done } = start(['exec-file', '--no-fifo', 'x.yaml', 'echo $$ {} > opened; exec sleep 20'], cwd);
    await until(() => existsSync(join(cwd, 'opened')) && readFileSync(join(cwd, 'opened'), 'utf8') !== '');
    const [pid = '', path = ''] = readFileSync(join(cwd, 'opened'), 'utf8').trim().split(' ');
    child.kill('SIGKILL');
    process.kill(Number(pid), 'SIGKILL');
    await done;
    expect(existsSync(path)).toBe(true);
    await sops(['exec-file', 'x.yaml', 'true'], { files: { 'x.yaml': sealed } });
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('SOPS-31, SOPS-30: keyservice lends its keys, asks when told to, and ends on SIGTERM', async () => {
    const socket = join(cwd, 's.sock');
    const nobody = { SOPS_AGE_KEY_FILE: '/none' };
    const open = start(['keyservice', '--network', 'unix', '--address', socket], cwd);
    await until(() => existsSync(socket));
    const files = { 'x.yaml': sealed };
    expect(await sops(['decrypt', '--keyservice', `unix://${socket}`, 'x.yaml'], { files, env: nobody })).toMatchObject({
      code: 0,
      out: PLAIN,
    });
    const only = { ...nobody, SOPS_KEYSERVICE: `unix://${socket}`, SOPS_ENABLE_LOCAL_KEYSERVICE: 'false' };
    expect(await sops(['decrypt', 'x.yaml'], { files, env: only })).toMatchObject({ code: 0, out: PLAIN });
    expect((await sops(['rotate', '-i', 'x.yaml'], { files, env: only })).code).toBe(0);
    open.child.kill('SIGTERM');
    expect(await open.done).toMatchObject({ code: 0, err: expect.stringContaining(`Listening on unix://${socket}`) as string });

    const asking = start(['keyservice', '--prompt', '--network=unix', `--address=${socket}`], cwd);
    await until(() => existsSync(socket));
    asking.child.stdin?.write('n\ny\n');
    expect(await sops(['decrypt', 'x.yaml'], { files, env: only })).toMatchObject({
      code: 128,
      err: expect.stringContaining('Request rejected by user') as string,
    });
    expect(await sops(['decrypt', 'x.yaml'], { files, env: only })).toMatchObject({ code: 0, out: PLAIN });
    asking.child.stdin?.end();
    asking.child.kill('SIGTERM');
    const { out } = await asking.done;
    expect(out).toContain(`Received decrypt request using age key with recipient ${RECIPIENT}. Respond to request? (y/n): `);
  });

  it('SOPS-30: without the local service and without another one no key is used', async () => {
    const files = { 'x.yaml': sealed };
    expect((await sops(['decrypt', '--enable-local-keyservice=false', 'x.yaml'], { files })).code).toBe(128);
    expect((await sops(['decrypt', '--enable-local-keyservice', 'x.yaml'], { files })).code).toBe(0);
    expect((await sops(['decrypt', '--enable-local-keyservice=maybe', 'x.yaml'], { files })).code).toBe(1);
  });
});
