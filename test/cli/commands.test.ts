import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster, type RunningCluster } from '../../src/cluster/index.ts';
import { installCrds, seedFleet } from '../../src/cli/up/seed.ts';
import { findCondition } from '../../src/kube/objects/index.ts';
import { serveRepository, type RepositoryServer } from '../../src/fetch/git/index.ts';
import { systemWorld } from '../../src/base/world/index.ts';
import { encryptFor, runSotto, testRepository, type TestRepository } from '../fleets/repository.ts';
import { readFileSync } from 'node:fs';

describe('the program', () => {
  it('TRM-08: --help is an overview, COMMAND --help a manual page, both on stdout', async () => {
    const overview = await runSotto(['--help']);
    expect(overview).toMatchObject({ status: 0, stderr: '' });
    for (const word of ['up', 'cluster', 'controller', 'build', 'get', 'reconcile', 'completion', 'version', 'sops', 'age-keygen']) {
      expect(overview.stdout).toMatch(new RegExp(`^  ${word} `, 'm'));
    }
    const page = await runSotto(['up', '--help']);
    expect(page).toMatchObject({ status: 0, stderr: '' });
    for (const heading of ['Usage:', 'Examples:', 'Exit codes:', 'See also:', 'Global flags:']) expect(page.stdout).toContain(heading);
    expect((await runSotto(['help', 'get'])).stdout).toBe((await runSotto(['get', '--help'])).stdout);
  });

  it.each([
    [['upp'], 64, 'error[USAGE]: unknown command "upp"\nhint: did you mean `sotto up`?\n'],
    [['up', '--onec'], 64, 'error[USAGE]: unknown flag --onec\nhint: did you mean --once?\n'],
    [['up', '--timeout', 'soon'], 64, 'error[DURATION_INVALID]: invalid duration "soon"\nhint: write it like 30s, 5m or 1h30m\n'],
    [['up', '--port', 'x'], 64, 'error[USAGE]: invalid port "x"\nhint: a number from 0 to 65535\n'],
    [['get'], 64, 'error[USAGE]: what should be listed?\nhint: one of kustomizations, sources, secrets\n'],
    [['get', 'secrts'], 64, 'error[USAGE]: cannot list "secrts"\nhint: did you mean secrets?\n'],
    [['get', 'ks', '--kubeconfig', '/nowhere'], 65, undefined],
    [['build'], 64, 'error[USAGE]: expected one PATH\nhint: such as `sotto build ./clusters/home`\n'],
    [['build', 'nowhere'], 65, 'error[BUILD_PATH_MISSING]: nowhere does not exist\nhint: give the directory of a kustomization\n'],
    [['completion', 'tcsh'], 64, 'error[USAGE]: no completion for "tcsh"\nhint: one of bash, zsh, fish\n'],
    [['controller', '--controllers', 'sauce'], 64, 'error[USAGE]: unknown controller "sauce"\nhint: one of source, kustomization\n'],
  ])('TRM-06: %o ends with %d and says what to do', async (argv, status, stderr) => {
    const ran = await runSotto(argv);
    expect(ran.status).toBe(status);
    expect(ran.stdout).toBe('');
    if (stderr === undefined) expect(ran.stderr).toMatch(/^error\[[A-Z_]+\]: .*\n(hint: .*\n)?$/);
    else expect(ran.stderr).toBe(stderr);
  });

  it('TRM-02: version as text and JSON', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string };
    expect((await runSotto(['version'])).stdout).toBe(`sotto ${version}\n`);
    expect(JSON.parse((await runSotto(['--version', '-o', 'json'])).stdout)).toMatchObject({
      schemaVersion: 1,
      version,
      follows: { kustomize: '5.8.1' },
    });
  });

  it('a bash completion script is valid and offers commands and flags', async () => {
    const { stdout, status } = await runSotto(['completion', 'bash']);
    expect(status).toBe(0);
    const ask =
      'COMP_WORDS=(sotto up --on) COMP_CWORD=2; _sotto; echo "${COMPREPLY[@]}"; COMP_WORDS=(sotto rec) COMP_CWORD=1; _sotto; echo "${COMPREPLY[@]}"';
    expect(execFileSync('bash', ['-c', `${stdout}\n${ask}`], { encoding: 'utf8' })).toBe('--once\nreconcile\n');
  });
});

describe('commands against a running API', () => {
  let repository: TestRepository;
  let server: RepositoryServer;
  let embedded: RunningCluster;
  let kubeconfig: string;
  const stop = new AbortController();
  let controller: ReturnType<typeof runSotto>;

  beforeAll(async () => {
    repository = await testRepository();
    repository.write({
      'c/db.yaml': await encryptFor(
        repository.recipient,
        'apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: default\nstringData:\n  password: x\n',
      ),
    });
    repository.commit();
    server = await serveRepository(repository.directory, { world: systemWorld() });
    embedded = await startCluster({ dataDir: join(repository.folder, 'state') });
    kubeconfig = embedded.kubeconfigPath ?? '';
    await installCrds(embedded.cluster);
    await seedFleet(embedded.cluster, { url: server.url, branch: 'main', path: './c', ageKeys: readFileSync(repository.keyFile, 'utf8') });
    controller = runSotto(['controller', '--kubeconfig', kubeconfig, '--storage-addr', '127.0.0.1:0'], { signal: stop.signal });
  }, 30_000);
  afterAll(async () => {
    stop.abort();
    await controller;
    await embedded.close();
    await server.close();
    repository.remove();
  });

  const ks = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'flux-system', name: 'flux-system' };

  it('`sotto controller` brings a fleet up over HTTPS, with artifacts over HTTP', async () => {
    const ran = await runSotto(['reconcile', 'ks', 'flux-system', '--with-source', '--kubeconfig', kubeconfig, '--timeout', '20s']);
    expect(ran.stdout).toMatch(/^✓ Kustomization\/flux-system: Applied revision: main@sha1:[0-9a-f]{40}\n$/);
    expect(ran.status).toBe(0);
    expect(findCondition(await embedded.cluster.get(ks), 'Ready')?.status).toBe('True');
    expect((await embedded.cluster.get({ apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'db' }))['data']).toEqual({
      password: 'eA==',
    });
  });

  it.each([
    [
      ['get', 'ks'],
      /^NAME {9}STATE {4}REVISION {6}MESSAGE\nflux-system {2}✓ Ready {2}main@[0-9a-f]{7} {2}Applied revision: main@sha1:[0-9a-f]{40}\n$/,
    ],
    [
      ['get', 'sources', '--no-headers'],
      /^flux-system {2}✓ Ready {2}main@[0-9a-f]{7} {2}stored artifact for revision 'main@sha1:[0-9a-f]{40}'\n$/,
    ],
    [
      ['get', 'secrets', '-n', 'default'],
      /^NAME {2}KEYS {6}TYPE {4}PRODUCER {30,}USED BY\ndb {4}password {2}Opaque {2}Kustomization\/flux-system\/flux-system {2}-\n$/,
    ],
    [['get', 'ks', '-o', 'name'], /^kustomization\/flux-system\n$/],
    [['get', 'secret', 'db', '-n', 'default', '-o', 'yaml'], /^data:\n {2}password: '\*\*\*'\n/m],
  ])('%o', async (argv, stdout) => {
    const ran = await runSotto([...argv, '--kubeconfig', kubeconfig]);
    expect(ran.stdout).toMatch(stdout);
    expect(ran.status).toBe(0);
  });

  it('nothing found is said on stderr and in the exit status', async () => {
    const ran = await runSotto(['get', 'ks', '-n', 'nowhere', '--kubeconfig', kubeconfig]);
    expect(ran).toEqual({ status: 1, stdout: '', stderr: 'no kustomizations found in namespace nowhere\n' });
  });

  it('a suspended object is not reconciled', async () => {
    await embedded.cluster.patch(ks, 'merge', { spec: { suspend: true } });
    const ran = await runSotto(['reconcile', 'ks', 'flux-system', '--kubeconfig', kubeconfig]);
    expect(ran.stderr).toMatch(/error\[RECONCILE_SUSPENDED\]: .*is suspended\nhint: /);
    expect(ran.status).toBe(65);
  });
});
