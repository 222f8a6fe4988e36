/**
 * The README's first command: a Git repository with encrypted secrets, all the way into a cluster; then a password changes.
 * Everything happens in a private temporary folder that is removed at the end; `--keep` stays up and prints a kubeconfig.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { privateTemporaryDirectory } from '../src/base/files/index.ts';
import { startCluster } from '../src/cluster/index.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sotto = join(root, 'bin/sotto.js');

const { values: flags } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });

const folder = await privateTemporaryDirectory('sotto-demo-');
const repository = join(folder, 'fleet');
const keyFile = join(folder, 'age.key');
const dataDir = join(folder, 'state');
/** Everything that the commands print: the proof at the end searches it. */
let log = '';

process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  await demo();
} catch (error) {
  process.stderr.write(`demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function demo(): Promise<void> {
  heading('1. A Git repository, an age key, encrypted files');
  const recipient = makeRepository();
  const upFlags = ['--source', repository, '--age-key-file', keyFile, '--data-dir', dataDir];
  say(`recipient ${recipient}`);
  say(execFileSync('grep', ['-n', 'ENC\\[', 'tenants/shop/database.env'], { cwd: repository, encoding: 'utf8' }).slice(0, 120).trimEnd());

  heading('2. From the commit to the cluster');
  run(['up', '--once', ...upFlags]);
  const before = await look();

  heading('3. A new password, a new commit');
  writeFileSync(join(repository, 'tenants/shop/database.env'), 'USER=shop\nPASSWORD=demo-second-password\n');
  encrypt('tenants/shop/database.env');
  git('commit', '--quiet', '--all', '--message', 'rotate the password of the shop database');
  run(['up', '--once', ...upFlags]);
  const after = await look();

  heading('4. What rolled');
  say(`Secret           ${before.secret}  →  ${after.secret}`);
  say(`password sha256  ${before.digest}  →  ${after.digest}`);
  say(`pod template     envFrom ${before.reference}  →  ${after.reference}`);
  say(`generation       ${before.generation}  →  ${after.generation}`);
  if (before.secret === after.secret || after.reference !== after.secret) throw new Error('the Deployment did not follow the Secret');

  heading('5. No plaintext in Git, none in the output');
  prove();
  if (flags.keep) await stay(upFlags);
}

/** Copies the example fleet, makes a key, encrypts what ends in `.plain.*`, commits. Returns the recipient. */
function makeRepository(): string {
  cpSync(join(root, 'examples/fleet'), repository, { recursive: true });
  run(['age-keygen', '-o', keyFile], { quiet: true });
  const recipient = /public key: (\S+)/.exec(readFileSync(keyFile, 'utf8'))?.[1] ?? '';
  const config = join(repository, '.sops.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll('RECIPIENT', recipient));
  for (const file of readdirSync(repository, { recursive: true, encoding: 'utf8' }).filter((name) => /\.plain\.(yaml|env)$/.test(name))) {
    const target = file.replace('.plain', '');
    cpSync(join(repository, file), join(repository, target));
    rmSync(join(repository, file));
    encrypt(target);
  }
  mkdirSync(dataDir, { mode: 0o700 });
  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'the demo fleet');
  return recipient;
}

function encrypt(file: string): void {
  run(['sops', 'encrypt', '-i', file], { quiet: true });
}

/** git with a made-up author and without the user's configuration. */
function git(...args: string[]): string {
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_AUTHOR_NAME: 'demo',
    GIT_AUTHOR_EMAIL: 'demo@example.com',
    GIT_COMMITTER_NAME: 'demo',
    GIT_COMMITTER_EMAIL: 'demo@example.com',
  };
  return execFileSync('git', args, { cwd: repository, encoding: 'utf8', env });
}

/** Runs a command of sotto as a user would, and keeps what it printed. */
function run(args: string[], options: { quiet?: boolean } = {}): void {
  if (options.quiet !== true) say(`$ sotto ${args.map((arg) => arg.replace(`${folder}/`, '')).join(' ')}`);
  const result = spawnSync(process.execPath, [sotto, ...args], {
    cwd: repository,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  log += result.stdout + result.stderr;
  if (options.quiet !== true) process.stdout.write(result.stderr + result.stdout);
  if (result.status !== 0) throw new Error(`sotto ${args[0] ?? ''} ended with status ${result.status}\n${result.stderr}`);
}

/** Opens the cluster's state again and reads what the shop runs with. */
async function look(): Promise<{ secret: string; digest: string; reference: string; generation: number }> {
  const { createHash } = await import('node:crypto');
  await using embedded = await startCluster({ dataDir });
  const deployment = await embedded.cluster.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' });
  const { items } = await embedded.cluster.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace: 'shop' });
  const secret = items.find((item) => item.metadata.name?.startsWith('database-'));
  const password = (secret?.['data'] as Record<string, string> | undefined)?.['PASSWORD'] ?? '';
  const { template } = deployment['spec'] as { template: { spec: { containers: { envFrom: { secretRef: { name: string } }[] }[] } } };
  return {
    secret: secret?.metadata.name ?? '',
    digest: createHash('sha256').update(Buffer.from(password, 'base64')).digest('hex').slice(0, 12),
    reference: template.spec.containers[0]?.envFrom[0]?.secretRef.name ?? '',
    generation: deployment.metadata.generation ?? 0,
  };
}

/** Searches every commit of the repository and everything that was printed. */
function prove(): void {
  const plaintexts = ['demo-first-password', 'demo-second-password', 'demo-stripe-key-not-real', 'acct-demo-4711'];
  const history = git('log', '--all', '--patch', '--full-history');
  for (const text of plaintexts) {
    if (history.includes(text)) throw new Error('Git holds a plaintext');
    if (log.includes(text)) throw new Error('the output holds a plaintext');
  }
  say(
    `grep over ${git('rev-list', '--all', '--count').trim()} commits and ${log.length} bytes of output: ${plaintexts.length} secrets, 0 found`,
  );
}

/** Stays up until Ctrl-C. */
function stay(upFlags: string[]): Promise<void> {
  heading('6. Yours to try, until Ctrl-C');
  say(`export KUBECONFIG=${join(dataDir, 'kubeconfig')}`);
  say(`repository ${repository}`);
  const child = spawn(process.execPath, [sotto, 'up', ...upFlags], { cwd: repository, stdio: 'inherit' });
  process.on('exit', () => child.kill('SIGTERM'));
  return new Promise((resolve) => child.on('exit', () => resolve()));
}

function heading(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

function say(text: string): void {
  process.stdout.write(`  ${text}\n`);
}
