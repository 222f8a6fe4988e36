import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { codeOf } from '../../base/errors/index.ts';
import { memoryTree } from '../../base/files/index.ts';
import { systemWorld, virtualWorld, type VirtualWorld } from '../../base/world/index.ts';
import { artifactFetch, artifactStorage, digestOf, fetchArtifact, serveArtifacts, type Artifact, type ArtifactStorage } from './index.ts';

const owner = { kind: 'GitRepository', namespace: 'flux-system', name: 'fleet' };
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sotto-storage-'));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function keep(storage: ArtifactStorage, content: string): Promise<Artifact> {
  const tree = memoryTree(new Map([['a.yaml', content]]));
  return storage.store({ owner, file: `${content}.tar.gz`, revision: `main@sha1:${content}`, tree });
}

function inMemory(world: VirtualWorld): ArtifactStorage {
  return artifactStorage({ world, advertisedAddress: 'source.local' });
}

/** Runs work in a virtual world to its end. */
async function settled<T>(world: VirtualWorld, work: Promise<T>): Promise<T> {
  let done = false;
  const finish = (): void => {
    done = true;
  };
  work.then(finish, finish);
  await world.run(3_600_000, () => done);
  return work;
}

describe('artifactStorage', () => {
  it('SRC-02: an artifact names path, URL, digest, revision, time and size', async () => {
    const world = virtualWorld({ seed: 1 });
    const artifact = await settled(world, keep(inMemory(world), 'one'));
    expect(artifact).toEqual({
      path: 'gitrepository/flux-system/fleet/one.tar.gz',
      url: 'http://source.local/gitrepository/flux-system/fleet/one.tar.gz',
      revision: 'main@sha1:one',
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      lastUpdateTime: '2026-01-01T00:00:00Z',
      size: expect.any(Number) as number,
    });
  });

  it('SRC-02: an advertised address with a scheme is used as it is', () => {
    const storage = artifactStorage({ world: virtualWorld({ seed: 1 }), advertisedAddress: () => 'https://artifacts.example:8443/' });
    expect(storage.urlOf('bucket/a/b/c.tar.gz')).toBe('https://artifacts.example:8443/bucket/a/b/c.tar.gz');
  });

  it('SRC-06: what is older than the retention time goes, except the current artifact', async () => {
    const world = virtualWorld({ seed: 1 });
    const storage = inMemory(world);
    const [first, second] = [await keep(storage, 'one'), await keep(storage, 'two')];
    await world.run(61_000);
    expect(await storage.collectGarbage(owner, second)).toEqual([first.path]);
    expect(await storage.verify(second)).toBe('intact');
  });

  it('SRC-06: beyond the number of records the oldest go however young', async () => {
    const world = virtualWorld({ seed: 1 });
    const storage = inMemory(world);
    const artifacts: Artifact[] = [];
    for (const name of ['one', 'two', 'three', 'four']) {
      artifacts.push(await keep(storage, name));
      await world.run(1000);
    }
    expect(await storage.collectGarbage(owner, artifacts[0])).toEqual([artifacts[1]?.path, artifacts[2]?.path]);
  });

  it('SRC-06: on disk age is the time of the file, lock files go with their archive, and removeAll takes everything', async () => {
    const directory = temporary();
    const storage = artifactStorage({ world: systemWorld(), directory, advertisedAddress: 'x' });
    const [first, second] = [await keep(storage, 'one'), await keep(storage, 'two')];
    writeFileSync(join(directory, `${first.path}.lock`), '');
    utimesSync(join(directory, first.path), 1000, 1000);
    expect(await storage.collectGarbage(owner, second)).toEqual([first.path]);
    expect(readdirSync(join(directory, 'gitrepository/flux-system/fleet'))).toEqual(['two.tar.gz']);
    expect(statSync(join(directory, second.path)).mode & 0o777).toBe(0o600);
    await storage.removeAll(owner);
    expect(readdirSync(join(directory, 'gitrepository/flux-system'))).toEqual([]);
  });

  it('SRC-07: verify tells an intact archive from a missing and a changed one', async () => {
    const directory = temporary();
    const storage = artifactStorage({ world: systemWorld(), directory, advertisedAddress: 'x' });
    const artifact = await keep(storage, 'one');
    expect(await storage.verify(artifact)).toBe('intact');
    writeFileSync(join(directory, artifact.path), 'tampered');
    expect(await storage.verify(artifact)).toBe('mismatch');
    await storage.remove(artifact);
    expect(await storage.verify(artifact)).toBe('missing');
  });

  it('refuses owners and paths that leave the storage', async () => {
    const storage = artifactStorage({ world: systemWorld(), directory: temporary(), advertisedAddress: 'x' });
    const request = { owner: { ...owner, name: '../x' }, file: 'a', revision: 'r', tree: memoryTree(new Map()) };
    expect(codeOf(await storage.store(request).catch((error: unknown) => error))).toBe('ARTIFACT_PATH_INVALID');
    expect(await storage.read('../../etc/passwd')).toBeUndefined();
  });
});

describe('serveArtifacts and fetchArtifact', () => {
  it('SRC-04: an archive is served by plain GET on loopback, anything else is 404', async () => {
    const world = systemWorld();
    let address = '';
    const storage = artifactStorage({ world, advertisedAddress: () => address });
    const server = await serveArtifacts(storage, { world });
    cleanups.push(() => server.close());
    ({ address } = server);
    const artifact = await keep(storage, 'hello');
    const tree = await fetchArtifact(artifact, { world, retries: 0 });
    expect(Buffer.from(tree.read('a.yaml') ?? []).toString()).toBe('hello');
    expect((await fetch(`http://${address}/gitrepository/flux-system/fleet/none.tar.gz`)).status).toBe(404);
    expect((await fetch(`http://${address}/..%2f..%2fetc/passwd`)).status).toBe(404);
    expect((await fetch(artifact.url, { method: 'PUT', body: 'x' })).status).toBe(405);
  });

  it('SRC-04: the consumer can replace the host', async () => {
    const world = systemWorld();
    const storage = artifactStorage({ world, advertisedAddress: 'source-controller.flux-system.svc' });
    const server = await serveArtifacts(storage, { world });
    cleanups.push(() => server.close());
    const tree = await fetchArtifact(await keep(storage, 'hello'), { world, retries: 0, hostOverride: server.address });
    expect(tree.kind('a.yaml')).toBe('file');
  });

  it('SRC-04: network errors and 5xx are tried again up to nine times, with waits of 5 to 30 seconds', async () => {
    const world = virtualWorld({ seed: 1 });
    const storage = inMemory(world);
    const artifact = await keep(storage, 'hello');
    const times: number[] = [];
    const start = world.clock.now();
    const broken = async (): Promise<Response> => {
      times.push((world.clock.now() - start) / 1000);
      if (times.length === 1) throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
      return new Response('', { status: 503 });
    };
    const error = await settled(
      world,
      fetchArtifact(artifact, { world, fetch: broken }).catch((failure: unknown) => failure),
    );
    expect(times).toEqual([0, 5, 15, 35, 65, 95, 125, 155, 185, 215]);
    expect(error).toMatchObject({ code: 'ARTIFACT_DOWNLOAD', message: `failed to download archive from ${artifact.url}, status: 503` });
  });

  it('SRC-04: 404 means that the artifact was not found, and is not tried again', async () => {
    const world = virtualWorld({ seed: 1 });
    const storage = inMemory(world);
    const artifact = await keep(storage, 'hello');
    await storage.remove(artifact);
    const error = await fetchArtifact(artifact, { world, fetch: artifactFetch(storage) }).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'ARTIFACT_NOT_FOUND', message: 'artifact not found' });
  });

  it('SRC-05: a digest that does not match is refused', async () => {
    const world = virtualWorld({ seed: 1 });
    const storage = inMemory(world);
    const artifact = { ...(await keep(storage, 'hello')), digest: digestOf(Buffer.from('other')) };
    const error = await fetchArtifact(artifact, { world, fetch: artifactFetch(storage) }).catch((failure: unknown) => failure);
    expect(error).toMatchObject({
      code: 'ARTIFACT_DIGEST',
      message: `failed to verify archive: computed digest doesn't match provided '${artifact.digest}'`,
    });
  });

  it('stops when its signal fires', async () => {
    const world = virtualWorld({ seed: 1 });
    const artifact = await keep(inMemory(world), 'hello');
    const controller = new AbortController();
    const running = fetchArtifact(artifact, { world, signal: controller.signal }).catch((failure: unknown) => failure);
    await world.run(7000);
    controller.abort();
    expect(codeOf(await settled(world, running))).toBe('ABORTED');
  });
});
