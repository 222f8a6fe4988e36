import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startCluster } from '../../src/cluster/index.ts';
import { encryptFor, runSotto, testRepository, type Ran, type TestRepository } from '../fleets/repository.ts';

let repository: TestRepository;
beforeEach(async () => {
  repository = await testRepository();
});
afterEach(() => repository.remove());

const up = (...flags: string[]): Promise<Ran> =>
  runSotto(['up', '--once', '--data-dir', ':memory:', '--timeout', '20s', '--source', repository.directory, '--path', './c', ...flags], {
    cwd: repository.folder,
  });

const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: default\nstringData:\n  password: canary-plaintext\n';
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: default\ndata:\n  a: b\n';

/** A Flux Kustomization `name` over `path`. */
const kustomization = (name: string, path: string, more = ''): string =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: ${name}\n  namespace: flux-system\nspec:\n  interval: 10m\n  prune: true\n  path: ${path}\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n${more}`;

/** The run failed with this exit status, says what and what to do, and shows no secret and no stack. */
function expectFailure(ran: Ran, status: number, message: RegExp, hint: RegExp): void {
  expect(ran.stderr).toMatch(message);
  expect(ran.stderr).toMatch(new RegExp(`hint: .*${hint.source}`));
  expect(ran.status).toBe(status);
  expect(ran.stdout + ran.stderr).not.toContain('canary-plaintext');
  expect(ran.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
}

describe('the source', () => {
  it('no repository', async () => {
    const folder = join(repository.folder, 'plain');
    mkdirSync(folder);
    const ran = await runSotto(['up', '--once', '--data-dir', ':memory:', '--source', folder], { cwd: folder });
    expectFailure(ran, 65, /error\[SOURCE_NOT_A_REPOSITORY\]: .*plain is not a Git checkout/, /checkout or a URL/);
  });

  it('an empty repository', async () => {
    expectFailure(await up('--branch', 'main'), 65, /error\[SOURCE_EMPTY\]/, /commit something, or use --working-tree/);
  });

  it('no such branch', async () => {
    repository.commit();
    expectFailure(await up('--branch', 'mian'), 65, /error\[SOURCE_BRANCH_MISSING\]: .*has no branch "mian"/, /main/);
  });

  it('a path that is not there', async () => {
    repository.commit();
    expectFailure(await up(), 1, /kustomization path not found/, /--path/);
  });

  it('a key file that is missing, and one without a key', async () => {
    repository.commit();
    expectFailure(await up('--age-key-file', 'nowhere.key'), 65, /error\[AGE_KEY_FILE_UNREADABLE\]: .*nowhere\.key/, /age-keygen/);
    writeFileSync(join(repository.folder, 'empty.key'), '# nothing\n');
    expectFailure(await up('--age-key-file', 'empty.key'), 65, /error\[AGE_KEY_FILE_EMPTY\]/, /AGE-SECRET-KEY-1/);
  });
});

describe('encryption', () => {
  it('the wrong key', async () => {
    const other = await testRepository();
    repository.write({ 'c/db.yaml': await encryptFor(other.recipient, SECRET) });
    repository.commit();
    expectFailure(await up('--age-key-file', repository.keyFile), 1, /cannot get sops data key/, /--age-key-file/);
    other.remove();
  });

  it('no key at all: nothing encrypted reaches the cluster', async () => {
    repository.write({ 'c/db.yaml': await encryptFor(repository.recipient, SECRET) });
    repository.commit();
    expectFailure(await up(), 1, /Secret\/default\/db is SOPS encrypted, configuring decryption is required/, /spec\.decryption/);
  });

  it('a missing key Secret', async () => {
    const decryption = '  decryption:\n    provider: sops\n    secretRef:\n      name: nowhere\n';
    repository.write({
      'c/ks.yaml': kustomization('app', './app', decryption),
      'app/db.yaml': await encryptFor(repository.recipient, SECRET),
    });
    repository.commit();
    expectFailure(await up(), 1, /secrets "nowhere" not found/, /secretRef/);
  });

  it('a tampered file: the MAC tells', async () => {
    const encrypted = await encryptFor(repository.recipient, SECRET);
    repository.write({ 'c/db.yaml': encrypted.replace('namespace: default', 'namespace: kube-system') });
    repository.commit();
    expectFailure(await up('--age-key-file', repository.keyFile), 1, /MAC mismatch/i, /changed after encryption/);
  });

  it('a plain Secret beside encrypted ones is a warning, with its file', async () => {
    repository.write({
      'c/db.yaml': await encryptFor(repository.recipient, SECRET),
      'c/plain.yaml': SECRET.replace('name: db', 'name: plain'),
    });
    repository.commit();
    const ran = await up('--age-key-file', repository.keyFile);
    expect(ran.status).toBe(0);
    expect(ran.stderr).toMatch(/warning: c\/plain\.yaml.*not encrypted|warning: c\/plain\.yaml.*plain/);
    expect(ran.stdout + ran.stderr).not.toContain('canary-plaintext');
  });

  it('generator input that cannot be opened', async () => {
    const other = await testRepository();
    repository.write({
      'c/kustomization.yaml': 'secretGenerator:\n  - name: s\n    envs: [s.env]\n',
      'c/s.env': await encryptFor(other.recipient, 'A=canary-plaintext\n', 'dotenv'),
    });
    repository.commit();
    expectFailure(await up('--age-key-file', repository.keyFile), 1, /error decrypting sources.*s\.env/, /--age-key-file/);
    other.remove();
  });
});

describe('manifests', () => {
  it('broken YAML: file and line', async () => {
    repository.write({
      'c/kustomization.yaml': 'resources: [a.yaml]\n',
      'c/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n bad: [\n',
    });
    repository.commit();
    expectFailure(await up(), 1, /c\/a\.yaml:5|a\.yaml.*line 5/, /./);
  });

  it('an unknown kustomization field', async () => {
    repository.write({
      'c/kustomization.yaml': 'resources: [base]\n',
      'c/base/kustomization.yaml': 'resourcez: [a.yaml]\n',
      'c/base/a.yaml': CONFIG_MAP,
    });
    repository.commit();
    expectFailure(await up(), 1, /unknown field "resourcez"/, /field/);
  });

  it('the same object twice', async () => {
    repository.write({ 'c/kustomization.yaml': 'resources: [a.yaml, b.yaml]\n', 'c/a.yaml': CONFIG_MAP, 'c/b.yaml': CONFIG_MAP });
    repository.commit();
    expectFailure(await up(), 1, /already registered id/, /listed twice/);
  });

  it('dependsOn in a circle', async () => {
    repository.write({
      'c/a.yaml': kustomization('a', './app', '  dependsOn:\n    - name: b\n'),
      'c/b.yaml': kustomization('b', './app', '  dependsOn:\n    - name: a\n'),
      'app/a.yaml': CONFIG_MAP,
    });
    repository.commit();
    expectFailure(await up(), 1, /circular dependency: flux-system\/a -> flux-system\/b -> flux-system\/a/, /remove one dependsOn/);
  });

  it('a substitution variable that nobody defines', async () => {
    repository.write({
      'c/ks.yaml': kustomization('app', './app', '  postBuild:\n    substitute:\n      KNOWN: x\n'),
      'app/a.yaml': CONFIG_MAP.replace('a: b', 'a: ${UNKNOWN}'),
    });
    repository.commit();
    expectFailure(await up(), 1, /variable not set \(strict mode\): "UNKNOWN"/, /spec\.postBuild/);
  });

  it('a custom resource without a CRD, when simulation is off', async () => {
    repository.write({
      'c/hr.yaml': 'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: x\n  namespace: default\nspec: {}\n',
    });
    repository.commit();
    expectFailure(
      await up('--no-simulate'),
      1,
      /no matches for kind "HelmRelease" in version "helm\.toolkit\.fluxcd\.io\/v2"/,
      /helm-controller/,
    );
  });
});

describe('the machine', () => {
  it('a port that is taken', async () => {
    repository.commit();
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    expectFailure(await up('--port', String(port)), 65, new RegExp(`error\\[CLUSTER_PORT_TAKEN\\].*${port}`), /port/);
    taken.close();
  });

  it('a data folder that another process uses', async () => {
    repository.commit();
    const dataDir = join(repository.folder, 'state');
    await using _running = await startCluster({ dataDir });
    expectFailure(await up('--data-dir', dataDir), 65, /error\[CLUSTER_DATA_LOCKED\]/, /./);
  });

  it('a corrupt database is refused and left as it is', async () => {
    repository.commit();
    const dataDir = join(repository.folder, 'state');
    mkdirSync(dataDir);
    const database = join(dataDir, 'cluster.db');
    const rubbish = Buffer.alloc(8192, 'this is no database ');
    writeFileSync(database, rubbish);
    expectFailure(await up('--data-dir', dataDir), 65, /error\[CLUSTER_DATABASE_CORRUPT\]/, /./);
    expect(readFileSync(database)).toEqual(rubbish);
  });

  it('--delete refuses a folder that is none of ours', async () => {
    const folder = join(repository.folder, 'precious');
    mkdirSync(folder);
    writeFileSync(join(folder, 'thesis.txt'), 'x');
    const ran = await runSotto(['up', '--delete', '--data-dir', folder], { cwd: repository.folder });
    expectFailure(ran, 65, /error\[DATA_DIR_FOREIGN\]/, /nothing was removed/);
    expect(readFileSync(join(folder, 'thesis.txt'), 'utf8')).toBe('x');
  });
});

const root = join(import.meta.dirname, '../..');

/** Starts `sotto up` as a process and resolves when a line of its output matches. */
function startUp(dataDir: string, until: RegExp): Promise<{ kill(signal: NodeJS.Signals): Promise<number | null>; output(): string }> {
  const entry = `import { start } from ${JSON.stringify(join(root, 'src/cli/index.ts'))}; await start(process.argv.slice(1), 'sotto');`;
  const args = [
    '--input-type=module-typescript',
    '--eval',
    entry,
    '--',
    'up',
    '--data-dir',
    dataDir,
    '--source',
    repository.directory,
    '--path',
    './c',
  ];
  const child = spawn(process.execPath, args, { cwd: repository.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (until.test(output)) {
        resolve({
          kill: (signal) => {
            child.kill(signal);
            return exited;
          },
          output: () => output,
        });
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then((code) => reject(new Error(`ended with ${code}:\n${output}`)));
  });
}

describe('being stopped', () => {
  beforeEach(() => {
    repository.write({ 'c/a.yaml': CONFIG_MAP });
    repository.commit();
  });

  it('Ctrl-C ends it cleanly; state and kubeconfig stay', async () => {
    const dataDir = join(repository.folder, 'state');
    const running = await startUp(dataDir, /flux-system\s+✓ Ready|flux-system\/flux-system\s.*Ready/);
    expect(await running.kill('SIGINT')).toBe(0);
    await using again = await startCluster({ dataDir });
    expect((await again.cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' }))['data']).toEqual({ a: 'b' });
  });

  it.each([/cluster\s+ready/, /source\s+flux-system/, /Ready/])(
    'SIGKILL at %s loses nothing and the next start goes on',
    async (moment) => {
      const dataDir = join(repository.folder, 'state');
      const running = await startUp(dataDir, moment);
      expect(await running.kill('SIGKILL')).toBeNull();
      const ran = await up('--data-dir', dataDir);
      expect(ran.stderr).not.toContain('error[');
      expect(ran.status).toBe(0);
    },
  );
});
