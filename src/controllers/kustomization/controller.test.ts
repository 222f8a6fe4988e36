import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { memoryTree } from '../../base/files/index.ts';
import type { Log } from '../../base/log/index.ts';
import { seededRandom, systemEntropy, virtualWorld, type Fetch, type VirtualWorld, systemWorld } from '../../base/world/index.ts';
import { createCluster, type Interception } from '../../cluster/server/index.ts';
import { artifactFetch, artifactStorage } from '../../fetch/artifact/index.ts';
import { connect, type ApiRequest, type Cluster } from '../../kube/client/index.ts';
import { apiErrors, deepEqual, findCondition, isJsonObject, type KubeObject, type ObjectRef } from '../../kube/objects/index.ts';
import { runControllers, type EventRecorder } from '../../kube/runtime/index.ts';
import { ageKey, ageRecipientOf, generateAgeIdentity, keySecretCredentials, pgpKey } from '../../secrets/keys/index.ts';
import { encrypt, type SopsFormat } from '../../secrets/sops/index.ts';
import { parseYaml } from '../../text/yaml/index.ts';
import { kustomizationController } from './controller.ts';
import type { Spec, Status } from './model.ts';
import { DEFAULT_FLAGS, type KustomizationControllerOptions } from './options.ts';

const NAMESPACE = 'flux-system';
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const MINUTE = 60_000;

/** The definitions that ship, so that every status written here is one that their schemas accept. */
const DEFINITIONS = [
  'kustomize.toolkit.fluxcd.io_kustomizations',
  'source.toolkit.fluxcd.io_gitrepositories',
  'source.toolkit.fluxcd.io_externalartifacts',
].flatMap((name) => {
  const text = readFileSync(new URL(`../../../deploy/crds/${name}.yaml`, import.meta.url), 'utf8');
  return parseYaml(text, { profile: 'yaml11' }).map((document) => document.value as unknown as KubeObject);
});

interface Event {
  readonly name: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A cluster with the controller, a source to publish to, and time that passes on demand. */
interface Fleet {
  readonly world: VirtualWorld;
  readonly raw: Cluster;
  readonly run: <T>(work: Promise<T>) => Promise<T>;
  readonly pass: (ms: number) => Promise<void>;
  readonly publish: (files: Record<string, string>, revision: string, repository?: string) => Promise<void>;
  readonly put: (object: KubeObject) => Promise<KubeObject>;
  readonly kustomization: (name: string, spec?: Partial<Spec>, metadata?: object) => Promise<void>;
  readonly patch: (ref: ObjectRef, patch: object) => Promise<KubeObject>;
  readonly find: (ref: ObjectRef) => Promise<KubeObject | undefined>;
  readonly remove: (ref: ObjectRef) => Promise<void>;
  readonly status: (name: string) => Promise<Status>;
  /** `True ReconciliationSucceeded Applied revision: …` */
  readonly condition: (name: string, type?: string) => Promise<string | undefined>;
  readonly events: Event[];
  /** Requests of the controller since the last call, without discovery and watches. */
  readonly requests: () => string[];
  readonly logs: string[];
  /** Puts faults into the way of requests. */
  readonly faults: { intercept?: (request: ApiRequest) => Interception; fetch?: Fetch };
  /** Kills the controller where it stands, and starts another a second later. */
  readonly crash: () => void;
  readonly stop: () => void;
}

const isWrite = (line: string): boolean => !line.startsWith('GET') && !line.includes(' dry');

async function fleet(options: Partial<KustomizationControllerOptions> = {}): Promise<Fleet> {
  const faults: Fleet['faults'] = {};
  const world = virtualWorld({ seed: 7, fetch: (input, init) => (faults.fetch ?? serve)(input, init) });
  let seen: string[] = [];
  /** Counts processes; what an earlier one still sends is lost, as if it had died. */
  let epoch = 0;
  const agentOf = (request: ApiRequest): string => request.headers['user-agent'] ?? '';
  const server = await createCluster({
    world,
    entropy: systemEntropy,
    intercept: (request) => {
      const who = request.headers['impersonate-user'];
      const isDry = request.query.get('dryRun') === 'All';
      const isQuiet = request.query.has('watch') || (request.method === 'GET' && request.path.split('/').length <= 4);
      if (!agentOf(request).startsWith('controller')) return 'pass';
      if (agentOf(request) !== `controller-${epoch}`) return 'drop';
      if (!isQuiet) {
        seen.push(`${request.method} ${request.path}${isDry ? ' dry' : ''}${who === undefined ? '' : ` as ${who}`}`);
      }
      return faults.intercept?.(request) ?? 'pass';
    },
  });
  const raw = connect(server.handle, { userAgent: 'test' });
  const storage = artifactStorage({ world, advertisedAddress: 'sources.local' });
  const serve: Fetch = artifactFetch(storage);

  const run = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false;
    const settled = work.finally(() => {
      isDone = true;
    });
    settled.catch(() => undefined);
    await world.run(MINUTE, () => isDone);
    return settled;
  };
  for (const object of DEFINITIONS) await run(raw.create(object));
  await run(raw.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }));

  const events: Event[] = [];
  const recorder: EventRecorder = {
    event: (object, type, reason, message, metadata = {}) =>
      void events.push({ name: object.metadata.name ?? '', type, reason, message, metadata }),
    flush: async () => {},
  };
  const logs: string[] = [];
  const line = (message: string, fields?: object): void => void logs.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const log: Log = { debug: line, info: line, error: line, with: () => log };
  let stopping = new AbortController();
  const start = (): void => {
    stopping = new AbortController();
    const cluster = connect(server.handle, { userAgent: `controller-${epoch}` });
    const controller = kustomizationController({
      cluster,
      world,
      entropy: systemEntropy,
      log,
      events: recorder,
      sourceKinds: ['GitRepository'],
      ...options,
    });
    void runControllers({ cluster, controllers: [controller], world, log, signal: stopping.signal });
  };
  start();
  await world.run(100);

  const put: Fleet['put'] = (object) => run(raw.apply(object, { fieldManager: 'test', force: true }));
  const find: Fleet['find'] = (ref) => run(raw.find(ref));
  const status: Fleet['status'] = async (name) => (await find(kustomizationRef(name)))?.['status'] ?? {};
  return {
    world,
    raw,
    run,
    pass: async (ms) => void (await world.run(ms)),
    publish: async (files, revision, repository = 'repo') => {
      const owner = { kind: 'GitRepository', namespace: NAMESPACE, name: repository };
      const tree = memoryTree(new Map(Object.entries(files)));
      const artifact = await run(storage.store({ owner, file: `${revision}.tar.gz`, revision, tree }));
      await put({
        apiVersion: SOURCE,
        kind: 'GitRepository',
        metadata: { name: repository, namespace: NAMESPACE },
        spec: { interval: '10m', url: 'https://example.dev/repo' },
      });
      await run(raw.patch(sourceRef(repository), 'merge', { status: { artifact } }, { subresource: 'status' }));
    },
    put,
    find,
    kustomization: async (name, spec = {}, metadata = {}) => {
      const whole = { interval: '10m', prune: true, path: './', sourceRef: { kind: 'GitRepository', name: 'repo' }, ...spec };
      await put({ apiVersion: KUSTOMIZE, kind: 'Kustomization', metadata: { name, namespace: NAMESPACE, ...metadata }, spec: whole });
    },
    patch: (ref, patch) => run(raw.patch(ref, 'merge', patch, { fieldManager: 'somebody' })),
    remove: (ref) => run(raw.delete(ref)),
    status,
    condition: async (name, type = 'Ready') => {
      const object = await find(kustomizationRef(name));
      const found = object === undefined ? undefined : findCondition(object, type);
      return found === undefined ? undefined : `${found.status} ${found.reason} ${found.message}`;
    },
    events,
    requests: () => {
      const result = seen;
      seen = [];
      return result;
    },
    logs,
    faults,
    crash: () => {
      epoch += 1;
      stopping.abort();
      world.clock.after(1000, start);
    },
    stop: () => stopping.abort(),
  };
}

const kustomizationRef = (name: string): ObjectRef => ({ apiVersion: KUSTOMIZE, kind: 'Kustomization', namespace: NAMESPACE, name });
const sourceRef = (name: string): ObjectRef => ({ apiVersion: SOURCE, kind: 'GitRepository', namespace: NAMESPACE, name });
const mapRef = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name });
const map = (name: string, value = '1', metadata = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: default\n${metadata}data:\n  value: "${value}"\n`;

describe('from an artifact to objects', () => {
  it('flux/KS-01: applies what the artifact holds and says so in status and events', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, 'main@sha1:1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    expect((await f.find(mapRef('a')))?.['data']).toEqual({ value: '1' });
    expect(await f.status('apps')).toMatchObject({
      observedGeneration: 1,
      lastAppliedRevision: 'main@sha1:1',
      lastAttemptedRevision: 'main@sha1:1',
      inventory: { entries: [{ id: 'default_a__ConfigMap', v: 'v1' }] },
    });
    expect(await f.condition('apps')).toBe('True ReconciliationSucceeded Applied revision: main@sha1:1');
    expect(await f.condition('apps', 'Reconciling')).toBeUndefined();
    expect(f.events.map(({ type, message }) => `${type} ${message}`)).toEqual([
      'Normal ConfigMap/default/a created',
      'Normal Reconciliation finished in 0s, next run in 10m0s',
    ]);
    expect(f.events.at(-1)?.metadata).toEqual({
      'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:1',
      'kustomize.toolkit.fluxcd.io/commit_status': 'update',
    });
  });
});

describe('passes without changes', () => {
  it('flux/SSA-05: write nothing: no object, no status, no event', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps', { wait: true });
    await f.pass(MINUTE);
    f.requests();
    f.events.length = 0;
    const before = (await f.find(kustomizationRef('apps')))?.metadata.resourceVersion;
    await f.pass(60 * MINUTE);
    const requests = f.requests();
    expect(requests.filter((line) => line === 'GET /api/v1/namespaces/default/configmaps/a').length).toBeGreaterThanOrEqual(5);
    expect(requests.filter(isWrite)).toEqual([]);
    expect(f.events).toEqual([]);
    expect((await f.find(kustomizationRef('apps')))?.metadata.resourceVersion).toBe(before);
  });

  it('flux/SSA-05: drift is put back at the interval, and told', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    await f.patch(mapRef('a'), { data: { value: 'drift' } });
    f.events.length = 0;
    await f.pass(11 * MINUTE);
    expect((await f.find(mapRef('a')))?.['data']).toEqual({ value: '1' });
    expect(f.events.map((event) => event.message)).toEqual([
      'ConfigMap/default/a configured',
      expect.stringMatching(/^Reconciliation finished in/),
    ]);
  });

  it('flux/SRC-11: a request is handled and recorded, once', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    f.requests();
    await f.patch(kustomizationRef('apps'), { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } });
    await f.pass(MINUTE);
    expect((await f.status('apps')).lastHandledReconcileAt).toBe('now');
    expect(f.requests().filter(isWrite)).toHaveLength(1);
    await f.pass(30 * MINUTE);
    expect(f.requests().filter(isWrite)).toEqual([]);
  });

  it('a pass over sixty Kustomizations reads little and writes nothing', { timeout: 60_000 }, async () => {
    const f = await fleet();
    const names = Array.from({ length: 60 }, (_, i) => `k${i}`);
    const files = names.flatMap((name) => ['a', 'b', 'c', 'd'].map((part) => [`${name}/${part}.yaml`, map(`${name}-${part}`)] as const));
    await f.publish(Object.fromEntries(files), '1');
    for (const name of names) await f.kustomization(name, { path: name, wait: true });
    await f.pass(MINUTE);
    await f.pass(11 * MINUTE);
    f.requests();
    await f.pass(10.6 * MINUTE);
    const requests = f.requests();
    expect(requests.filter((line) => line.startsWith('GET /api/v1/namespaces/default/configmaps')).length).toBeGreaterThanOrEqual(60);
    expect(requests.filter((line) => !line.startsWith('GET'))).toEqual([]);
    expect(requests.length / 60).toBeLessThan(5);
  });
});

describe('the source', () => {
  it('flux/KS-02: a source that is missing, and one without artifact', async () => {
    const f = await fleet();
    await f.kustomization('apps', { retryInterval: '5m' });
    await f.pass(1000);
    expect(await f.condition('apps')).toBe('False ArtifactFailed gitrepositories.source.toolkit.fluxcd.io "repo" not found');
    await f.put({
      apiVersion: SOURCE,
      kind: 'GitRepository',
      metadata: { name: 'repo', namespace: NAMESPACE },
      spec: { interval: '1m', url: 'https://example.dev' },
    });
    await f.pass(5 * MINUTE);
    expect(await f.condition('apps')).toBe('False ArtifactFailed Source artifact not found, retrying in 30s');
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.pass(1000);
    expect(await f.condition('apps')).toMatch(/^True/);
    expect(f.events.filter((event) => event.type === 'Warning')).toEqual([]);
  });

  it('flux/KS-02: foreign namespaces are refused for good when they are blocked', async () => {
    const f = await fleet({ flags: { noCrossNamespaceRefs: true } });
    await f.kustomization('apps', { sourceRef: { kind: 'GitRepository', name: 'repo', namespace: 'other' } });
    await f.pass(MINUTE);
    const message = "can't access 'GitRepository/other/repo', cross-namespace references have been blocked";
    expect(await f.condition('apps')).toBe(`False AccessDenied ${message}`);
    expect(await f.condition('apps', 'Stalled')).toBe(`True AccessDenied ${message}`);
    expect((await f.status('apps')).observedGeneration).toBe(-1);
    expect(f.events).toMatchObject([{ type: 'Warning', reason: 'AccessDenied', message }]);
    await f.pass(60 * MINUTE);
    expect(f.events).toHaveLength(1);
  });

  it('flux/KS-02: ExternalArtifact is refused while its gate is off', async () => {
    const f = await fleet();
    await f.kustomization('apps', { sourceRef: { kind: 'ExternalArtifact', name: 'x' } });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toBe(
      "False AccessDenied can't access 'ExternalArtifact/flux-system/x', ExternalArtifact feature gate is disabled",
    );
  });

  it('flux/KS-07: a new revision is applied at once, without waiting for the interval', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    await f.publish({ 'a.yaml': map('a', '2') }, '2');
    await f.pass(1000);
    expect((await f.find(mapRef('a')))?.['data']).toEqual({ value: '2' });
    expect((await f.status('apps')).lastAppliedRevision).toBe('2');
  });

  it('an archive that is gone, one that cannot be downloaded and one that was changed are told apart', async () => {
    const f = await fleet({ flags: { httpRetry: 0 } });
    const answers: [Fetch, string][] = [
      [async () => new Response('', { status: 404 }), 'Source is not ready, artifact not found, retrying in 30s'],
      [async () => new Response('', { status: 500 }), 'failed to download archive from http://sources.local/'],
      [async () => new Response('x'), "failed to verify archive: computed digest doesn't match provided 'sha256:"],
    ];
    await f.kustomization('apps', { retryInterval: '30s' });
    for (const [answer, message] of answers) {
      f.faults.fetch = answer;
      await f.publish({ 'a.yaml': map('a') }, '1');
      await f.pass(MINUTE);
      expect(await f.condition('apps')).toContain(`False ArtifactFailed ${message}`);
      expect(await f.condition('apps', 'Reconciling')).toMatch(
        /^True ProgressingWithRetry Fetching manifests for revision 1 with a timeout of 9m30s/,
      );
    }
  });

  it.each([
    ['a download', {}, async (): Promise<Response> => new Response('', { status: 500 })],
    ['a build', { 'kustomization.yaml': 'resources: [missing.yaml]\n' }, undefined],
  ])('flux/KS-05: %s that goes on failing writes its status once', async (_, files, answer) => {
    const f = await fleet({ flags: { httpRetry: 0 } });
    if (answer !== undefined) f.faults.fetch = answer;
    await f.publish({ 'a.yaml': map('a'), ...files }, '1');
    await f.kustomization('apps', { retryInterval: '30s' });
    await f.pass(MINUTE);
    f.requests();
    await f.pass(10 * MINUTE);
    const requests = f.requests();
    expect(requests.filter((line) => line.endsWith('/kustomizations/apps')).length).toBeGreaterThanOrEqual(18);
    expect(requests.filter(isWrite)).toEqual([]);
  });

  it('Kustomizations of one artifact share one download', async () => {
    const f = await fleet();
    let downloads = 0;
    await f.publish({ 'a/a.yaml': map('a'), 'b/b.yaml': map('b') }, '1');
    const direct = f.world.fetch;
    const serve = f.faults;
    serve.fetch = (input, init) => {
      downloads += 1;
      delete serve.fetch;
      return direct(input, init);
    };
    await f.kustomization('a', { path: './a' });
    await f.kustomization('b', { path: './b/' });
    await f.pass(MINUTE);
    expect(downloads).toBe(1);
    expect(await f.condition('b')).toMatch(/^True/);
  });

  it.each(['./missing', '../outside', 'a.yaml'])('flux/KS-16: the path %s is not found', async (path) => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps', { path });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toMatch(/^False ArtifactFailed kustomization path not found: /);
    expect(f.events.map((event) => event.type)).toEqual(['Warning']);
  });
});

describe('dependencies', () => {
  it('flux/KS-03, BY-10: a dependent waits for its dependency, and is woken as soon as that is ready', async () => {
    const f = await fleet();
    await f.publish({ 'a/a.yaml': map('a'), 'b/b.yaml': map('b') }, '1');
    await f.kustomization('b', { path: './b', dependsOn: [{ name: 'a' }] });
    await f.pass(1000);
    expect(await f.condition('b')).toMatch(/^False DependencyNotReady dependency 'flux-system\/a' not found: kustomizations/);
    expect(f.events).toMatchObject([{ type: 'Normal', message: 'Dependencies do not meet ready condition, retrying in 30s' }]);
    await f.kustomization('a', { path: './a', suspend: true });
    await f.pass(1000);
    expect(await f.condition('b')).toBe("False DependencyNotReady dependency 'flux-system/a' is not ready");
    await f.kustomization('a', { path: './a', suspend: false });
    await f.pass(1000);
    expect(await f.condition('b')).toMatch(/^True ReconciliationSucceeded/);
  });

  it('flux/KS-03: a dependency of the same source must have applied the same revision', async () => {
    const f = await fleet();
    await f.publish({ 'a/a.yaml': map('a'), 'b/b.yaml': map('b') }, '1');
    await f.kustomization('a', { path: './a' });
    await f.kustomization('b', { path: './b', dependsOn: [{ name: 'a' }] });
    await f.pass(MINUTE);
    await f.kustomization('a', { path: './a', suspend: true });
    await f.pass(MINUTE);
    await f.publish({ 'a/a.yaml': map('a'), 'b/b.yaml': map('b', '2') }, '2');
    await f.pass(1000);
    expect(await f.condition('b')).toMatch(
      /^False DependencyNotReady dependency 'flux-system\/a' (is not ready|revision is not up to date)$/,
    );
    await f.kustomization('a', { path: './a', suspend: false });
    await f.pass(1000);
    expect((await f.find(mapRef('b')))?.['data']).toEqual({ value: '2' });
  });

  it('flux/KS-03: a new revision runs through a chain without any waiting', async () => {
    const f = await fleet();
    const files = (value: string) => Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}/x.yaml`, map(name, value)]));
    await f.publish(files('1'), '1');
    const chain = ['d', 'c', 'b', 'a'];
    for (const [i, name] of chain.entries()) {
      const next = chain[i + 1];
      await f.kustomization(name, { path: name, ...(next === undefined ? {} : { dependsOn: [{ name: next }] }) });
    }
    await f.pass(2000);
    await f.publish(files('2'), '2');
    await f.pass(2000);
    expect(await Promise.all(chain.map(async (name) => (await f.status(name)).lastAppliedRevision))).toEqual(['2', '2', '2', '2']);
  });

  it('flux/KS-03: a cycle stays not ready, and is logged', async () => {
    const f = await fleet();
    await f.kustomization('a', { dependsOn: [{ name: 'b' }] });
    await f.kustomization('b', { dependsOn: [{ name: 'a' }] });
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.pass(10 * MINUTE);
    expect(await f.condition('a')).toBe("False DependencyNotReady dependency 'flux-system/b' is not ready");
    expect(f.logs.join('\n')).toContain('circular dependency detected: flux-system/a -> flux-system/b -> flux-system/a');
  });

  it('flux/KS-04: readyExpr decides instead of the built-in check, about dep and self', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('a', { suspend: true }, { labels: { stage: 'one' } });
    await f.kustomization('b', {
      dependsOn: [{ name: 'a', readyExpr: "dep.metadata.labels.stage == 'two' && self.metadata.name == 'b'" }],
    });
    await f.pass(1000);
    expect(await f.condition('b')).toBe("False DependencyNotReady dependency 'flux-system/a' is not ready according to readyExpr eval");
    await f.patch(kustomizationRef('a'), { metadata: { labels: { stage: 'two' } } });
    await f.pass(1000);
    expect(await f.condition('b')).toMatch(/^True/);
  });

  it.each(['dep.spec.suspend', 'dep.', '1 + 1', 'unknown(dep) == true'])('flux/KS-04: %s as readyExpr is terminal', async (readyExpr) => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('a');
    await f.kustomization('b', { dependsOn: [{ name: 'a', readyExpr }] });
    await f.pass(MINUTE);
    expect(await f.condition('b')).toMatch(/^False InvalidCELExpression Reconciliation failed terminally due to configuration error: /);
    expect(await f.condition('b', 'Stalled')).toMatch(/^True InvalidCELExpression/);
    expect((await f.status('b')).observedGeneration).toBe(1);
  });

  it('flux/KS-04: an expression that cannot be evaluated means not ready', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('a', { suspend: true });
    await f.kustomization('b', { dependsOn: [{ name: 'a', readyExpr: "dep.status.missing == 'x'" }] });
    await f.pass(MINUTE);
    expect(await f.condition('b')).toMatch(
      /^False DependencyNotReady dependency 'flux-system\/a' is not ready according to readyExpr eval: /,
    );
  });
});

describe('variables', () => {
  const variables = (value: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'vars', namespace: NAMESPACE, labels: { 'reconcile.fluxcd.io/watch': 'Enabled' } },
    data: { value },
  });
  const postBuild = { substituteFrom: [{ kind: 'ConfigMap' as const, name: 'vars' }] };

  it('flux/KS-07: a labelled ConfigMap that changes is acted on at once', async () => {
    const f = await fleet();
    await f.put(variables('one'));
    await f.publish({ 'a.yaml': map('a', '${value}') }, '1');
    await f.kustomization('apps', { postBuild });
    await f.pass(MINUTE);
    expect((await f.find(mapRef('a')))?.['data']).toEqual({ value: 'one' });
    await f.put(variables('two'));
    await f.pass(1000);
    expect((await f.find(mapRef('a')))?.['data']).toEqual({ value: 'two' });
  });

  it('flux/SUB-01, BY-18: an object with variables is read once for a build', async () => {
    const f = await fleet();
    await f.put(variables('one'));
    await f.publish(Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}.yaml`, map(name, '${value}')])), '1');
    await f.kustomization('apps', { postBuild });
    await f.pass(MINUTE);
    expect(f.requests().filter((line) => line.endsWith('/configmaps/vars'))).toHaveLength(1);
  });
});

describe('retries and suspension', () => {
  it('flux/KS-05: a failure is tried again after the retry interval, always the same', async () => {
    const f = await fleet();
    await f.publish({ 'kustomization.yaml': 'resources: [missing.yaml]\n' }, '1');
    await f.kustomization('apps', { retryInterval: '2m' });
    await f.pass(11 * MINUTE);
    const failures = f.events.filter((event) => event.reason === 'BuildFailed');
    expect(failures).toHaveLength(6);
    expect(failures[0]?.message).toMatch(/^kustomize build failed: /);
    expect(await f.condition('apps')).toMatch(/^False BuildFailed kustomize build failed: /);
    expect((await f.status('apps')).observedGeneration).toBe(-1);
  });

  it('flux/KS-08: suspended means no work, but the request is recorded', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps', { suspend: true }, { annotations: { 'reconcile.fluxcd.io/requestedAt': 'then' } });
    await f.pass(30 * MINUTE);
    expect(await f.find(mapRef('a'))).toBeUndefined();
    expect((await f.status('apps')).lastHandledReconcileAt).toBe('then');
    expect(await f.condition('apps')).toBeUndefined();
  });

  it('trouble with the API is tried again with back-off', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    let drops = 3;
    f.faults.intercept = (request) => (request.path.endsWith('/gitrepositories/repo') && drops-- > 0 ? 'drop' : 'pass');
    await f.kustomization('apps');
    await f.pass(10_000);
    expect(await f.condition('apps')).toMatch(/^True/);
  });
});

describe('inventory and pruning', () => {
  it('flux/SSA-11: what is no longer built is deleted, and told', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a'), 'b.yaml': map('b') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    f.events.length = 0;
    await f.publish({ 'a.yaml': map('a') }, '2');
    await f.pass(MINUTE);
    expect(await f.find(mapRef('b'))).toBeUndefined();
    expect((await f.status('apps')).inventory?.entries).toEqual([{ id: 'default_a__ConfigMap', v: 'v1' }]);
    expect(f.events[0]?.message).toBe('ConfigMap/default/b deleted');
  });

  it('flux/SSA-12: skipped objects stay listed', async () => {
    const f = await fleet();
    const disabled = '  annotations:\n    kustomize.toolkit.fluxcd.io/reconcile: disabled\n';
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    await f.publish({ 'a.yaml': map('a', '2', disabled) }, '2');
    await f.pass(MINUTE);
    expect((await f.status('apps')).inventory?.entries).toEqual([{ id: 'default_a__ConfigMap', v: 'v1' }]);
    expect((await f.find(mapRef('a')))?.['data']).toEqual({ value: '1' });
  });

  it('flux/SSA-12, BY-17: an object is in the inventory before it is created, so that a run that dies leaves no orphan', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a'), 'b.yaml': map('b') }, '1');
    f.faults.intercept = (request) =>
      request.method === 'PATCH' && request.path.endsWith('/configmaps/b') && request.query.get('dryRun') === null ? 'drop' : 'pass';
    await f.kustomization('apps');
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toContain('ConfigMap/default/b apply failed');
    expect(await f.condition('apps')).toContain('\nConfigMap/default/a created');
    expect((await f.status('apps')).inventory?.entries.map((entry) => entry.id)).toEqual(['default_a__ConfigMap', 'default_b__ConfigMap']);
    // The next revision holds neither: what the failed run created must go.
    delete f.faults.intercept;
    await f.publish({ 'c.yaml': map('c') }, '2');
    await f.pass(MINUTE);
    expect(await f.find(mapRef('a'))).toBeUndefined();
    expect((await f.status('apps')).inventory?.entries.map((entry) => entry.id)).toEqual(['default_c__ConfigMap']);
  });

  it('flux/SSA-12: nothing is created while the intent cannot be recorded', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    f.faults.intercept = (request) => {
      const body = request.body?.kind === 'json' ? request.body.value : undefined;
      const status = isJsonObject(body) ? body['status'] : undefined;
      return isJsonObject(status) && status['inventory'] !== undefined ? 'drop' : 'pass';
    };
    await f.kustomization('apps');
    await f.pass(MINUTE);
    expect(await f.find(mapRef('a'))).toBeUndefined();
  });

  it('flux/SSA-12: with prune off removed objects stay listed, and go when it is turned on', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a'), 'b.yaml': map('b'), 'c.yaml': map('c') }, '1');
    await f.kustomization('apps', { prune: false });
    await f.pass(MINUTE);
    await f.remove(mapRef('c'));
    await f.publish({ 'a.yaml': map('a') }, '2');
    await f.pass(MINUTE);
    expect(await f.find(mapRef('b'))).toBeDefined();
    expect((await f.status('apps')).inventory?.entries.map((entry) => entry.id)).toEqual(['default_a__ConfigMap', 'default_b__ConfigMap']);
    await f.kustomization('apps', { prune: true });
    await f.pass(MINUTE);
    expect(await f.find(mapRef('b'))).toBeUndefined();
  });

  it('flux/SSA-12: what could not be deleted is tried again', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a'), 'b.yaml': map('b') }, '1');
    await f.kustomization('apps', { retryInterval: '1m' });
    await f.pass(MINUTE);
    f.faults.intercept = (request) => (request.method === 'DELETE' ? 'drop' : 'pass');
    await f.publish({ 'a.yaml': map('a') }, '2');
    await f.pass(1000);
    expect(await f.condition('apps')).toMatch(/^False PruneFailed delete failed, errors: ConfigMap\/default\/b delete failed: /);
    delete f.faults.intercept;
    await f.pass(2 * MINUTE);
    expect(await f.find(mapRef('b'))).toBeUndefined();
    expect(await f.condition('apps')).toMatch(/^True/);
  });

  it('flux/SSA-11: a build that fails deletes nothing', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    await f.publish({ 'kustomization.yaml': 'resources: [missing.yaml]\n' }, '2');
    await f.pass(30 * MINUTE);
    expect(await f.find(mapRef('a'))).toBeDefined();
    expect((await f.status('apps')).inventory?.entries).toHaveLength(1);
  });
});

describe('deletion', () => {
  const policies: [string, Partial<Spec>, boolean][] = [
    ['MirrorPrune with prune deletes', {}, true],
    ['MirrorPrune without prune keeps', { prune: false }, false],
    ['Orphan keeps', { deletionPolicy: 'Orphan' }, false],
    ['Delete deletes even without prune', { prune: false, deletionPolicy: 'Delete' }, true],
    ['WaitForTermination deletes even without prune', { prune: false, deletionPolicy: 'WaitForTermination' }, true],
    ['suspended keeps', { suspend: true }, false],
  ];

  it.each(policies)('flux/KS-12: %s', async (_, spec, isDeleted) => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps', { ...spec, suspend: false });
    await f.pass(MINUTE);
    expect((await f.find(kustomizationRef('apps')))?.metadata.finalizers).toEqual(['finalizers.fluxcd.io']);
    await f.kustomization('apps', spec);
    await f.pass(MINUTE);
    await f.remove(kustomizationRef('apps'));
    await f.pass(MINUTE);
    expect(await f.find(kustomizationRef('apps'))).toBeUndefined();
    expect((await f.find(mapRef('a'))) === undefined).toBe(isDeleted);
  });

  it('flux/KS-12: a failing delete keeps the finalizer and is tried again', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    f.faults.intercept = (request) => (request.method === 'DELETE' ? 'drop' : 'pass');
    await f.remove(kustomizationRef('apps'));
    await f.pass(10_000);
    expect(await f.find(kustomizationRef('apps'))).toBeDefined();
    expect(f.events.at(-1)).toMatchObject({ type: 'Warning', message: 'pruning for deleted resource failed' });
    delete f.faults.intercept;
    await f.pass(MINUTE);
    expect(await f.find(kustomizationRef('apps'))).toBeUndefined();
    expect(await f.find(mapRef('a'))).toBeUndefined();
  });

  it('flux/KS-12: when the service account is gone nothing is deleted, and that is told', async () => {
    const f = await fleet();
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: NAMESPACE, name: 'deployer' };
    await f.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'deployer', namespace: NAMESPACE } });
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps', { serviceAccountName: 'deployer' });
    await f.pass(MINUTE);
    await f.remove(account);
    await f.remove(kustomizationRef('apps'));
    await f.pass(MINUTE);
    expect(f.events.at(-1)).toMatchObject({ type: 'Warning', message: 'unable to prune objects: \nConfigMap/default/a' });
    expect(await f.find(kustomizationRef('apps'))).toBeUndefined();
    expect(await f.find(mapRef('a'))).toBeDefined();
  });

  it('flux/KS-12: WaitForTermination gives up after the timeout, says so, and lets go', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a', '1', '  finalizers: [example.dev/hold]\n') }, '1');
    await f.kustomization('apps', { deletionPolicy: 'WaitForTermination', timeout: '1m' });
    await f.pass(MINUTE);
    await f.remove(kustomizationRef('apps'));
    await f.pass(50_000);
    expect(await f.find(kustomizationRef('apps'))).toBeDefined();
    await f.pass(20_000);
    expect(await f.find(kustomizationRef('apps'))).toBeUndefined();
    expect(f.events.at(-1)).toMatchObject({ type: 'Warning', message: 'failed to wait for resources termination' });
  });
});

describe('whose name objects are applied in', () => {
  const users: [string, Partial<Spec>, KustomizationControllerOptions['flags'], string][] = [
    ['spec.serviceAccountName', { serviceAccountName: 'deployer' }, {}, 'deployer'],
    ['--default-service-account', {}, { defaultServiceAccount: 'fallback' }, 'fallback'],
    ['the object before the flag', { serviceAccountName: 'deployer' }, { defaultServiceAccount: 'fallback' }, 'deployer'],
  ];

  it.each(users)('flux/KS-13: %s', async (_, spec, flags, account) => {
    const f = await fleet(flags === undefined ? {} : { flags });
    await f.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace: NAMESPACE } });
    await f.publish({ 'a.yaml': map('a'), 'b.yaml': map('b') }, '1');
    await f.kustomization('apps', { wait: true, ...spec });
    await f.pass(MINUTE);
    await f.publish({ 'a.yaml': map('a', '2') }, '2');
    await f.pass(MINUTE);
    const requests = f.requests();
    const touching = requests.filter((line) => line.includes('/configmaps'));
    expect(touching.some((line) => line.startsWith('DELETE'))).toBe(true);
    expect(touching.every((line) => line.endsWith(` as system:serviceaccount:${NAMESPACE}:${account}`))).toBe(true);
    expect(requests.filter((line) => line.includes('/kustomizations/')).every((line) => !line.includes(' as '))).toBe(true);
  });

  it('flux/KS-14: kubeConfig is refused by name', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps', { kubeConfig: { secretRef: { name: 'remote' } } });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toMatch(/^False ReconciliationFailed spec.kubeConfig is not supported yet/);
    expect(f.events[0]?.message).toMatch(/^failed to build kube client: spec.kubeConfig/);
    expect(await f.find(mapRef('a'))).toBeUndefined();
  });
});

describe('health', () => {
  /** An object that the cluster itself does not bring to readiness. */
  const repository = `apiVersion: ${SOURCE}
kind: GitRepository
metadata: { name: web, namespace: default }
spec: { interval: 1m, url: https://example.dev/web }
`;
  const webRef = { apiVersion: SOURCE, kind: 'GitRepository', namespace: 'default', name: 'web' };
  const conditionNow = (type: string): object => ({
    observedGeneration: 1,
    conditions: [{ type, status: 'True', reason: 'Test', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
  });
  const settle = (f: Fleet, status: object) => f.run(f.raw.patch(webRef, 'merge', { status }, { subresource: 'status' }));

  it('flux/HLT-01, flux/HLT-05: wait holds Ready back until everything applied is ready', async () => {
    const f = await fleet();
    await f.publish({ 'web.yaml': repository }, '1');
    await f.kustomization('apps', { wait: true, healthChecks: [{ kind: 'Deployment', name: 'nothing', namespace: 'default' }] });
    await f.pass(MINUTE);
    const progress = 'Running health checks for revision 1 with a timeout of 9m30s';
    expect(await f.condition('apps')).toBe('Unknown Progressing Reconciliation in progress');
    expect(await f.condition('apps', 'Reconciling')).toBe(`True Progressing ${progress}`);
    expect(await f.condition('apps', 'Healthy')).toBe(`Unknown Progressing ${progress}`);
    await settle(f, conditionNow('Ready'));
    await f.pass(100);
    expect(await f.condition('apps')).toMatch(/^True/);
    expect(await f.condition('apps', 'Healthy')).toMatch(/^True Succeeded Health check passed in /);
    expect(f.events.map((event) => event.message)).toContainEqual(expect.stringMatching(/^Health check passed in /));
  });

  it('flux/HLT-05: time runs out, then recovery, then the condition goes with the checks', async () => {
    const f = await fleet();
    await f.publish({ 'web.yaml': repository }, '1');
    await f.kustomization('apps', {
      healthChecks: [webRef],
      timeout: '1m',
      retryInterval: '1m',
    });
    await f.pass(90_000);
    const message = "timeout waiting for: [GitRepository/default/web status: 'InProgress']";
    expect(await f.condition('apps')).toBe(`False HealthCheckFailed health check failed after 1m0s: ${message}`);
    expect(await f.condition('apps', 'Healthy')).toBe(`False HealthCheckFailed ${message}`);
    expect((await f.status('apps')).history?.[0]).toMatchObject({ lastReconciledStatus: 'HealthCheckFailed' });
    await settle(f, conditionNow('Ready'));
    await f.pass(2 * MINUTE);
    expect(await f.condition('apps', 'Healthy')).toMatch(/^True Succeeded/);
    await f.kustomization('apps', {});
    await f.run(f.raw.patch(kustomizationRef('apps'), 'merge', { spec: { healthChecks: null } }, { fieldManager: 'test' }));
    await f.pass(MINUTE);
    expect(await f.condition('apps', 'Healthy')).toBeUndefined();
  });

  it('flux/HLT-05: a healthy object is announced again only when a new revision changed something', async () => {
    const f = await fleet();
    const announced = (): number => f.events.filter((event) => event.message.startsWith('Health check passed')).length;
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps', { wait: true });
    await f.pass(MINUTE);
    expect(announced()).toBe(1);
    await f.publish({ 'a.yaml': map('a'), 'README.md': 'x' }, '2');
    await f.pass(MINUTE);
    await f.patch(mapRef('a'), { data: { value: 'drift' } });
    await f.pass(11 * MINUTE);
    expect((await f.find(mapRef('a')))?.['data']).toEqual({ value: '1' });
    expect(announced()).toBe(1);
    await f.publish({ 'a.yaml': map('a', '3') }, '3');
    await f.pass(MINUTE);
    expect(announced()).toBe(2);
  });

  it('flux/HLT-02: fails early when something is stalled', async () => {
    const f = await fleet();
    await f.publish({ 'web.yaml': repository }, '1');
    await f.kustomization('apps', { wait: true });
    await f.pass(1000);
    await settle(f, conditionNow('Stalled'));
    await f.pass(1000);
    expect(await f.condition('apps')).toMatch(
      /^False HealthCheckFailed health check failed after .*: failed early due to stalled resources: \[GitRepository\/default\/web status: 'Failed'\]$/,
    );
  });

  it('flux/HLT-01: a reference to itself is passed over', async () => {
    const f = await fleet();
    const self = { apiVersion: KUSTOMIZE, kind: 'Kustomization', name: 'apps', namespace: NAMESPACE };
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps', { healthChecks: [self] });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toMatch(/^True/);
  });

  const later: [string, (f: Fleet) => Promise<unknown>, string][] = [
    ['a new revision', (f) => f.publish({ 'web.yaml': repository, 'a.yaml': map('a') }, '2'), `GitRepository/${NAMESPACE}/repo`],
    ['a change of the spec', (f) => f.kustomization('apps', { wait: true, timeout: '3m' }), `Kustomization/${NAMESPACE}/apps`],
  ];

  it.each(later)('flux/KS-10: with the gate %s ends health checks that run', async (_, change, by) => {
    const f = await fleet({ flags: { gates: { ...DEFAULT_FLAGS.gates, cancelHealthCheckOnNewRevision: true } } });
    await f.publish({ 'web.yaml': repository }, '1');
    await f.kustomization('apps', { wait: true });
    await f.pass(MINUTE);
    await change(f);
    await f.pass(1000);
    const message = `Health checks canceled due to new reconciliation triggered by ${by}`;
    expect(f.events).toContainEqual(expect.objectContaining({ type: 'Normal', reason: 'HealthCheckCanceled', message }));
    expect(await f.condition('apps')).toBe('Unknown Progressing Reconciliation in progress');
    await settle(f, conditionNow('Ready'));
    await f.pass(1000);
    expect(await f.condition('apps')).toMatch(/^True/);
  });

  it('flux/KS-10: without the gate they run on', async () => {
    const f = await fleet();
    await f.publish({ 'web.yaml': repository }, '1');
    await f.kustomization('apps', { wait: true });
    await f.pass(MINUTE);
    await f.publish({ 'a.yaml': map('a') }, '2');
    await f.pass(MINUTE);
    expect((await f.status('apps')).lastAttemptedRevision).toBe('1');
  });

  it.each([
    ['that cleans itself up counts as a success', 'ttlSecondsAfterFinished: 0', 'True'],
    ['that does not is missed', 'backoffLimit: 1', 'Unknown'],
  ])('flux/HLT-03: a Job that is gone and %s', async (_, field, ready) => {
    const f = await fleet();
    const job = `apiVersion: batch/v1
kind: Job
metadata: { name: once, namespace: default }
spec:
  ${field}
  template:
    spec: { restartPolicy: Never, containers: [{ name: once, image: once }] }
`;
    const gone = apiErrors.notFound({ group: 'batch', plural: 'jobs' }, 'once').status;
    f.faults.intercept = (request) =>
      request.method === 'GET' && request.path.endsWith('/jobs/once')
        ? { status: 404, headers: {}, body: { kind: 'json', value: gone } }
        : request.path.endsWith('/jobs') && request.query.has('watch')
          ? 'drop'
          : 'pass';
    await f.publish({ 'job.yaml': job }, '1');
    await f.kustomization('apps', { wait: true });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toMatch(new RegExp(`^${ready}`));
  });

  it('flux/HLT-04: health expressions that do not parse are terminal', async () => {
    const f = await fleet();
    await f.kustomization('apps', { healthCheckExprs: [{ apiVersion: 'v1', kind: 'ConfigMap', current: 'data.' }] });
    await f.pass(MINUTE);
    expect(await f.condition('apps', 'Stalled')).toMatch(/^True InvalidCELExpression/);
  });

  it('flux/HLT-04: health expressions decide about their kind', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a', 'no') }, '1');
    await f.kustomization('apps', {
      wait: true,
      healthCheckExprs: [{ apiVersion: 'v1', kind: 'ConfigMap', current: "data.value == 'yes'", failed: "data.value == 'bad'" }],
    });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toMatch(/^Unknown/);
    await f.patch(mapRef('a'), { data: { value: 'bad' } });
    await f.pass(1000);
    expect(await f.condition('apps')).toMatch(/^False HealthCheckFailed/);
  });
});

describe('decryption', () => {
  const identity = generateAgeIdentity(systemEntropy);
  const VALUE = 'correct-horse-battery';
  const plain = `apiVersion: v1\nkind: Secret\nmetadata:\n    name: db\n    namespace: default\nstringData:\n    password: ${VALUE}\n`;
  const dbRef = { apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'db' };

  async function encrypted(f: Fleet, text = plain, format: SopsFormat = 'yaml'): Promise<string> {
    const recipient = await f.run(ageRecipientOf(identity, f.world));
    const groups = [[ageKey(recipient)]];
    const selection = { encryptedRegex: '^(data|stringData)$' };
    const bytes = await f.run(
      encrypt(new TextEncoder().encode(text), { world: f.world, entropy: systemEntropy, format, groups, selection }),
    );
    return new TextDecoder().decode(bytes);
  }
  const keySecret = (data: Record<string, string>, name = 'sops-age', namespace = NAMESPACE): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  });
  const decryption = { provider: 'sops', secretRef: { name: 'sops-age' } };

  it('flux/DEC-02: keys that end in .agekey decrypt, unknown keys are passed over', async () => {
    const f = await fleet();
    await f.put(keySecret({ 'main.agekey': `# a comment\n${identity.reveal()}\n`, readme: 'x' }));
    await f.publish({ 'db.yaml': await encrypted(f) }, '1');
    await f.kustomization('apps', { decryption });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toMatch(/^True/);
    expect((await f.find(dbRef))?.['data']).toEqual({ password: Buffer.from(VALUE).toString('base64') });
  });

  it('flux/DEC-02: a key Secret that is missing', async () => {
    const f = await fleet();
    await f.publish({ 'db.yaml': await encrypted(f) }, '1');
    await f.kustomization('apps', { decryption });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toBe('False BuildFailed secrets "sops-age" not found');
  });

  it('flux/DEC-02: an OpenPGP key in an .asc entry decrypts', async () => {
    const f = await fleet();
    const armored = readFileSync(join(import.meta.dirname, '../../secrets/keys/vectors/TEST-KEY-pgp-curve25519.asc'), 'utf8');
    const { readKey } = await import('openpgp');
    const fingerprint = (await readKey({ armoredKey: armored })).getFingerprint().toUpperCase();
    const credentials = keySecretCredentials([['sops.asc', Buffer.from(armored)]]);
    // The key is younger than the virtual clock's start.
    const sealed = await encrypt(new TextEncoder().encode(plain), {
      world: systemWorld(),
      entropy: systemEntropy,
      format: 'yaml',
      groups: [[pgpKey(fingerprint)]],
      selection: { encryptedRegex: '^(data|stringData)$' },
      credentials,
    });
    await f.put(keySecret({ 'sops.asc': armored }));
    await f.publish({ 'db.yaml': new TextDecoder().decode(sealed) }, '1');
    await f.kustomization('apps', { decryption });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toMatch(/^True/);
    expect((await f.find(dbRef))?.['data']).toEqual({ password: Buffer.from(VALUE).toString('base64') });
  });

  const refused: [string, string][] = [
    ['sops.aws-kms', 'the credentials cannot be used: it needs aws_access_key_id and aws_secret_access_key'],
    ['sops.azure-kv', ''],
    ['bad.agekey', ''],
  ];

  it.each(refused)('flux/DEC-02, flux/DEC-12: a malformed %s is named, without its content', async (key, text) => {
    const f = await fleet();
    await f.put(keySecret({ [key]: 'AGE-SECRET-KEY-1CANARYCANARY' }));
    await f.publish({ 'db.yaml': await encrypted(f) }, '1');
    await f.kustomization('apps', { decryption });
    await f.pass(MINUTE);
    const message = await f.condition('apps');
    expect(message).toContain(
      `False BuildFailed failed to import '${key}' data from sops decryption Secret 'flux-system/sops-age': ${text}`,
    );
    expect(JSON.stringify([message, f.events, f.logs])).not.toContain('CANARY');
  });

  it('flux/DEC-07: an encrypted Secret without decryption stops everything, with the dedicated message', async () => {
    const f = await fleet();
    await f.publish({ 'db.yaml': await encrypted(f), 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toBe(
      'False ReconciliationFailed Secret/default/db is SOPS encrypted, configuring decryption is required for this secret to be reconciled',
    );
    expect(await f.find(mapRef('a'))).toBeUndefined();
    expect(await f.find(dbRef)).toBeUndefined();
  });

  it('flux/DEC-08: the global age Secret serves objects without one of their own', async () => {
    const f = await fleet({ flags: { sopsAgeSecret: 'global', runtimeNamespace: 'default' } });
    await f.put(keySecret({ 'g.agekey': identity.reveal(), 'other.asc': 'x' }, 'global', 'default'));
    await f.publish({ 'db.yaml': await encrypted(f) }, '1');
    await f.kustomization('apps', { decryption: { provider: 'sops' } });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toMatch(/^True/);
  });

  it('flux/KS-01: a service account for decryption needs its gate', async () => {
    const f = await fleet();
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps', { decryption: { provider: 'sops', serviceAccountName: 'x' } });
    await f.pass(MINUTE);
    expect(await f.condition('apps', 'Stalled')).toMatch(/^True FeatureGateDisabled .*ObjectLevelWorkloadIdentity/);
  });

  it('flux/DEC-12: a wrong key fails without plaintext, ciphertext or key anywhere', async () => {
    const f = await fleet();
    const other = generateAgeIdentity(systemEntropy);
    await f.put(keySecret({ 'main.agekey': other.reveal() }));
    const text = await encrypted(f);
    await f.publish({ 'db.yaml': text }, '1');
    await f.kustomization('apps', { decryption });
    await f.pass(MINUTE);
    expect(await f.condition('apps')).toMatch(/^False BuildFailed decryption failed for 'Secret.v1.\[noGrp\]\/db': /);
    const ciphertext = /ENC\[AES256_GCM,data:([^,]+)/.exec(text)?.[1] ?? 'none';
    const everything = JSON.stringify([await f.find(kustomizationRef('apps')), f.events, f.logs]);
    for (const secret of [VALUE, ciphertext, other.reveal(), identity.reveal()]) expect(everything).not.toContain(secret);
  });

  it('flux/SSA-15, flux/DEC-12: after a success the value is in the Secret and nowhere else', async () => {
    const f = await fleet();
    await f.put(keySecret({ 'main.agekey': identity.reveal() }));
    await f.publish({ 'db.yaml': await encrypted(f) }, '1');
    await f.kustomization('apps', { decryption, wait: true });
    await f.pass(MINUTE);
    const everything = JSON.stringify([await f.find(kustomizationRef('apps')), f.events, f.logs]);
    for (const secret of [VALUE, Buffer.from(VALUE).toString('base64'), identity.reveal()]) expect(everything).not.toContain(secret);
    const [entry] = (await f.status('apps')).history ?? [];
    expect(entry?.digest).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
  });

  it('flux/KS-09, BY-16: the digest of the same objects depends on the key', async () => {
    const digests = await Promise.all(
      [1, 2].map(async () => {
        const f = await fleet();
        await f.publish({ 'a.yaml': map('a') }, '1');
        await f.kustomization('apps');
        await f.pass(MINUTE);
        return (await f.status('apps')).history?.[0]?.digest;
      }),
    );
    expect(digests[0]).not.toBe(digests[1]);
  });
});

describe('planted bugs', () => {
  it('inventoryAfterApply leaves an orphan behind', async () => {
    const f = await fleet({ faults: { inventoryAfterApply: true } });
    await f.publish({ 'a.yaml': map('a'), 'b.yaml': map('b') }, '1');
    f.faults.intercept = (request) =>
      request.method === 'PATCH' && request.path.endsWith('/configmaps/b') && request.query.get('dryRun') === null ? 'drop' : 'pass';
    await f.kustomization('apps');
    await f.pass(MINUTE);
    delete f.faults.intercept;
    await f.publish({ 'c.yaml': map('c') }, '2');
    await f.pass(MINUTE);
    expect(await f.find(mapRef('a'))).toBeDefined();
  });

  it('pruneAfterFailedBuild deletes everything', async () => {
    const f = await fleet({ faults: { pruneAfterFailedBuild: true } });
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    await f.publish({ 'kustomization.yaml': 'resources: [missing.yaml]\n' }, '2');
    await f.pass(MINUTE);
    expect(await f.find(mapRef('a'))).toBeUndefined();
  });

  it('writeWithoutChange writes at every interval', async () => {
    const f = await fleet({ faults: { writeWithoutChange: true } });
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    f.requests();
    await f.pass(11 * MINUTE);
    expect(f.requests().filter(isWrite)).toEqual(['PATCH /api/v1/namespaces/default/configmaps/a']);
  });

  it('staleArtifact goes on applying the first tree', async () => {
    const f = await fleet({ faults: { staleArtifact: true } });
    await f.publish({ 'a.yaml': map('a') }, '1');
    await f.kustomization('apps');
    await f.pass(MINUTE);
    await f.publish({ 'a.yaml': map('a', '2') }, '2');
    await f.pass(MINUTE);
    expect((await f.status('apps')).lastAppliedRevision).toBe('2');
    expect((await f.find(mapRef('a')))?.['data']).toEqual({ value: '1' });
  });
});

describe('under faults', () => {
  /** Twelve revisions, some broken, while a quarter of all requests or answers is lost and the controller dies now and then. Answers what is wrong at the end. */
  async function storm(seed: number, faults: KustomizationControllerOptions['faults'] = {}): Promise<string[]> {
    const f = await fleet({ flags: { httpRetry: 1 }, faults });
    const random = seededRandom(seed);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await f.kustomization('apps', { retryInterval: '30s', wait: true, timeout: '1m' });
    f.faults.intercept = (request) => {
      const draw = random.number();
      // Watches stay: losing them is tested where they are kept.
      if (request.query.has('watch')) return 'pass';
      if (random.number() < 0.01) {
        f.crash();
        return draw < 0.5 ? 'drop' : 'drop-response';
      }
      return draw < 0.12 ? 'drop' : draw < 0.24 ? 'drop-response' : 'pass';
    };
    const rounds = 12;
    let last: string[] = [];
    for (let round = 1; round <= rounds; round++) {
      last = names.filter(() => random.below(2) === 0);
      const files = Object.fromEntries(last.map((name) => [`${name}.yaml`, map(name, String(round))]));
      const broken = round < rounds && random.below(5) === 0 ? { 'kustomization.yaml': 'resources: [missing.yaml]\n' } : {};
      await f.publish({ 'README.md': 'x', ...files, ...broken }, String(round));
      await f.pass(random.below(3 * MINUTE));
    }
    delete f.faults.intercept;
    await f.pass(30 * MINUTE);
    const label = 'kustomize.toolkit.fluxcd.io/name=apps';
    const { items } = await f.run(f.raw.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { labelSelector: label }));
    const listed = (await f.status('apps')).inventory?.entries.map((entry) => entry.id);
    const condition = await f.condition('apps');
    f.requests();
    await f.pass(60 * MINUTE);
    const isWrong: readonly (readonly [problem: string, actual: unknown, wanted: unknown])[] = [
      [
        'objects',
        items.map((item) => `${item.metadata.name} ${(item['data'] as { value: string }).value}`),
        last.map((name) => `${name} ${rounds}`),
      ],
      ['inventory', listed, last.map((name) => `default_${name}__ConfigMap`)],
      ['condition', condition, `True ReconciliationSucceeded Applied revision: ${rounds}`],
      ['writes', f.requests().filter(isWrite), []],
    ];
    f.stop();
    return isWrong.filter(([, actual, wanted]) => !deepEqual(actual, wanted)).map(([problem]) => problem);
  }
  const seeds = Array.from({ length: 8 }, (_, i) => i + 1);

  it.each(seeds)('flux/SSA-12: whatever is lost, the cluster ends as the last revision says (seed %i)', async (seed) => {
    expect(await storm(seed)).toEqual([]);
  });

  const bugs: [keyof NonNullable<KustomizationControllerOptions['faults']>, string][] = [
    ['inventoryAfterApply', 'objects'],
    ['writeWithoutChange', 'writes'],
    ['staleArtifact', 'objects'],
  ];

  it.each(bugs)('the same storm finds the planted bug %s', async (bug, problem) => {
    let isFound = false;
    for (let seed = 1; seed <= 12 && !isFound; seed++) isFound = (await storm(seed, { [bug]: true })).includes(problem);
    expect(isFound).toBe(true);
  });

  it('takes the same steps for the same seed', async () => {
    const steps = async (): Promise<string[]> => {
      const f = await fleet();
      await f.publish({ 'a/a.yaml': map('a'), 'b/b.yaml': map('b'), 'c/c.yaml': map('c') }, '1');
      for (const name of ['a', 'b', 'c']) await f.kustomization(name, { path: name, wait: true });
      await f.pass(90 * MINUTE);
      return f.requests();
    };
    const first = await steps();
    expect(first.length).toBeGreaterThan(50);
    expect(await steps()).toEqual(first);
  });
});
