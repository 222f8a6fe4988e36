import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemEntropy, systemWorld, type World } from '../../base/world/index.ts';
import { main } from './index.ts';

const VECTORS = new URL('../../../test/vectors/sops/', import.meta.url);
let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'sotto-age-keygen-test-'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

async function keygen(
  argv: readonly string[],
  stdin = '',
  isTTY = false,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const world: World = {
    ...systemWorld(),
    cwd,
    stdin: Object.assign(
      (async function* () {
        yield await Promise.resolve(new TextEncoder().encode(stdin));
      })(),
      { isTTY: false },
    ),
    stdout: { write: (text) => void out.push(text), isTTY, columns: 80 },
    stderr: { write: (text) => void err.push(text), isTTY, columns: 80 },
  };
  return { code: await main(argv, world, systemEntropy), out: out.join(''), err: err.join('') };
}

const LAYOUT =
  /^# created: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)\n# public key: (age1\w+)\n(AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+)\n$/;

describe('age-keygen', () => {
  it.each([
    [[], /^age1(?!pq1)/, /^AGE-SECRET-KEY-1/],
    [['-pq'], /^age1pq1/, /^AGE-SECRET-KEY-PQ-1/],
  ])('AGE-09: %j writes the key file of c16.7', async (argv, recipient, identity) => {
    const { code, out, err } = await keygen(argv);
    const [, publicKey = '', secretKey = ''] = LAYOUT.exec(out) ?? [];
    expect(code).toBe(0);
    expect(publicKey).toMatch(recipient);
    expect(secretKey).toMatch(identity);
    expect(err).toBe(`Public key: ${publicKey}\n`);
    expect((await keygen(['-y'], out)).out).toBe(`${publicKey}\n`);
  });

  it('AGE-09: says nothing more on a terminal', async () => {
    expect((await keygen([], '', true)).err).toBe('');
  });

  it('AGE-09: -o makes a private file and never overwrites one', async () => {
    expect(await keygen(['-o', 'key.txt'])).toMatchObject({ code: 0, out: '', err: expect.stringMatching(/^Public key: age1/) as string });
    const path = join(cwd, 'key.txt');
    const before = readFileSync(path, 'utf8');
    expect(before).toMatch(LAYOUT);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await keygen(['-o', 'key.txt'])).toMatchObject({ code: 1, err: expect.stringContaining('file exists') as string });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it.each(['TEST-KEY-x25519.agekey', 'TEST-KEY-hybrid.agekey'])('AGE-09: -y converts %s, which age-keygen 1.3.1 made', async (name) => {
    const text = readFileSync(new URL(name, VECTORS), 'utf8');
    const publicKey = /public key: (\S+)/.exec(text)?.[1] ?? '';
    writeFileSync(join(cwd, name), text);
    expect(await keygen(['-y', name])).toMatchObject({ code: 0, out: `${publicKey}\n`, err: '' });
  });

  const refused: [name: string, argv: string[], stdin: string, message: string][] = [
    ['an input without -y', ['key.txt'], '', 'too many arguments'],
    ['-pq with -y', ['-y', '-pq'], '', '-pq cannot be used with -y'],
    ['an empty input', ['-y'], '# nothing\n', 'no identities found'],
    ['an input that is no identity', ['-y'], 'hunter2\n', 'standard input:1: invalid age identity: unknown identity type'],
    ['a missing input', ['-y', 'none'], '', 'failed to open input file "none": ENOENT'],
    ['an unknown flag', ['--frob'], '', 'unknown flag --frob'],
  ];
  it.each(refused)('refuses %s', async (_name, argv, stdin, message) => {
    const { code, out, err } = await keygen(argv, stdin);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^age-keygen: error: /);
    expect(err).toContain(message);
    expect(err).not.toContain('hunter2');
  });
});
