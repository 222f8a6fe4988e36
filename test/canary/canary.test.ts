/**
 * Plants a marker in every secret of a fleet and looks for it in everything that Sotto writes besides the Secrets themselves: standard output
 * and error, JSON logs, events, status and conditions, non-Secret objects, artifacts on disk, temporary folders, arguments and
 * environment of child processes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from '../../src/cluster/index.ts';
import { jsonLog } from '../../src/base/log/index.ts';
import { systemWorld } from '../../src/base/world/index.ts';
import { startSession, type Session } from '../../src/cli/up/session.ts';
import { settle } from '../../src/cli/up/settle.ts';
import { styleFor } from '../../src/cli/style.ts';
import { systemEntropy } from '../../src/base/world/index.ts';
import { encryptFor, runSotto, testRepository, type TestRepository } from '../fleets/repository.ts';

/** Every spelling in which a leak could hide. */
const MARKER = 'canary7f3b91';
const SPELLINGS = [MARKER, Buffer.from(MARKER).toString('base64').replace(/=+$/, ''), Buffer.from(MARKER).toString('hex')];

let repository: TestRepository;
let session: Session;
let log = '';
let dataDir: string;

function leaks(text: string): string[] {
  return SPELLINGS.filter((spelling) => text.includes(spelling));
}

beforeAll(async () => {
  repository = await testRepository();
  const secret = (name: string, more = ''): string =>
    `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\n  namespace: default\nstringData:\n  password: ${MARKER}\n${more}`;
  repository.write({
    'c/good.yaml': await encryptFor(repository.recipient, secret('good')),
    'c/vars.yaml': await encryptFor(
      repository.recipient,
      secret('vars').replace('namespace: default', 'namespace: flux-system').replace('password', 'PASSWORD'),
    ),
    'c/app.yaml': child('app', './app', '  dependsOn: []\n  postBuild:\n    substituteFrom:\n      - kind: Secret\n        name: vars\n'),
    'c/broken.yaml': child('broken', './broken'),
    'c/invalid.yaml': child('invalid', './invalid'),
    'app/kustomization.yaml': 'secretGenerator:\n  - name: generated\n    namespace: default\n    envs: [s.env]\n',
    'app/s.env': await encryptFor(repository.recipient, `PASSWORD=${MARKER}\n`, 'dotenv'),
    // Each of these fails while a decrypted secret is at hand.
    'broken/kustomization.yaml': 'resources: [s.yaml]\n',
    'broken/s.yaml': await encryptFor(repository.recipient, secret('broken', `  more: \${${MARKER}\n`)),
    'dangling/s.yaml': await encryptFor(repository.recipient, secret('dangling')),
    'dangling/pod.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: default\nspec:\n  containers:\n    - name: c\n      image: x\n      envFrom:\n        - secretRef:\n            name: nowhere\n',
    'invalid/s.yaml': await encryptFor(repository.recipient, secret('invalid').replace('password:', '"bad key":')),
  });
  repository.commit();
  dataDir = join(repository.folder, 'state');
  const world = systemWorld();
  const sink = { write: (text: string) => void (log += text), isTTY: false, columns: 80 };
  const face = {
    world: { ...world, cwd: repository.folder },
    entropy: systemEntropy,
    style: styleFor('never', {}, false),
    quiet: true,
    verbose: true,
    signal: new AbortController().signal,
  };
  session = await startSession(
    {
      source: { kind: 'checkout', directory: repository.directory },
      path: './c',
      branch: 'main',
      workingTree: false,
      ageKeyFile: repository.keyFile,
      dataDir,
      port: 0,
      simulate: true,
      once: true,
      timeoutMs: 30_000,
      progress: 'auto',
      output: 'table',
    },
    face,
    await jsonLog(sink, world.clock, 'debug'),
  );
  await settle({ ...session, world, signal: AbortSignal.timeout(30_000), simulate: true, onChange: () => {}, onSimulated: () => {} });
}, 60_000);

afterAll(async () => {
  await session.close();
  repository.remove();
});

const child = (name: string, path: string, more = ''): string =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: ${name}\n  namespace: flux-system\nspec:\n  interval: 10m\n  prune: true\n  path: ${path}\n  targetNamespace: default\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n  decryption:\n    provider: sops\n    secretRef:\n      name: sops-age\n${more}`;

describe('DEC-12: no secret value', () => {
  it('the marker did reach the Secrets, so that its absence elsewhere means something', () => {
    const { store } = session.embedded.embedded;
    const found = store.list('secrets').filter((object) => leaks(JSON.stringify(object)).length > 0);
    expect(found.map((object) => object.metadata.name?.replace(/-\w{10}$/, ''))).toEqual(
      expect.arrayContaining(['generated', 'good', 'vars']),
    );
  });

  it('in any other object: status, conditions, events, managed fields', () => {
    const { store } = session.embedded.embedded;
    const others = store.resources().filter((resource) => resource !== 'secrets');
    expect(others).toContain('events');
    const wrong = others.flatMap((resource) =>
      store
        .list(resource)
        .filter((object) => leaks(JSON.stringify(object)).length > 0)
        .map((object) => `${resource}/${object.metadata.name ?? ''}`),
    );
    expect(wrong).toEqual([]);
  });

  it('in metadata of Secrets', () => {
    const { store } = session.embedded.embedded;
    const wrong = store.list('secrets').filter((object) => leaks(JSON.stringify(object.metadata)).length > 0);
    expect(wrong.map((object) => object.metadata.name)).toEqual([]);
  });

  it('in logs, at debug level, although some of it failed', () => {
    expect(log).toContain('"level":"error"');
    expect(leaks(log)).toEqual([]);
  });

  it('in artifacts, or anywhere in the data folder but the database', () => {
    const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8', withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.startsWith('cluster.db'),
    );
    expect(files.map((entry) => entry.name)).toContain('kubeconfig');
    const wrong = files.filter((entry) => leaks(readFileSync(join(entry.parentPath, entry.name), 'latin1')).length > 0);
    expect(wrong.map((entry) => entry.name)).toEqual([]);
  });

  it('in files left in temporary folders', () => {
    const folders = ['/tmp', '/dev/shm'].filter((folder) => existsSync(folder));
    const ours = folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.startsWith('sotto-') && !name.startsWith('sotto-test-'))
        .map((name) => join(folder, name)),
    );
    const wrong = ours.filter((path) => grepFinds(path));
    expect(wrong).toEqual([]);
  });

  it('in arguments and environment of this process and its children', () => {
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const wrong = processes.filter((pid) => ['cmdline', 'environ'].some((file) => leaks(readProc(pid, file)).length > 0));
    expect(wrong).toEqual([]);
  });
});

function grepFinds(path: string): boolean {
  try {
    execFileSync('grep', ['-rqa', MARKER, path], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // grep answers 1 when there is nothing, 2 when the folder went meanwhile
  }
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(join('/proc', pid, file), 'latin1');
  } catch {
    return ''; // ended meanwhile, or somebody else's
  }
}

describe('commands show no secret value', () => {
  const flags = (): string[] => ['--source', repository.directory, '--path', './c', '--age-key-file', repository.keyFile];

  it.each<[string, () => string[]]>([
    ['up with a summary', () => ['up', '--once', '--data-dir', ':memory:', ...flags()]],
    ['up with a wide summary', () => ['up', '--once', '--data-dir', ':memory:', '-o', 'wide', ...flags()]],
    ['up as JSON', () => ['up', '--once', '--data-dir', ':memory:', '-o', 'json', ...flags()]],
    ['build with a key', () => ['build', join(repository.directory, 'app'), '--age-key-file', repository.keyFile]],
    ['build without a key', () => ['build', join(repository.directory, 'c')]],
    ['build of what fails', () => ['build', join(repository.directory, 'invalid'), '--age-key-file', repository.keyFile]],
    ['get secrets', () => ['get', 'secrets', '-A', '--kubeconfig', join(dataDir, 'kubeconfig')]],
    ['get secrets as YAML', () => ['get', 'secrets', '-A', '-o', 'yaml', '--kubeconfig', join(dataDir, 'kubeconfig')]],
    ['get secrets as JSON', () => ['get', 'secrets', '-A', '-o', 'json', '--kubeconfig', join(dataDir, 'kubeconfig')]],
    ['get ks', () => ['get', 'ks', '-A', '-o', 'json', '--kubeconfig', join(dataDir, 'kubeconfig')]],
    ['sops decrypt of a tampered file', () => ['sops', 'decrypt', tampered()]],
    ['build --check', () => ['build', join(repository.directory, 'dangling'), '--check', '--age-key-file', repository.keyFile]],
    ['kustomize build', () => ['kustomize', 'build', join(repository.directory, 'c')]],
    ['kustomize build --explain', () => ['kustomize', 'build', join(repository.directory, 'c'), '--explain', 'stringData']],
    ['sops check', () => ['sops', 'check', repository.directory]],
    ['sops check as SARIF', () => ['sops', 'check', '--format', 'sarif', repository.directory]],
    ['sops verify', () => ['sops', 'verify', join(repository.directory, 'c/good.yaml')]],
    ['sops verify of a tampered file', () => ['sops', 'verify', tampered()]],
    ['sops explain', () => ['sops', 'explain', join(repository.directory, 'c/good.yaml')]],
    ['sops filestatus', () => ['sops', 'filestatus', join(repository.directory, 'c/good.yaml')]],
    ['sops git textconv', () => ['sops', 'git', 'textconv', join(repository.directory, 'c/good.yaml')]],
    ['sops rotate, to standard output', () => ['sops', 'rotate', join(repository.directory, 'c/good.yaml')]],
    ['sops set of a path that cannot be', () => ['sops', 'set', copy(), '["stringData"]["password"]["deeper"][0]x', '"x"']],
    ['sops unset of what is not there', () => ['sops', 'unset', copy(), '["stringData"]["nothing"]']],
    ['sops exec-env of a file that is no environment', () => ['sops', 'exec-env', copy(), 'true']],
  ])('%s', async (_name, argv) => {
    const ran = await runSotto(argv(), { cwd: repository.folder, env: { SOPS_AGE_KEY_FILE: repository.keyFile, SOTTO_DEBUG: '1' } });
    expect(ran.stdout + ran.stderr).not.toBe('');
    expect(leaks(ran.stdout + ran.stderr)).toEqual([]);
  });

  /** A file that a command may change. */
  function copy(): string {
    const path = join(mkdtempSync(join(repository.folder, 'copy-')), 's.yaml');
    writeFileSync(path, readFileSync(join(repository.directory, 'c/good.yaml')));
    return path;
  }

  function tampered(): string {
    const folder = mkdtempSync(join(repository.folder, 'tampered-'));
    const path = join(folder, 's.yaml');
    writeFileSync(path, readFileSync(join(repository.directory, 'c/good.yaml'), 'utf8').replace('name: good', 'name: bad'));
    return path;
  }
});

afterAll(() => rmSync(join(repository.folder), { recursive: true, force: true }));

it('AUD-02: the audit log of the API holds no secret value, of failed requests neither', async () => {
  const events: unknown[] = [];
  await using embedded = await startCluster({ audit: { sink: { write: (event) => void events.push(event) } } });
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'default' }, stringData: { password: MARKER } };
  await embedded.cluster.create(secret);
  await embedded.cluster.patch({ ...secret, namespace: 'default', name: 'a' }, 'merge', { stringData: { password: `${MARKER}2` } });
  await embedded.cluster
    .create({ ...secret, metadata: { name: 'b', namespace: 'default' }, stringData: { 'bad key': MARKER } })
    .catch(() => undefined);
  expect(events.length).toBeGreaterThanOrEqual(3);
  expect(JSON.stringify(events)).toContain('"secrets"');
  expect(leaks(JSON.stringify(events))).toEqual([]);
});
