import { join } from 'node:path';

import { sweepTemporaryDirectories } from '../../base/files/index.ts';
import { noLog, type Log } from '../../base/log/index.ts';
import type { World } from '../../base/world/index.ts';
import { startCluster, type RunningCluster } from '../../cluster/index.ts';
import { artifactFetch, artifactStorage } from '../../fetch/artifact/index.ts';
import { gitProgramFetcher } from '../../fetch/git/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import { runControllers } from '../../kube/runtime/index.ts';
import type { Face } from '../command.ts';
import { fluxControllers } from '../flux.ts';
import { openDataDirectory, type DataDirectory } from './datadir.ts';
import { FLUX_KINDS, followFleet, type Fleet } from './follow.ts';
import type { UpOptions } from './options.ts';
import { FLUX_NAMESPACE, installCrds, readAgeKeys, seedFleet } from './seed.ts';
import { comparableUrl, openSource, type UpSource } from './source.ts';
import { REQUESTED_AT } from './state.ts';
import { unattendedControllers } from './unattended.ts';
import { buildLog, type BuildLog } from './ways.ts';

/** A running `sotto up`. */
export interface Session {
  readonly embedded: RunningCluster;
  readonly cluster: Cluster;
  readonly source: UpSource;
  readonly fleet: Fleet;
  readonly builds: BuildLog;
  close(): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 5000;
/** The host under which artifacts are advertised; they are handed over in process. */
const ARTIFACT_HOST = 'source-controller.flux-system.svc.cluster.local.';

/**
 * Starts cluster, controllers and source. Everything that can be wrong with the user's input is found before
 * the cluster starts.
 */
export async function startSession(options: UpOptions, face: Face, log: Log = noLog): Promise<Session> {
  const { world, entropy } = face;
  const ageKeys = await readAgeKeys(options.ageKeyFile, world);
  await world.outside(sweepTemporaryDirectories);
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.toReversed()) await closer();
  };
  try {
    const data = await openDataDirectory(options.dataDir);
    closers.push(() => data.close());
    const source = await openSource(options, world, data.path);
    closers.push(() => source.close());
    const embedded = await startCluster({
      world,
      entropy,
      port: options.port,
      simulateWorkloads: options.simulateWorkloads ?? true,
      log,
      ...(data.databasePath === ':memory:' ? { kubeconfigPath: data.kubeconfigPath } : { dataDir: data.path }),
    });
    closers.push(() => embedded.close());
    await installCrds(embedded.cluster);
    await seedFleet(embedded.cluster, { url: source.url, branch: source.branch, path: options.path, ageKeys });
    const builds = buildLog();
    closers.push(runFlux({ options, face, data, source, embedded, builds, log }));
    const following = new AbortController();
    closers.push(async () => following.abort());
    const fleet = await followFleet(embedded.cluster, world, following.signal);
    await poke(embedded.cluster, world);
    source.onCommit(() => void poke(embedded.cluster, world));
    return { embedded, cluster: embedded.cluster, source, fleet, builds, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface FluxParts {
  readonly options: UpOptions;
  readonly face: Face;
  readonly data: DataDirectory;
  readonly source: UpSource;
  readonly embedded: RunningCluster;
  readonly builds: BuildLog;
  readonly log: Log;
}

/** Runs the controllers in this process; the result stops them. */
function runFlux({ options, face, data, source, embedded, builds, log }: FluxParts): () => Promise<void> {
  const storage = artifactStorage({
    world: face.world,
    advertisedAddress: ARTIFACT_HOST,
    ...(options.dataDir === undefined ? {} : { directory: join(data.path, 'artifacts') }),
  });
  const world: World = { ...face.world, fetch: artifactFetch(storage, face.world.fetch) };
  const simulated = options.simulate ? unattendedControllers(embedded.cluster, world) : [];
  const flux = fluxControllers({
    cluster: embedded.cluster,
    world,
    entropy: face.entropy,
    log,
    fetcher: gitProgramFetcher({ world }),
    storage,
    standIn: (object) => {
      const { url = '' } = (object['spec'] ?? {}) as { url?: string };
      const isFirst = object.metadata.name === FLUX_NAMESPACE && object.metadata.namespace === FLUX_NAMESPACE;
      return source.isLocal && (isFirst || source.remotes.has(comparableUrl(url))) ? { url: source.url } : undefined;
    },
    onBuild: (owner, build) => builds.record(owner, build),
  });
  const controllers = [...flux, ...simulated];
  const stop = new AbortController();
  const running = runControllers({
    cluster: embedded.cluster,
    controllers,
    world,
    log,
    signal: stop.signal,
    stopTimeoutMs: CLOSE_TIMEOUT_MS,
  });
  return async () => {
    stop.abort();
    await running;
  };
}

/** Asks for a fetch at once: a commit was made. */
async function poke(cluster: Cluster, world: World): Promise<void> {
  const ref = { ...FLUX_KINDS.gitRepository, namespace: FLUX_NAMESPACE, name: FLUX_NAMESPACE };
  const annotations = { [REQUESTED_AT]: new Date(world.clock.now()).toISOString() };
  // A lost race or a shutdown only means that the interval finds the commit instead.
  await cluster.patch(ref, 'merge', { metadata: { annotations } }, { fieldManager: 'sotto-up' }).catch(() => undefined);
}
