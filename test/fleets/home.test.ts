import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { homeFleet } from './home.ts';
import { encryptFor, runSotto, testRepository, type TestRepository } from './repository.ts';

let repository: TestRepository;
beforeAll(async () => {
  repository = await testRepository();
  const files = await homeFleet({
    namespaces: 12,
    appsPerNamespace: 5,
    identity: repository.identity.reveal(),
    encrypt: (yaml) => encryptFor(repository.recipient, yaml),
  });
  repository.write(files);
  repository.commit('a fleet of sixty');
}, 60_000);
afterAll(() => repository.remove());

interface Summary {
  kustomizations: { name: string; namespace: string; state: string; objects: number }[];
  secrets: { namespace: string; name: string; mechanism: string; consumers: string[] }[];
  simulated: { kind: string; controller: string }[];
}

describe('a fleet laid out like the public home and multi-tenant repositories', () => {
  it('comes up: parent patches, components, substitution from a decrypted Secret, kinds without a CRD', { timeout: 60_000 }, async () => {
    const flags = [
      '--source',
      repository.directory,
      '--path',
      './kubernetes/flux/cluster',
      '--age-key-file',
      repository.keyFile,
      '--data-dir',
      ':memory:',
    ];
    const { status, stdout, stderr } = await runSotto(['up', '--once', '-o', 'json', ...flags], { cwd: repository.folder });
    expect(stderr).not.toContain('error[');
    expect(status).toBe(0);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.kustomizations.filter(({ state }) => state === 'ready')).toHaveLength(62);
    expect(summary.simulated).toEqual([
      { kind: 'HelmRelease.helm.toolkit.fluxcd.io', controller: expect.stringContaining('helm-controller') as string },
      { kind: 'OCIRepository.source.toolkit.fluxcd.io', controller: 'Flux' },
    ]);
    expect(summary.secrets.filter(({ mechanism }) => mechanism === 'sops')).toHaveLength(12 * (2 + 5));
    const secret = summary.secrets.find(({ namespace, name }) => namespace === 'team-03' && name === 'app-1-secret');
    expect(secret?.consumers).toEqual(['Deployment/team-03/app-1']);
    expect(stdout + stderr).not.toContain('made-up-password');
  });
});
