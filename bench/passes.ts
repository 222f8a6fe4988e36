/** Passes over a fleet at rest: how long until every Kustomization has run once more, and what the controllers write then. */
import { setTimeout as sleep } from 'node:timers/promises';

import { noLog } from '../src/base/log/index.ts';
import { systemEntropy, systemWorld } from '../src/base/world/index.ts';
import { fluxControllers } from '../src/cli/flux.ts';
import { installCrds, seedFleet } from '../src/cli/up/seed.ts';
import { installSimulated } from '../src/cli/up/simulated.ts';
import { REQUESTED_AT } from '../src/cli/up/state.ts';
import { unattendedControllers } from '../src/cli/up/unattended.ts';
import { createCluster } from '../src/cluster/index.ts';
import { artifactFetch, artifactStorage } from '../src/fetch/artifact/index.ts';
import { memoryGitFetcher } from '../src/fetch/git/index.ts';
import { connect, type ApiRequest, type Cluster } from '../src/kube/client/index.ts';
import { findCondition, refOf, type KubeObject } from '../src/kube/objects/index.ts';
import { runControllers } from '../src/kube/runtime/index.ts';

export const KUSTOMIZATION = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };

/** Asks every Kustomization to run now; answers the milliseconds until the last has said that it did. */
export async function askAll(cluster: Cluster): Promise<number> {
  const { items, resourceVersion } = await cluster.list(KUSTOMIZATION);
  const stamp = new Date().toISOString();
  const waiting = new Set(items.map(keyOf));
  const start = performance.now();
  const asking = Promise.all(
    items.map((item) => cluster.patch(refOf(item), 'merge', { metadata: { annotations: { [REQUESTED_AT]: stamp } } })),
  );
  for await (const { object } of cluster.watch(KUSTOMIZATION, { resourceVersion })) {
    const { lastHandledReconcileAt } = (object['status'] ?? {}) as { lastHandledReconcileAt?: string };
    if (lastHandledReconcileAt === stamp) waiting.delete(keyOf(object));
    if (waiting.size === 0) break;
  }
  await asking;
  return performance.now() - start;
}

/** Write requests by the path of their resource: `PATCH kustomizations/status`. */
export type Writes = Map<string, number>;

export interface RestingWrites {
  /** When every Kustomization is asked to run once more. */
  readonly asked: Writes;
  /** When the controllers stop and start again. */
  readonly restarted: Writes;
}

/** Brings a fleet up in this process and records what its controllers write once nothing changes. Dry-runs are no writes. */
export async function restingWrites(
  files: ReadonlyMap<string, string>,
  path: string,
  ageKeys: string,
  count: number,
): Promise<RestingWrites> {
  const system = systemWorld();
  const api = await createCluster({ world: system, entropy: systemEntropy });
  const storage = artifactStorage({ world: system, advertisedAddress: 'artifacts' });
  const world = { ...system, fetch: artifactFetch(storage, system.fetch) };
  const fetcher = memoryGitFetcher();
  const admin = connect(api.handle);
  let writes: Writes = new Map();
  const cluster = connect((request) => {
    if (isWrite(request)) writes.set(resourceOf(request), (writes.get(resourceOf(request)) ?? 0) + 1);
    return api.handle(request);
  });
  let ran = new Set<string>();
  const start = (): (() => Promise<void>) => {
    const flux = fluxControllers({ cluster, world, entropy: systemEntropy, log: noLog, fetcher, storage });
    const controllers = [...flux, ...unattendedControllers(cluster, world)];
    const stopping = new AbortController();
    const observe = ({ kind, request }: { kind: string; request: { namespace?: string; name: string } }): void => {
      if (kind === KUSTOMIZATION.kind) ran.add(`${request.namespace ?? ''}/${request.name}`);
    };
    const running = runControllers({ cluster, controllers, world, log: noLog, signal: stopping.signal, observe });
    return async () => {
      stopping.abort();
      await running;
    };
  };
  const during = async (work: () => Promise<unknown>): Promise<Writes> => {
    [ran, writes] = [new Set(), new Map()];
    await work();
    await until(() => ran.size === count);
    await sleep(REST_MS);
    return writes;
  };

  await installCrds(admin);
  await installSimulated(admin, [{ group: 'helm.toolkit.fluxcd.io', version: 'v2', kind: 'HelmRelease' }]);
  fetcher.commit(URL, { files: Object.fromEntries(files) });
  await seedFleet(admin, { url: URL, branch: 'main', path, ageKeys });
  let stop = start();
  try {
    await until(async () => (await admin.list(KUSTOMIZATION)).items.filter(isReady).length === count);
    await sleep(REST_MS);
    const asked = await during(() => askAll(admin));
    await stop();
    const restarted = await during(async () => void (stop = start()));
    return { asked, restarted };
  } finally {
    await stop();
    await api.close();
  }
}

const URL = 'https://git.example/fleet.git';
/** What one change causes in other objects has arrived by then. */
const REST_MS = 1000;
const LONGEST_MS = 60_000;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + LONGEST_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('the fleet did not come to rest');
    await sleep(50);
  }
}

const isWrite = ({ method, query }: ApiRequest): boolean => method !== 'GET' && !query.has('dryRun');

/** `/apis/apps/v1/namespaces/shop/deployments/web` → `PATCH deployments`; a status keeps its name. */
function resourceOf({ method, path }: ApiRequest): string {
  const [, plural = path, subresource] =
    /^\/apis?\/(?:[^/]+\/)?v\w+\/(?:namespaces\/[^/]+\/)?([^/]+)(?:\/[^/]+\/([^/]+))?/.exec(path) ?? [];
  return `${method} ${plural}${subresource === undefined ? '' : `/${subresource}`}`;
}

const isReady = (object: KubeObject): boolean => findCondition(object, 'Ready')?.status === 'True';

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}
