import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { codeOf, messageOf, SottoError } from '../../base/errors/index.ts';
import { noLog } from '../../base/log/index.ts';
import { systemEntropy, virtualWorld, type VirtualWorld } from '../../base/world/index.ts';
import { createCluster, type EmbeddedCluster } from '../../cluster/server/index.ts';
import { artifactFetch, artifactStorage, fetchArtifact, type ArtifactStorage } from '../../fetch/artifact/index.ts';
import { memoryGitFetcher, type GitCommit, type GitFetcher, type GitRemote, type MemoryGit } from '../../fetch/git/index.ts';
import { connect, type Cluster } from '../../kube/client/index.ts';
import { cloneJson, sottoCrds, type GitRepository, type GitRepositorySpec, type KubeObject } from '../../kube/objects/index.ts';
import { runControllers, type Controller, type Outcome } from '../../kube/runtime/index.ts';
import { gitRepositoryController, type SourceEvent } from './index.ts';

const URL_OF_FLEET = 'https://git.example/fleet.git';
const REF = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', namespace: 'flux-system', name: 'fleet' } as const;

interface Scene {
  readonly world: VirtualWorld;
  readonly cluster: Cluster;
  readonly git: MemoryGit;
  readonly storage: ArtifactStorage;
  readonly controller: Controller;
  readonly events: SourceEvent[];
  /** Every remote that was asked, and how. */
  readonly calls: { readonly what: 'list' | 'fetch'; readonly remote: GitRemote }[];
  address: string;
  /** Calls that hold the object's status after each write. */
  readonly history: GitRepository['status'][];
}

const open: EmbeddedCluster[] = [];
afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

/** Runs asynchronous work while virtual time may pass. */
async function through<T>(world: VirtualWorld, work: () => Promise<T>): Promise<T> {
  let outcome: { value: T } | { error: unknown } | undefined;
  work().then(
    (value) => {
      outcome = { value };
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  await world.run(600_000, () => outcome !== undefined);
  if (outcome === undefined) throw new Error('the work did not end');
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

async function scene(spec: Partial<GitRepositorySpec> = {}): Promise<Scene> {
  const world = virtualWorld({ seed: 7 });
  const embedded = await through(world, () => createCluster({ world, entropy: systemEntropy }));
  open.push(embedded);
  const history: GitRepository['status'][] = [];
  const cluster = connect(embedded.handle);
  const recording: Cluster = {
    ...cluster,
    patch: async (...args) => {
      const patched = await cluster.patch(...args);
      if (args[3]?.subresource === 'status') history.push((patched as GitRepository).status);
      return patched;
    },
  };
  const git = memoryGitFetcher();
  const events: SourceEvent[] = [];
  const calls: Scene['calls'] = [];
  const fetcher: GitFetcher = {
    listRefs: (remote, signal, options) => {
      calls.push({ what: 'list', remote });
      return git.listRefs(remote, signal, options);
    },
    fetch: (remote, reference, options, signal) => {
      calls.push({ what: 'fetch', remote });
      return git.fetch(remote, reference, options, signal);
    },
  };
  const result = { world, cluster, git, events, calls, address: 'source.local', history } as Scene & {
    storage: ArtifactStorage;
    controller: Controller;
  };
  const storage = artifactStorage({ world, advertisedAddress: () => result.address });
  const controller = gitRepositoryController({
    cluster: recording,
    fetcher,
    storage,
    world,
    log: noLog,
    events: { emit: (event) => void events.push(event) },
  });
  Object.assign(result, { storage, controller });
  await through(world, async () => {
    for (const crd of sottoCrds())
      if (crd.metadata.name === 'gitrepositories.source.toolkit.fluxcd.io') await cluster.create(cloneJson(crd));
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
  });
  await world.run(10_000);
  await through(world, () =>
    cluster.create({
      apiVersion: REF.apiVersion,
      kind: REF.kind,
      metadata: { namespace: REF.namespace, name: REF.name },
      spec: { url: URL_OF_FLEET, interval: '10m', ref: { branch: 'main' }, ...spec },
    }),
  );
  return result;
}

/** One reconciliation; an error is returned, not thrown. */
function reconcile({ world, controller }: Scene, name: string = REF.name): Promise<Outcome | Error> {
  const request = { namespace: REF.namespace, name };
  return through(world, () => controller.reconcile(request, new AbortController().signal).catch((error: Error) => error));
}

function read({ world, cluster }: Scene): Promise<GitRepository> {
  return through(world, async () => (await cluster.get(REF)) as GitRepository);
}

function change({ world, cluster }: Scene, patch: object): Promise<KubeObject> {
  return through(world, () => cluster.patch(REF, 'merge', patch));
}

/** Conditions as `Type=Status Reason: message`. */
function conditionsOf(object: GitRepository | { status?: GitRepository['status'] }): string[] {
  return (object.status?.conditions ?? []).map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`);
}

async function files({ world, storage }: Scene, object: GitRepository): Promise<readonly string[]> {
  const { artifact } = object.status ?? {};
  if (artifact === undefined) return [];
  const tree = await through(world, () => fetchArtifact(artifact, { world, fetch: artifactFetch(storage) }));
  return tree.list('');
}

describe('gitRepositoryController: a repository is fetched', () => {
  it('SRC-02/SRC-09: the first commit becomes an artifact, with conditions, generation, finalizer and event', async () => {
    const stage = await scene();
    const commit = stage.git.commit(URL_OF_FLEET, { files: { 'a.yaml': 'one', 'logo.png': '' }, subject: 'first commit' });
    const outcome = await reconcile(stage);
    const object = await read(stage);
    const revision = `main@sha1:${commit}`;
    expect(conditionsOf(object)).toEqual([
      `Ready=True Succeeded: stored artifact for revision '${revision}'`,
      `ArtifactInStorage=True Succeeded: stored artifact for revision '${revision}'`,
    ]);
    expect(object.status).toMatchObject({
      observedGeneration: 1,
      artifact: {
        revision,
        path: `gitrepository/flux-system/fleet/${commit}.tar.gz`,
        url: `http://source.local/gitrepository/flux-system/fleet/${commit}.tar.gz`,
      },
    });
    expect(object.status?.conditions?.every(({ observedGeneration }) => observedGeneration === 1)).toBe(true);
    expect(object.metadata.finalizers).toEqual(['finalizers.fluxcd.io']);
    expect(await files(stage, object)).toEqual(['a.yaml']);
    expect(stage.events).toMatchObject([
      {
        severity: 'info',
        reason: 'NewArtifact',
        message: "stored artifact for commit 'first commit'",
        metadata: { 'source.toolkit.fluxcd.io/revision': revision, 'source.toolkit.fluxcd.io/digest': object.status?.artifact?.digest },
      },
    ]);
    expect(outcome).toMatchObject({ kind: 'again' });
    const manager = object.metadata.managedFields?.find(({ subresource }) => subresource === 'status')?.manager;
    expect(manager).toBe('source-controller');
  });

  it('SRC-09: while it works Ready is Unknown and Reconciling says what is done', async () => {
    const stage = await scene();
    const commit = stage.git.commit(URL_OF_FLEET, { files: { 'a.yaml': 'one' } });
    await reconcile(stage);
    const revision = `main@sha1:${commit}`;
    expect(stage.history.map((status) => conditionsOf({ status }))).toEqual([
      [
        'Reconciling=True Progressing: processing object: new generation -1 -> 1',
        'Ready=Unknown Progressing: processing object: new generation -1 -> 1',
      ],
      ['Reconciling=True Progressing: building artifact', 'Ready=Unknown Progressing: building artifact'],
      [
        `Reconciling=True Progressing: building artifact: new upstream revision '${revision}'`,
        `Ready=Unknown Progressing: building artifact: new upstream revision '${revision}'`,
        `ArtifactOutdated=True NewRevision: new upstream revision '${revision}'`,
      ],
      [
        `Ready=True Succeeded: stored artifact for revision '${revision}'`,
        `ArtifactInStorage=True Succeeded: stored artifact for revision '${revision}'`,
      ],
    ]);
  });

  it('SRC-12: the next run comes after the interval, moved by up to five percent', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      const outcome = await reconcile(stage);
      if (!(outcome instanceof Error) && outcome.kind === 'again') waits.push(outcome.afterMs);
    }
    expect(waits).toHaveLength(12);
    expect(new Set(waits).size).toBeGreaterThan(6);
    expect(waits.every((ms) => ms >= 570_000 && ms <= 630_000)).toBe(true);
  });

  it('GIT-04: when a listing shows nothing new, nothing is fetched or written', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    const before = await read(stage);
    stage.calls.length = 0;
    await stage.world.run(60_000);
    await reconcile(stage);
    expect(stage.calls.map(({ what }) => what)).toEqual(['list']);
    expect((await read(stage)).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    expect(stage.events).toHaveLength(1);
  });

  it('GIT-04: a new commit is fetched, and a changed ignore rule rebuilds the same commit', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1', b: '2' } });
    await reconcile(stage);
    const second = stage.git.commit(URL_OF_FLEET, { files: { a: '1', b: '2', c: '3' } });
    stage.calls.length = 0;
    await reconcile(stage);
    expect(stage.calls.map(({ what }) => what)).toEqual(['list', 'fetch']);
    expect((await read(stage)).status?.artifact?.revision).toBe(`main@sha1:${second}`);
    await change(stage, { spec: { ignore: 'b' } });
    await reconcile(stage);
    const object = await read(stage);
    expect(await files(stage, object)).toEqual(['a', 'c']);
    expect(object.status).toMatchObject({ observedIgnore: 'b', observedGeneration: 2 });
    await change(stage, { spec: { ignore: null } });
    await reconcile(stage);
    expect((await read(stage)).status).not.toHaveProperty('observedIgnore');
    expect(stage.events.map(({ reason }) => reason)).toEqual(['NewArtifact', 'NewArtifact', 'NewArtifact', 'NewArtifact']);
  });

  it('SRC-10: a suspended repository is not fetched and keeps its artifact', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    await change(stage, { spec: { suspend: true } });
    stage.git.commit(URL_OF_FLEET, { files: { a: '2' } });
    stage.calls.length = 0;
    const before = await read(stage);
    expect(await reconcile(stage)).toEqual({ kind: 'done' });
    expect(stage.calls).toEqual([]);
    expect((await read(stage)).status).toEqual(before.status);
    expect(await files(stage, before)).toEqual(['a']);
    await change(stage, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'anyway' } } });
    await reconcile(stage);
    expect((await read(stage)).status).toEqual({ ...before.status, lastHandledReconcileAt: 'anyway' });
  });

  it('SRC-11: a request to reconcile is taken note of, whatever its value', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    await change(stage, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now please' } } });
    await reconcile(stage);
    expect((await read(stage)).status?.lastHandledReconcileAt).toBe('now please');
    const [watch] = stage.controller.watches;
    const object = await read(stage);
    const old = { ...object, metadata: { ...object.metadata, annotations: {} } };
    expect(await watch?.map({ type: 'MODIFIED', object, old })).toEqual([{ namespace: 'flux-system', name: 'fleet' }]);
    expect(await watch?.map({ type: 'MODIFIED', object, old: object })).toEqual([]);
  });

  it('GIT-12: only sparse directories are kept, and each has to exist', async () => {
    const stage = await scene({ sparseCheckout: ['./apps', 'infra/base'] });
    stage.git.commit(URL_OF_FLEET, { files: { 'apps/a': '', 'infra/base/b': '', 'infra/other/c': '', d: '' } });
    await reconcile(stage);
    const object = await read(stage);
    expect(await files(stage, object)).toEqual(['apps', 'infra']);
    expect(object.status?.observedSparseCheckout).toEqual(['./apps', 'infra/base']);
    await change(stage, { spec: { sparseCheckout: ['gone'] } });
    await reconcile(stage);
    expect(conditionsOf(await read(stage))).toContain(
      "FetchFailed=True GitOperationFailed: failed to sparse checkout directories : directory 'gone' does not exist in the repository",
    );
  });

  it('deletion removes the archives and lets the object go', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    const { artifact } = (await read(stage)).status ?? {};
    await through(stage.world, () => stage.cluster.delete(REF));
    expect(await reconcile(stage)).toEqual({ kind: 'done' });
    expect(await stage.storage.read(artifact?.path ?? '')).toBeUndefined();
    expect(await through(stage.world, () => stage.cluster.find(REF))).toBeUndefined();
    expect(await reconcile(stage)).toEqual({ kind: 'done' });
  });
});

describe('gitRepositoryController: include', () => {
  const include = [
    { repository: { name: 'base' }, fromPath: 'lib' },
    { repository: { name: 'base' }, fromPath: 'lib', toPath: 'vendor/base' },
  ];
  const base = { ...REF, name: 'base' };
  const createBase = (stage: Scene): Promise<unknown> =>
    through(stage.world, () =>
      stage.cluster.create({
        apiVersion: base.apiVersion,
        kind: base.kind,
        metadata: { namespace: base.namespace, name: base.name },
        spec: { url: 'https://git.example/base', interval: '1m', ref: { branch: 'main' } },
      }),
    );

  it('GIT-11: waits for what is to be included, without an event', async () => {
    const stage = await scene({ include });
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    const waiting = { kind: 'wait', refs: [base], afterMs: 30_000 };
    expect(await reconcile(stage)).toEqual(waiting);
    expect(conditionsOf(await read(stage))).toContain(
      `IncludeUnavailable=True NotFound: could not get resource for include 'base': gitrepositories.source.toolkit.fluxcd.io "base" not found`,
    );
    await createBase(stage);
    expect(await reconcile(stage)).toEqual(waiting);
    expect(conditionsOf(await read(stage))).toEqual([
      'Reconciling=True ProgressingWithRetry: building artifact',
      "Ready=False NoArtifact: no artifact available for include 'base'",
      "IncludeUnavailable=True NoArtifact: no artifact available for include 'base'",
    ]);
    expect(stage.events).toEqual([]);
  });

  it('GIT-11: copies included archives, notices new ones, and refuses paths that lead outside', async () => {
    const stage = await scene({ include });
    stage.git.commit(URL_OF_FLEET, { files: { 'app.yaml': '1' } });
    stage.git.commit('https://git.example/base', { files: { 'lib/x.yaml': 'one', other: '' } });
    await createBase(stage);
    await reconcile(stage, 'base');
    await reconcile(stage);
    const object = await read(stage);
    expect(await files(stage, object)).toEqual(['app.yaml', 'base', 'vendor']);
    expect(object.status?.includedArtifacts).toHaveLength(2);
    expect(object.status?.observedInclude).toEqual(include);
    stage.git.commit('https://git.example/base', { files: { 'lib/x.yaml': 'two' } });
    await reconcile(stage, 'base');
    stage.history.length = 0;
    await reconcile(stage);
    expect(conditionsOf({ status: stage.history[0] })).toContain(
      'ArtifactOutdated=True IncludeChange: included artifacts differ from last observed includes',
    );
    const { artifact } = (await read(stage)).status ?? {};
    if (artifact === undefined) throw new Error('no artifact');
    const tree = await through(stage.world, () => fetchArtifact(artifact, { world: stage.world, fetch: artifactFetch(stage.storage) }));
    expect(Buffer.from(tree.read('vendor/base/x.yaml') ?? []).toString()).toBe('two');
    expect(tree.kind('base/other')).toBeUndefined();
    await change(stage, { spec: { include: [{ repository: { name: 'base' }, toPath: '../../x' }] } });
    await reconcile(stage);
    expect(conditionsOf(await read(stage))).toContain(
      "StorageOperationFailed=True IllegalPath: path '../../x' of include 'base' leads outside of the repository",
    );
  });
});

describe('gitRepositoryController: storage', () => {
  it('SRC-07: an archive that disappeared is built again', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    const { artifact } = (await read(stage)).status ?? {};
    if (artifact === undefined) throw new Error('no artifact');
    await stage.storage.remove(artifact);
    stage.history.length = 0;
    await reconcile(stage);
    expect(conditionsOf({ status: stage.history[0] })).toEqual([
      'Reconciling=True Progressing: building artifact: disappeared from storage',
      'Ready=Unknown Progressing: building artifact: disappeared from storage',
    ]);
    expect(stage.history[0]).not.toHaveProperty('artifact');
    expect(await stage.storage.verify(artifact)).toBe('intact');
    expect(conditionsOf(await read(stage))[0]).toContain('Ready=True');
  });

  it('SRC-07: an archive that does not match its digest is deleted, told and built again', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    await through(stage.world, () =>
      stage.cluster.patch(REF, 'merge', { status: { artifact: { digest: `sha256:${'0'.repeat(64)}` } } }, { subresource: 'status' }),
    );
    await reconcile(stage);
    expect(stage.events.map(({ reason, severity }) => `${severity} ${reason}`)).toEqual([
      'info NewArtifact',
      'error ArtifactVerificationFailed',
      'info NewArtifact',
    ]);
    expect(await files(stage, await read(stage))).toEqual(['a']);
  });

  it('SRC-07: a changed advertised address only rewrites the URL', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    stage.address = 'elsewhere:9090';
    stage.calls.length = 0;
    await reconcile(stage);
    expect((await read(stage)).status?.artifact?.url).toMatch(/^http:\/\/elsewhere:9090\/gitrepository\//);
    expect(stage.calls.map(({ what }) => what)).toEqual(['list']);
  });

  it('SRC-06: old archives go at the start of a run, the current one stays', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    const first = (await read(stage)).status?.artifact?.path ?? '';
    stage.git.commit(URL_OF_FLEET, { files: { a: '2' } });
    await reconcile(stage);
    expect(await stage.storage.read(first)).toBeDefined();
    await stage.world.run(61_000);
    await reconcile(stage);
    expect(await stage.storage.read(first)).toBeUndefined();
    expect(await files(stage, await read(stage))).toEqual(['a']);
  });
});

describe('gitRepositoryController: failures', () => {
  it('SRC-09: a failed fetch shows in Ready and FetchFailed, Reconciling goes on with retry, observedGeneration stays', async () => {
    const stage = await scene();
    const message = `failed to checkout and determine revision: unable to clone: couldn't find remote ref "refs/heads/main": git repository: '${URL_OF_FLEET}'`;
    stage.git.commit(URL_OF_FLEET, { branch: 'other', files: { a: '1' } });
    const outcome = await reconcile(stage);
    expect(messageOf(outcome)).toBe(message);
    const object = await read(stage);
    expect(conditionsOf(object)).toEqual([
      'Reconciling=True ProgressingWithRetry: building artifact',
      `Ready=False GitOperationFailed: ${message}`,
      `FetchFailed=True GitOperationFailed: ${message}`,
    ]);
    expect(object.status?.observedGeneration).toBe(-1);
    expect(stage.events).toMatchObject([{ severity: 'error', reason: 'GitOperationFailed', message }]);
  });

  it('SRC-09: recovery from a failure clears it and is told', async () => {
    const stage = await scene();
    const commit = stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    await change(stage, { spec: { ref: { branch: 'gone' } } });
    await reconcile(stage);
    const failed = await read(stage);
    expect(failed.status?.artifact?.revision).toBe(`main@sha1:${commit}`);
    expect(conditionsOf(failed).map((text) => text.split(' ')[0])).toEqual([
      'Reconciling=True',
      'Ready=False',
      'ArtifactInStorage=True',
      'FetchFailed=True',
    ]);
    stage.git.setRef(URL_OF_FLEET, 'refs/heads/gone', commit);
    await reconcile(stage);
    expect(conditionsOf(await read(stage)).map((text) => text.split(' ')[0])).toEqual(['Ready=True', 'ArtifactInStorage=True']);
    expect(stage.events.map(({ reason }) => reason)).toEqual(['NewArtifact', 'GitOperationFailed', 'Succeeded']);
  });

  it('GIT-13: an empty repository is tried again', async () => {
    const stage = await scene();
    stage.git.create(URL_OF_FLEET);
    expect(codeOf(await reconcile(stage))).toBe('SOURCE_FAILED');
    expect(conditionsOf(await read(stage))).toContain('FetchFailed=True EmptyGitRepository: git repository is empty');
  });

  it('SRC-09: an archive that cannot be stored', async () => {
    const stage = await scene();
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    const storage: ArtifactStorage = {
      ...stage.storage,
      store: () => Promise.reject(new SottoError('ARTIFACT_STORE', 'unable to archive artifact to storage: no space left')),
    };
    const { cluster, git: fetcher, world, events } = stage;
    const controller = gitRepositoryController({
      cluster,
      fetcher,
      storage,
      world,
      log: noLog,
      events: { emit: (event) => void events.push(event) },
    });
    expect(await reconcile({ ...stage, controller })).toBeInstanceOf(Error);
    const conditions = conditionsOf(await read(stage));
    expect(conditions).toContain(
      'StorageOperationFailed=True ArchiveOperationFailed: unable to archive artifact to storage: no space left',
    );
    expect(conditions).toContain('Ready=False ArchiveOperationFailed: unable to archive artifact to storage: no space left');
    await reconcile(stage);
    expect(conditionsOf(await read(stage)).map((text) => text.split(' ')[0])).toEqual(['Ready=True', 'ArtifactInStorage=True']);
  });

  const secretCases: readonly (readonly [string, Partial<GitRepositorySpec>, Record<string, string> | undefined, string])[] = [
    [
      'the Secret is missing',
      { secretRef: { name: 'auth' } },
      undefined,
      `AuthenticationFailed: failed to get secret 'flux-system/auth': secrets "auth" not found`,
    ],
    [
      'a password without a user name',
      { secretRef: { name: 'auth' } },
      { password: 'CANARY' },
      "AuthenticationFailed: failed to configure authentication options: invalid 'https' auth option: 'password' requires 'username' to be set",
    ],
    [
      'ssh without a Secret',
      { url: 'ssh://git@git.example/fleet.git' },
      undefined,
      "AuthenticationFailed: failed to configure authentication options: invalid 'ssh' auth option: 'identity' is required",
    ],
    [
      'ssh without known hosts',
      { url: 'ssh://git@git.example/fleet.git', secretRef: { name: 'auth' } },
      { identity: 'CANARY' },
      "AuthenticationFailed: failed to configure authentication options: invalid 'ssh' auth option: 'known_hosts' is required",
    ],
    [
      'an encrypted key without a passphrase',
      { url: 'ssh://git@git.example/fleet.git', secretRef: { name: 'auth' } },
      { identity: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nCANARY', known_hosts: 'x' },
      "AuthenticationFailed: failed to configure authentication options: SSH identity key is encrypted but no 'password' field was provided",
    ],
    [
      'a client certificate without its key',
      { secretRef: { name: 'auth' } },
      { 'tls.crt': 'CANARY' },
      "AuthenticationFailed: failed to configure authentication options: secret 'flux-system/auth' contains 'tls.crt' but missing 'tls.key'",
    ],
    [
      'a bearer token and userinfo in the URL',
      { url: 'https://user:CANARY@git.example/fleet.git', secretRef: { name: 'auth' } },
      { bearerToken: 'CANARY' },
      'GitOperationFailed: failed to checkout and determine revision: basic auth and bearer token cannot be set at the same time',
    ],
    [
      'GitHub App data for the generic provider',
      { secretRef: { name: 'auth' } },
      { githubAppID: '1', githubAppPrivateKey: 'CANARY' },
      "InvalidProviderConfiguration: secretRef 'flux-system/auth' has github app data but provider is not set to github",
    ],
    [
      'a proxy Secret without an address',
      { proxySecretRef: { name: 'auth' } },
      { username: 'CANARY' },
      "AuthenticationFailed: failed to configure proxy options: secret 'flux-system/auth': key 'address' not found",
    ],
  ];
  it.each(secretCases)('GIT-07/GIT-08/SRC-13/SRC-14: %s', async (_name, spec, data, expected) => {
    const stage = await scene(spec);
    if (data !== undefined) await createSecret(stage, data);
    const outcome = await reconcile(stage);
    expect(outcome).toBeInstanceOf(Error);
    const object = await read(stage);
    expect(conditionsOf(object)).toContain(`FetchFailed=True ${expected}`);
    expect(conditionsOf(object)).toContain(`Ready=False ${expected}`);
    expect(JSON.stringify([object.status, stage.events.map(({ message }) => message), messageOf(outcome)])).not.toContain('CANARY');
  });

  it.each<[string, Partial<GitRepositorySpec>, string]>([
    [
      'a URL that cannot be parsed',
      { url: 'https://user:CANARY@:99999999/x' },
      "URLInvalid: failed to parse url 'https://:99999999/x': it has no valid host",
    ],
    [
      'provider github without a Secret',
      { provider: 'github' },
      'InvalidProviderConfiguration: secretRef with github app data must be specified when provider is set to github',
    ],
    ['provider aws', { provider: 'aws' }, 'InvalidProviderConfiguration: spec.provider aws is not supported by this version of sotto'],
    [
      'provider azure',
      { provider: 'azure' },
      'InvalidProviderConfiguration: spec.provider azure is not supported by this version of sotto',
    ],
    ['submodules', { recurseSubmodules: true }, 'GitOperationFailed: spec.recurseSubmodules is not supported by this version of sotto'],
  ])('SRC-12: %s is refused for good: Stalled, no retry until the spec changes', async (_name, spec, expected) => {
    const stage = await scene(spec);
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    expect(await reconcile(stage)).toEqual({ kind: 'done' });
    const object = await read(stage);
    expect(conditionsOf(object)).toEqual([`Stalled=True ${expected}`, `Ready=False ${expected}`, `FetchFailed=True ${expected}`]);
    expect(object.status?.observedGeneration).toBe(1);
    expect(stage.calls).toEqual([]);
    expect(JSON.stringify(object.status)).not.toContain('CANARY');
  });
});

describe('gitRepositoryController: verification', () => {
  const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../../fetch/git/signatures.fixture', name));
  /** The signed parts of a commit object made by ssh or gpg. */
  const signedBy = (name: string): NonNullable<GitCommit['signed']> => {
    const raw = fixture(`commit-${name}`).toString('latin1');
    const [header = ''] = /^gpgsig .*\n(?: .*\n)*/m.exec(raw) ?? [];
    const signature = header === '' ? undefined : header.slice('gpgsig '.length).replaceAll('\n ', '\n');
    return { commit: { payload: Buffer.from(raw.replace(header, ''), 'latin1'), signature } };
  };
  const signedTag = (name: string): NonNullable<NonNullable<GitCommit['signed']>['tag']> => {
    const raw = fixture(name).toString('latin1');
    const at = raw.indexOf('-----BEGIN');
    return { name: 'v1', hash: 'f'.repeat(40), payload: Buffer.from(raw.slice(0, at), 'latin1'), signature: raw.slice(at) };
  };

  /** A scene whose commits carry what `signed` says at the moment. */
  const signingScene = async (spec: Partial<GitRepositorySpec>): Promise<Scene & { signed: GitCommit['signed'] }> => {
    const stage = await scene(spec);
    const { git, cluster, storage, world, events, calls } = stage;
    const result: Scene & { signed: GitCommit['signed'] } = { ...stage, signed: undefined };
    const fetcher: GitFetcher = {
      listRefs: (remote, ...rest) => {
        calls.push({ what: 'list', remote });
        return git.listRefs(remote, ...rest);
      },
      fetch: async (remote, reference, options, signal) => {
        calls.push({ what: 'fetch', remote });
        const { signed } = result;
        const fetched = await git.fetch(remote, reference, options, signal);
        return options.withSignatures === true && signed !== undefined ? { ...fetched, signed } : fetched;
      },
    };
    const controller = gitRepositoryController({
      cluster,
      fetcher,
      storage,
      world,
      log: noLog,
      events: { emit: (event) => void events.push(event) },
    });
    return Object.assign(result, { controller });
  };
  const verify = (mode?: 'HEAD' | 'head' | 'Tag' | 'TagAndHEAD'): Partial<GitRepositorySpec> => ({
    verify: { secretRef: { name: 'keys' }, ...(mode === undefined ? {} : { mode }) },
  });
  const id = fixture('id-ed25519').toString().trim();

  it('GIT-09: a good signature is said so, and recorded', async () => {
    const stage = await signingScene(verify('head'));
    await createSecret(stage, { 'author.sshpub': fixture('key-ed25519').toString() }, 'keys');
    const commit = stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    stage.signed = signedBy('ed25519');
    await reconcile(stage);
    const object = await read(stage);
    expect(conditionsOf(object)).toEqual([
      `Ready=True Succeeded: stored artifact for revision 'main@sha1:${commit}'`,
      `ArtifactInStorage=True Succeeded: stored artifact for revision 'main@sha1:${commit}'`,
      `SourceVerified=True Succeeded: verified signature of\n\t- commit '${commit}' with key '${id}'`,
    ]);
    expect(object.status?.sourceVerificationMode).toBe('HEAD');
    stage.calls.length = 0;
    await reconcile(stage);
    expect(stage.calls.map(({ what }) => what)).toEqual(['list']);
    await change(stage, { spec: { verify: null } });
    await reconcile(stage);
    expect((await read(stage)).status).not.toHaveProperty('sourceVerificationMode');
    expect(conditionsOf(await read(stage)).join('\n')).not.toContain('SourceVerified');
  });

  it('GIT-09: a commit that is not signed by a trusted key never becomes an artifact, and is tried again', async () => {
    const stage = await signingScene(verify());
    await createSecret(stage, { 'author.sshpub': fixture('key-ed25519').toString() }, 'keys');
    const good = stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    stage.signed = signedBy('ed25519');
    await reconcile(stage);
    for (const [name, why] of [
      ['unsigned', 'it is not signed'],
      ['rsa', 'the SSH signature was made by a key that is not among the public keys'],
      ['pgped', 'PGP signature detected but no PGP public keys found in secret'],
    ] as const) {
      const bad = stage.git.commit(URL_OF_FLEET, { files: { a: name } });
      stage.signed = signedBy(name);
      expect(await reconcile(stage)).toBeInstanceOf(Error);
      const object = await read(stage);
      const failure = `InvalidCommitSignature: signature verification of commit '${bad}' failed: ${why}`;
      expect(conditionsOf(object)).toContain(`SourceVerified=False ${failure}`);
      expect(conditionsOf(object)).toContain(`Ready=False ${failure}`);
      expect(object.status?.artifact?.revision).toBe(`main@sha1:${good}`);
      expect(stage.events.at(-1)).toMatchObject({ severity: 'error', reason: 'InvalidCommitSignature' });
    }
  });

  it('GIT-09: a widened mode verifies again what is stored already', async () => {
    const stage = await signingScene({ ...verify('HEAD'), ref: { tag: 'v1' } });
    const keys = { 'a.sshpub': fixture('key-ed25519').toString(), 'b.asc': fixture('key-pgped').toString() };
    await createSecret(stage, keys, 'keys');
    const commit = stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    stage.git.setRef(URL_OF_FLEET, 'refs/tags/v1', commit);
    stage.signed = { ...signedBy('ed25519'), tag: { name: 'v1', hash: commit, payload: new Uint8Array(), signature: undefined } };
    await reconcile(stage);
    expect((await read(stage)).status?.sourceVerificationMode).toBe('HEAD');
    await change(stage, { spec: verify('TagAndHEAD') });
    await reconcile(stage);
    expect(conditionsOf(await read(stage))).toContain(
      `SourceVerified=False InvalidGitObject: cannot verify signature of tag 'v1@sha1:${commit}' since it is not signed`,
    );
    stage.signed = { ...signedBy('ed25519'), tag: signedTag('tag-pgp') };
    await reconcile(stage);
    const keyId = fixture('id-pgped').toString().trim().slice(-16);
    expect(conditionsOf(await read(stage)).at(-1)).toBe(
      `SourceVerified=True Succeeded: verified signature of\n\t- tag 'v1@sha1:${'f'.repeat(40)}' with key '${keyId}'\n\t- commit '${commit}' with key '${id}'`,
    );
    expect((await read(stage)).status?.sourceVerificationMode).toBe('TagAndHEAD');
  });

  it('GIT-09: without keys, and a tag mode without a tag', async () => {
    const stage = await signingScene(verify('Tag'));
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    stage.signed = signedBy('ed25519');
    await reconcile(stage);
    expect(conditionsOf(await read(stage))).toContain(
      'SourceVerified=False VerificationError: public keys secret error: secrets "keys" not found',
    );
    await createSecret(stage, {}, 'keys');
    expect(await reconcile(stage)).toEqual({ kind: 'done' });
    const failure = "InvalidVerificationMode: cannot verify tag object's signature if a tag reference is not specified";
    expect(conditionsOf(await read(stage))).toEqual([
      `Stalled=True ${failure}`,
      `Ready=False ${failure}`,
      `SourceVerified=False ${failure}`,
    ]);
    expect((await read(stage)).status).not.toHaveProperty('artifact');
  });
});

describe('gitRepositoryController: credentials', () => {
  it('GIT-01/GIT-07: userinfo in the URL fills what the Secret lacks, and the URL is used without it', async () => {
    const stage = await scene({ url: 'https://robot:from%40url@git.example/fleet.git', secretRef: { name: 'auth' } });
    await createSecret(stage, { username: 'person' });
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    const { remote } = stage.calls[0] ?? {};
    expect(remote).toMatchObject({ url: URL_OF_FLEET, credentials: { kind: 'basic', username: 'person' } });
    expect(remote?.credentials?.kind === 'basic' ? remote.credentials.password.reveal() : '').toBe('from@url');
  });

  it('GIT-07: a bearer token wins over user name and password beside it', async () => {
    const stage = await scene({ secretRef: { name: 'auth' } });
    await createSecret(stage, { username: 'person', password: 'p', bearerToken: 't', caFile: 'PEM' });
    stage.git.commit(URL_OF_FLEET, { files: { a: '1' } });
    await reconcile(stage);
    expect(stage.calls[0]?.remote).toMatchObject({ credentials: { kind: 'bearer' }, tls: { authorities: 'PEM' } });
  });

  it('GIT-01/SRC-13: ssh keeps its user, and a proxy Secret names address, user and password', async () => {
    const stage = await scene({
      url: 'ssh://me@git.example:2222/fleet.git',
      secretRef: { name: 'auth' },
      proxySecretRef: { name: 'proxy' },
    });
    await createSecret(stage, { identity: 'KEY', known_hosts: 'hosts', username: 'ignored' });
    await createSecret(stage, { address: 'http://proxy:3128', username: 'u', password: 'p' }, 'proxy');
    stage.git.commit('ssh://me@git.example:2222/fleet.git', { files: { a: '1' } });
    await reconcile(stage);
    expect(stage.calls[0]?.remote).toMatchObject({
      url: 'ssh://me@git.example:2222/fleet.git',
      credentials: { kind: 'ssh', knownHosts: 'hosts' },
      proxy: { address: 'http://proxy:3128', username: 'u' },
    });
  });
});

async function createSecret({ world, cluster }: Scene, data: Record<string, string>, name = 'auth'): Promise<void> {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  await through(world, () =>
    cluster.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: REF.namespace, name }, type: 'Opaque', data: encoded }),
  );
}

describe('gitRepositoryController under the runtime', () => {
  /** An hour in which the repository fails for a while, is repaired, and gets commits; what the status said, and when. */
  const hour = async (): Promise<{ history: unknown; ready: string | undefined; calls: number }> => {
    const stage = await scene({ interval: '5m' });
    const { world, cluster, controller, git } = stage;
    git.commit(URL_OF_FLEET, { files: { a: '1' } });
    const stop = new AbortController();
    const running = runControllers({ cluster, controllers: [controller], world, log: noLog, signal: stop.signal });
    await world.run(600_000);
    git.fail(URL_OF_FLEET, () => new SottoError('GIT_UNREACHABLE', 'the network is down', { retry: true }));
    await world.run(1_200_000);
    git.fail(URL_OF_FLEET, undefined);
    await world.run(1_200_000);
    const last = git.commit(URL_OF_FLEET, { files: { a: '2' } });
    await world.run(600_000);
    const object = await read(stage);
    expect(object.status?.artifact?.revision).toBe(`main@sha1:${last}`);
    stop.abort();
    await through(world, () => running);
    const history = stage.history.map((status) => conditionsOf({ status }));
    return { history, ready: object.status?.conditions?.find(({ type }) => type === 'Ready')?.message, calls: stage.calls.length };
  };

  it('SRC-12: backs off from failures, recovers, finds new commits, and takes the same steps from the same seed', async () => {
    const [one, two] = [await hour(), await hour()];
    expect(one.ready).toContain('stored artifact for revision');
    expect(JSON.stringify(one.history)).toContain('the network is down');
    // Twelve regular looks, and a dozen tries (0.75 s, 1.5 s, …) while the network was down.
    expect(one.calls).toBeGreaterThan(15);
    expect(one.calls).toBeLessThan(35);
    expect(two).toEqual(one);
  });

  it('an object may have another repository standing in for it, and its Secrets are then not read', async () => {
    const stage = await scene({ secretRef: { name: 'missing' }, provider: 'aws' });
    const { cluster, world, git: fetcher, storage, events } = stage;
    const commit = fetcher.commit('http://127.0.0.1/fleet.git', { files: { a: '1' } });
    const controller = gitRepositoryController({
      cluster,
      fetcher,
      storage,
      world,
      log: noLog,
      events: { emit: (event) => void events.push(event) },
      standIn: ({ spec }) => (spec.url === URL_OF_FLEET ? { url: 'http://127.0.0.1/fleet.git' } : undefined),
    });
    await reconcile({ ...stage, controller });
    expect((await read(stage)).status?.artifact?.revision).toBe(`main@sha1:${commit}`);
  });
});
