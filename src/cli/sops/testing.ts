import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemEntropy, systemWorld, type World } from '../../base/world/index.ts';
import { main } from './index.ts';

const VECTORS = new URL('../../../test/vectors/sops/', import.meta.url).pathname;
/** A file of the SOPS test vectors. */
export const vector = (name: string): string => join(VECTORS, name);
export const KEY_FILE = vector('TEST-KEY-x25519.agekey');
const KEY_TEXT = readFileSync(KEY_FILE, 'utf8');
export const RECIPIENT = /age1\w+/.exec(KEY_TEXT)?.[0] ?? '';
export const SECOND_KEY_FILE = vector('TEST-KEY-second.agekey');
export const SECOND_RECIPIENT = /age1\w+/.exec(readFileSync(SECOND_KEY_FILE, 'utf8'))?.[0] ?? '';

/** Where all runs of this process live; the test removes it. */
export const root = mkdtempSync(join(tmpdir(), 'sotto-sops-test-'));

export interface Run {
  readonly env?: Readonly<Record<string, string>>;
  /** Each text is one piece of input. */
  readonly stdin?: string | readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Default: a fresh directory. */
  readonly cwd?: string;
  /** Default: none. */
  readonly auditFile?: string;
}

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly cwd: string;
}

/** Runs in a fresh directory, with nothing of the surroundings in the environment but the path of node. */
export async function sops(argv: readonly string[], options: Run = {}): Promise<Result> {
  const cwd = options.cwd ?? mkdtempSync(join(root, 'case-'));
  for (const [name, content] of Object.entries(options.files ?? {})) {
    mkdirSync(join(cwd, name, '..'), { recursive: true });
    writeFileSync(join(cwd, name), content);
  }
  const out: string[] = [];
  const err: string[] = [];
  const pieces = typeof options.stdin === 'string' ? [options.stdin] : (options.stdin ?? []);
  const stdin = Object.assign(
    (async function* () {
      for (const piece of pieces) yield await Promise.resolve(new TextEncoder().encode(piece));
    })(),
    { isTTY: false },
  );
  const world: World = {
    ...systemWorld(),
    cwd,
    env: { HOME: cwd, PATH: process.env['PATH'], SOPS_AGE_KEY_FILE: KEY_FILE, ...options.env },
    stdin,
    stdout: { write: (text) => void out.push(text), isTTY: false, columns: 80 },
    stderr: { write: (text) => void err.push(text), isTTY: false, columns: 80 },
  };
  return {
    code: await main(argv, world, systemEntropy, options.auditFile ?? join(root, 'no-audit.yaml')),
    out: out.join(''),
    err: err.join(''),
    cwd,
  };
}

/** The text of a file of a run. */
export function fileOf({ cwd }: Pick<Result, 'cwd'>, name: string): string {
  return readFileSync(join(cwd, name), 'utf8');
}

/** Encrypts a text for the first test key. */
export async function encrypted(plain: string, name = 'x.yaml'): Promise<string> {
  return (await sops(['encrypt', '--age', RECIPIENT, '--filename-override', name], { stdin: plain })).out;
}

/** Decrypts a text with the first test key, or says why not. */
export async function decrypted(text: string, name = 'x.yaml', env: Run['env'] = {}): Promise<string> {
  const { code, out, err } = await sops(['decrypt', '--filename-override', name], { stdin: text, env });
  return code === 0 ? out : err;
}
