import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { systemEntropy, systemWorld, type Output, type World } from '../../src/base/world/index.ts';
import { main } from '../../src/cli/index.ts';
import { ageKey, ageRecipientOf, generateAgeIdentity } from '../../src/secrets/keys/index.ts';
import { encrypt, type SopsFormat } from '../../src/secrets/sops/index.ts';
import type { Sensitive } from '../../src/base/sensitive/index.ts';

/** A Git repository in a temporary folder, with an age key made for it. */
export interface TestRepository {
  readonly folder: string;
  readonly directory: string;
  readonly keyFile: string;
  readonly identity: Sensitive<string>;
  readonly recipient: string;
  write(files: ReadonlyMap<string, string> | Record<string, string>): void;
  commit(message?: string): void;
  git(...args: string[]): string;
  remove(): void;
}

/** git without the user's configuration, with a made-up author. */
export const GIT_ENV = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
};

export async function testRepository(): Promise<TestRepository> {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-test-'));
  const directory = join(folder, 'fleet');
  const keyFile = join(folder, 'age.key');
  const identity = generateAgeIdentity(systemEntropy);
  const recipient = await ageRecipientOf(identity, systemWorld());
  mkdirSync(directory);
  writeFileSync(keyFile, `# TEST KEY\n# public key: ${recipient}\n${identity.reveal()}\n`, { mode: 0o600 });
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: directory, encoding: 'utf8', env: { ...process.env, ...GIT_ENV }, stdio: ['ignore', 'pipe', 'pipe'] });
  git('init', '--quiet', '--initial-branch', 'main');
  return {
    folder,
    directory,
    keyFile,
    identity,
    recipient,
    write: (files) => {
      for (const [path, text] of files instanceof Map ? files : Object.entries(files)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), text);
      }
    },
    commit: (message = 'change') => {
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', message);
    },
    git,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Encrypts a text for a recipient, as `sops encrypt` with `encrypted_regex: ^(data|stringData)$` for manifests. */
export async function encryptFor(recipient: string, text: string, format: SopsFormat = 'yaml'): Promise<string> {
  const bytes = await encrypt(new TextEncoder().encode(text), {
    format,
    groups: [[ageKey(recipient)]],
    world: systemWorld(),
    entropy: systemEntropy,
    ...(format === 'yaml' ? { selection: { encryptedRegex: '^(data|stringData)$' } } : {}),
  });
  return new TextDecoder().decode(bytes);
}

/** What a command printed and how it ended. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of sotto in this process, with no environment but what is given. */
export async function runSotto(
  argv: readonly string[],
  options: { cwd?: string; env?: World['env']; signal?: AbortSignal; onOutput?: (text: string) => void } = {},
): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  const output = (keep: (text: string) => void): Output => ({
    write: (text) => {
      keep(text);
      options.onOutput?.(text);
    },
    isTTY: false,
    columns: 80,
  });
  const world: World = {
    ...systemWorld(),
    env: { PATH: process.env['PATH'], HOME: options.cwd ?? tmpdir(), ...options.env },
    cwd: options.cwd ?? tmpdir(),
    stdout: output((text) => (stdout += text)),
    stderr: output((text) => (stderr += text)),
  };
  const status = await main(argv, world, systemEntropy, options.signal ?? new AbortController().signal);
  return { status, stdout, stderr };
}
