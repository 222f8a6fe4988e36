import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { noLog } from '../../base/log/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { systemEntropy, systemWorld } from '../../base/world/index.ts';
import { createCluster } from '../../cluster/server/index.ts';
import { artifactStorage, fetchArtifact, serveArtifacts } from '../../fetch/artifact/index.ts';
import { gitProgramFetcher, serveRepository } from '../../fetch/git/index.ts';
import { temporaryDirectories, testRepository } from '../../fetch/git/repository.fixture.ts';
import { connect } from '../../kube/client/index.ts';
import { cloneJson, findCondition, sottoCrds, type GitRepository } from '../../kube/objects/index.ts';
import { gitRepositoryController } from './index.ts';

const temporary = temporaryDirectories();
afterAll(() => temporary.remove());

describe('gitRepositoryController with the git program', () => {
  it('SRC-04/GIT-07: from a password-protected repository over HTTP to an archive over HTTP', async () => {
    const world = systemWorld();
    const repository = testRepository(join(temporary.make(), 'fleet'));
    repository.commit({ 'clusters/a/app.yaml': 'one', 'README.md': 'x', '.sourceignore': '*.md\n' }, 'first');
    const auth = { kind: 'basic', username: 'robot', password: new Sensitive('CANARY') } as const;
    const server = await serveRepository(repository.directory, { world, auth });
    const embedded = await createCluster({ world, entropy: systemEntropy });
    let address = '';
    const storage = artifactStorage({ world, directory: temporary.make(), advertisedAddress: () => address });
    const artifacts = await serveArtifacts(storage, { world });
    ({ address } = artifacts);
    try {
      const cluster = connect(embedded.handle);
      const crd = sottoCrds().find(({ metadata }) => metadata.name === 'gitrepositories.source.toolkit.fluxcd.io');
      if (crd === undefined) throw new Error('no such CustomResourceDefinition');
      await cluster.create(cloneJson(crd));
      const secret = { username: 'robot', password: 'CANARY' };
      const data = Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
      await cluster.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'default', name: 'auth' }, type: 'Opaque', data });
      const ref = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', namespace: 'default', name: 'fleet' };
      await cluster.create({
        apiVersion: ref.apiVersion,
        kind: ref.kind,
        metadata: { namespace: ref.namespace, name: ref.name },
        spec: { url: server.url, interval: '1m', ref: { branch: 'main' }, secretRef: { name: 'auth' } },
      });
      const fetcher = gitProgramFetcher({ world });
      const controller = gitRepositoryController({ cluster, fetcher, storage, world, log: noLog, events: { emit: () => undefined } });
      const run = (): Promise<unknown> => controller.reconcile(ref, new AbortController().signal);
      const read = async (): Promise<GitRepository> => (await cluster.get(ref)) as GitRepository;
      const filesOf = async ({ status }: GitRepository): Promise<Record<string, string>> => {
        if (status?.artifact === undefined) throw new Error(JSON.stringify(status));
        const tree = await fetchArtifact(status.artifact, { world, retries: 0 });
        const text = (path: string): string => Buffer.from(tree.read(path) ?? []).toString();
        return { app: text('clusters/a/app.yaml'), readme: String(tree.kind('README.md')) };
      };

      await run();
      expect(findCondition(await read(), 'Ready')).toMatchObject({ status: 'True', reason: 'Succeeded' });
      expect(await filesOf(await read())).toEqual({ app: 'one', readme: 'undefined' });
      await run();
      repository.commit({ 'clusters/a/app.yaml': 'two' }, 'second');
      await run();
      expect(await filesOf(await read())).toEqual({ app: 'two', readme: 'undefined' });

      await cluster.patch({ apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'auth' }, 'merge', {
        data: { password: btoa('CANARY2') },
      });
      repository.commit({ 'clusters/a/app.yaml': 'three' }, 'third');
      await expect(run()).rejects.toThrow('authentication required');
      const failed = await read();
      expect(findCondition(failed, 'Ready')?.message).toBe(
        `failed to checkout and determine revision: unable to list remote for '${server.url}': authentication required`,
      );
      expect(JSON.stringify(failed)).not.toContain('CANARY');
      expect(await filesOf(failed)).toEqual({ app: 'two', readme: 'undefined' });
    } finally {
      await artifacts.close();
      await embedded.close();
      await server.close();
    }
  });
});
