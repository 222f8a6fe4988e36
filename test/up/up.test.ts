import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startCluster } from '../../src/cluster/index.ts';
import { connect, httpsHandle, type Cluster } from '../../src/kube/client/index.ts';
import { systemWorld } from '../../src/base/world/index.ts';
import { runSotto, testRepository, type Ran, type TestRepository } from '../fleets/repository.ts';

let repository: TestRepository;
beforeEach(async () => {
  repository = await testRepository();
});
afterEach(() => repository.remove());

const configMap = (value: string, name = 'a'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: default\ndata:\n  value: ${value}\n`;
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' };

const state = (): string => join(repository.folder, 'state');
const flags = (): string[] => ['--source', repository.directory, '--path', './c', '--data-dir', state()];
const once = (...more: string[]): Promise<Ran> => runSotto(['up', '--once', ...flags(), ...more], { cwd: repository.folder });

async function valueAfter(...more: string[]): Promise<unknown> {
  const ran = await once(...more);
  expect(ran.stderr).not.toContain('error[');
  expect(ran.status).toBe(0);
  await using embedded = await startCluster({ dataDir: state() });
  return ((await embedded.cluster.get(ref))['data'] as { value: unknown }).value;
}

/** Runs `sotto up` without --once while `work` runs, then stops it as Ctrl-C would. */
async function whileUp(work: (cluster: Cluster) => Promise<void>, ...more: string[]): Promise<Ran> {
  const stop = new AbortController();
  let output = '';
  const running = runSotto(['up', ...flags(), ...more], {
    cwd: repository.folder,
    signal: stop.signal,
    onOutput: (text) => (output += text),
  });
  try {
    await until(() => output.includes('kubeconfig'));
    const handle = await httpsHandle({ kubeconfig: { path: join(state(), 'kubeconfig') }, world: systemWorld() });
    await work(connect(handle));
    await handle.close();
  } finally {
    stop.abort();
  }
  return running;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('did not happen within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe('sotto up', () => {
  it('a restart keeps state and resourceVersions; an unchanged fleet is not written again', async () => {
    repository.write({ 'c/a.yaml': configMap('one') });
    repository.commit();
    expect(await valueAfter()).toBe('one');
    const version = async (): Promise<string | undefined> => {
      await using embedded = await startCluster({ dataDir: state() });
      return (await embedded.cluster.get(ref)).metadata.resourceVersion;
    };
    const before = await version();
    expect(await valueAfter()).toBe('one');
    expect(await version()).toBe(before);
  });

  it('the data folder is private, its files too, and Git ignores it', async () => {
    repository.write({ 'c/a.yaml': configMap('one') });
    repository.commit();
    await valueAfter();
    expect(statSync(state()).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(state(), '.gitignore'), 'utf8')).toBe('*\n');
    const open = readdirSync(state(), { recursive: true, encoding: 'utf8' }).filter(
      (file) => statSync(join(state(), file)).isFile() && (statSync(join(state(), file)).mode & 0o077) !== 0,
    );
    expect(open).toEqual([]);
    expect((await runSotto(['up', '--delete', '--data-dir', state()])).status).toBe(0);
    expect(existsSync(state())).toBe(false);
  });

  it('a new commit is applied at once, although the interval is a minute', async () => {
    repository.write({ 'c/a.yaml': configMap('one') });
    repository.commit();
    const ran = await whileUp(async (cluster) => {
      const value = async (): Promise<unknown> => ((await cluster.find(ref))?.['data'] as { value: unknown } | undefined)?.value;
      await until(async () => (await value()) === 'one');
      repository.write({ 'c/a.yaml': configMap('two') });
      repository.commit();
      await until(async () => (await value()) === 'two');
    });
    expect(ran.status).toBe(0);
  });

  it('--working-tree takes uncommitted changes and touches neither index, refs nor objects', async () => {
    repository.write({ 'c/a.yaml': configMap('one') });
    repository.commit();
    repository.write({ 'c/a.yaml': configMap('uncommitted') });
    const picture = (): string[] => [
      repository.git('status', '--porcelain'),
      repository.git('for-each-ref'),
      repository.git('count-objects'),
      readFileSync(join(repository.directory, '.git/index'), 'hex'),
    ];
    const before = picture();
    expect(await valueAfter('--working-tree')).toBe('uncommitted');
    expect(picture()).toEqual(before);
  });

  it('--working-tree follows edits as they are saved', async () => {
    repository.write({ 'c/a.yaml': configMap('one') });
    repository.commit();
    await whileUp(async (cluster) => {
      const value = async (): Promise<unknown> => ((await cluster.find(ref))?.['data'] as { value: unknown } | undefined)?.value;
      await until(async () => (await value()) === 'one');
      repository.write({ 'c/a.yaml': configMap('edited') });
      await until(async () => (await value()) === 'edited');
    }, '--working-tree');
    expect(repository.git('rev-list', '--count', 'HEAD').trim()).toBe('1');
  });

  it('--branch follows another branch than the one checked out', async () => {
    repository.write({ 'c/a.yaml': configMap('main') });
    repository.commit();
    repository.git('checkout', '--quiet', '-b', 'next');
    repository.write({ 'c/a.yaml': configMap('next') });
    repository.commit();
    repository.git('checkout', '--quiet', 'main');
    expect(await valueAfter('--branch', 'next')).toBe('next');
  });

  it('the bootstrap manifests of the tree stay as written and are fetched from the checkout, without their secretRef', async () => {
    repository.git('remote', 'add', 'origin', 'git@git.example:team/fleet.git');
    const source = (name: string, url: string): string =>
      `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: ${name}\n  namespace: flux-system\nspec:\n  interval: 1m\n  url: ${url}\n  ref:\n    branch: main\n  secretRef:\n    name: deploy-key\n`;
    repository.write({
      'c/a.yaml': configMap('one'),
      'c/gotk-sync.yaml': source('flux-system', 'ssh://git@elsewhere.example/x/y'),
      'c/again.yaml': source('again', 'ssh://git@git.example/team/fleet'),
    });
    repository.commit();
    expect(await valueAfter()).toBe('one');
    await using embedded = await startCluster({ dataDir: state() });
    for (const [name, url] of [
      ['flux-system', 'ssh://git@elsewhere.example/x/y'],
      ['again', 'ssh://git@git.example/team/fleet'],
    ] as const) {
      const object = await embedded.cluster.get({
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'GitRepository',
        namespace: 'flux-system',
        name,
      });
      expect(object['spec']).toMatchObject({ url, secretRef: { name: 'deploy-key' } });
      expect((object['status'] as { artifact: { revision: string } }).artifact.revision).toMatch(/^main@sha1:/);
    }
  });

  it('a kind that nothing provides is simulated; a real CRD that comes later replaces it and keeps its objects', async () => {
    const widget = 'apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n  namespace: default\nspec:\n  size: 3\n';
    repository.write({ 'c/a.yaml': configMap('one'), 'c/w.yaml': widget });
    repository.commit();
    const first = await once();
    expect(first.stdout).toContain('simulated kinds, whose controllers did not run: Widget.example.com');
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { kind: 'Widget', plural: 'widgets' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
            },
          },
        ],
      },
    };
    repository.write({ 'c/crd.yaml': JSON.stringify(crd) });
    repository.commit();
    const second = await once();
    expect(second.stderr).not.toContain('error[');
    expect(second.stdout).not.toContain('simulated kinds');
    await using embedded = await startCluster({ dataDir: state() });
    const stored = await embedded.cluster.get({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      name: 'widgets.example.com',
    });
    expect(JSON.stringify(stored['spec'])).not.toContain('preserve-unknown');
    expect((await embedded.cluster.get({ apiVersion: 'example.com/v1', kind: 'Widget', namespace: 'default', name: 'w' }))['spec']).toEqual(
      { size: 3 },
    );
  });

  it('TRM-01: --once -o json is one document with a schemaVersion on stdout, and with --quiet nothing on stderr', async () => {
    repository.write({ 'c/a.yaml': configMap('one') });
    repository.commit();
    const ran = await once('-o', 'json', '--quiet');
    expect(ran.stderr).toBe('');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      schemaVersion: 1,
      kustomizations: [{ name: 'flux-system', state: 'ready', objects: 1 }],
      secrets: [],
      simulated: [],
    });
  });

  it(':memory: leaves nothing behind', async () => {
    repository.write({ 'c/a.yaml': configMap('one') });
    repository.commit();
    const ran = await runSotto(['up', '--once', '--source', repository.directory, '--path', './c', '--data-dir', ':memory:'], {
      cwd: repository.folder,
    });
    expect(ran.status).toBe(0);
    const folder = /kubeconfig {2}(.*)\/kubeconfig/.exec(ran.stderr)?.[1] ?? '';
    expect(folder).toContain('sotto-up-');
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(join(repository.folder, '.sotto'))).toBe(false);
  });
});
