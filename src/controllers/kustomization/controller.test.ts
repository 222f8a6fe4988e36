import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { memoryTree } from '../../base/files/index.ts';
import type { Log } from '../../base/log/index.ts';
import { systemEntropy, virtualWorld, type Fetch, type VirtualWorld } from '../../base/world/index.ts';
import { createCluster, type Interception } from '../../cluster/server/index.ts';
import { artifactFetch, artifactStorage } from '../../fetch/artifact/index.ts';
import { connect, type ApiRequest, type Cluster } from '../../kube/client/index.ts';
import { findCondition, isJsonObject, type KubeObject, type ObjectRef } from '../../kube/objects/index.ts';
import { runControllers, type EventRecorder } from '../../kube/runtime/index.ts';
import { ageKey, ageRecipientOf, generateAgeIdentity } from '../../secrets/keys/index.ts';
import { encrypt, type SopsFormat } from '../../secrets/sops/index.ts';
import { parseYaml } from '../../text/yaml/index.ts';
import { kustomizationController } from './controller.ts';
import type { Spec, Status } from './model.ts';
import type { KustomizationControllerOptions } from './options.ts';

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
  readonly stop: () => void;
}

const isWrite = (line: string): boolean => !line.startsWith('GET') && !line.includes(' dry');

async function fleet(options: Partial<KustomizationControllerOptions> = {}): Promise<Fleet> {
  const faults: Fleet['faults'] = {};
  let serve: Fetch | undefined;
  const world = virtualWorld({
    seed: 7,
    fetch: (input, init) => (faults.fetch ?? serve ?? Promise.reject.bind(Promise))(input, init),
  });
  let seen: string[] = [];
  const server = await createCluster({
    world,
    entropy: systemEntropy,
    intercept: (request) => {
      const who = request.headers['impersonate-user'];
      const isDry = request.query.get('dryRun') === 'All';
      const isQuiet = request.query.has('watch') || (request.method === 'GET' && request.path.split('/').length <= 4);
      if (request.headers['user-agent'] === 'controller' && !isQuiet) {
        seen.push(`${request.method} ${request.path}${isDry ? ' dry' : ''}${who === undefined ? '' : ` as ${who}`}`);
      }
      return request.headers['user-agent'] === 'controller' ? (faults.intercept?.(request) ?? 'pass') : 'pass';
    },
  });
  const raw = connect(server.handle, { userAgent: 'test' });
  const storage = artifactStorage({ world, advertisedAddress: 'sources.local' });
  serve = artifactFetch(storage);

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
  const cluster = connect(server.handle, { userAgent: 'controller' });
  const stopping = new AbortController();
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
  await world.run(100);

  const put: Fleet['put'] = (object) => run(raw.apply(object, { fieldManager: 'test', force: true }));
  const find: Fleet['find'] = (ref) => run(raw.find(ref));
  const status: Fleet['status'] = async (name) => ((await find(kustomizationRef(name)))?.['status'] ?? {}) as Status;
  return {
    world,
    raw,
    run,
    pass: async (ms) => void (await world.run(ms)),
    publish: async (files, revision, repository = 'repo') => {
      const owner = { kind: 'GitRepository', namespace: NAMESPACE, name: repository };
      const tree = memoryTree(new Map(Object.entries(files)));
      const artifact = await run(storage.store({ owner, file: `${revision}.tar.gz`, revision, tree }));
      await put({ apiVersion: SOURCE, kind: 'GitRepository', metadata: { name: repository, namespace: NAMESPACE }, spec: { interval: '10m', url: 'https://example.dev/repo' } });
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
