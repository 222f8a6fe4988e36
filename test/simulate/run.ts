/** One simulated life of a cluster under GitOps: API server, controllers and a generated fleet on a virtual clock. */
import { memoryTree } from '../../src/base/files/index.ts';
import { noLog } from '../../src/base/log/index.ts';
import { seededRandom, virtualWorld, type Random, type VirtualWorld } from '../../src/base/world/index.ts';
import { createCluster, type EmbeddedCluster } from '../../src/cluster/server/index.ts';
import { fluxControllers } from '../../src/cli/flux.ts';
import { artifactFetch, artifactStorage, type ArtifactStorage } from '../../src/fetch/artifact/index.ts';
import { memoryGitFetcher, type MemoryGit } from '../../src/fetch/git/index.ts';
import { connect, type ApiRequest, type Cluster } from '../../src/kube/client/index.ts';
import { sottoCrds } from '../../src/kube/objects/index.ts';
import { runControllers } from '../../src/kube/runtime/index.ts';
import { seededEntropy } from './entropy.ts';
import { faultyHandle, type FaultCounts, type FaultyHandle } from './faults.ts';
import { filesOf, firstState, nextState, type FleetState } from './fleet.ts';
import { watchInvariants, type Violation } from './invariants.ts';
import { expect, ROOT_PATH, type Expectation } from './oracle.ts';

/** Bugs that can be switched on, to show that the simulation finds them. */
export type PlantedBug =
  | 'inventory-after-apply'
  | 'prune-after-failed-build'
  | 'lost-watch-event'
  | 'write-without-change'
  | 'stale-artifact';

export interface SimulationOptions {
  readonly seed: number;
  /** Virtual hours of commits and faults, before the quiet time in which invariants are checked. */
  readonly hours: number;
  /** Share of requests with a fault; default 0.02. */
  readonly faults?: number;
  readonly bug?: PlantedBug;
}

export interface SimulationResult extends FaultCounts {
  readonly seed: number;
  readonly commits: number;
  /** Empty when every invariant held. */
  readonly violations: readonly Violation[];
}

const REPOSITORY = 'https://git.example/fleet.git';
const MINUTE = 60_000;
const DEFAULT_FAULTS = 0.045;
/** Longest time in which leftover back-off and retry intervals run out after the last fault. */
const SETTLE_MS = 45 * MINUTE;
/** A commit must be in the cluster within this time when nothing disturbs it. */
const CONVERGE_MS = 3 * MINUTE;
/** Time in which nothing may be written. */
const QUIET_MS = 65 * MINUTE;
const LOST_FRAMES = 0.3;
/** Longest time between a crash and the next start. */
const MAX_DOWN_MS = 3 * MINUTE;

interface Life {
  readonly options: SimulationOptions;
  readonly world: VirtualWorld;
  readonly random: Random;
  readonly git: MemoryGit;
  readonly storage: ArtifactStorage;
  readonly api: EmbeddedCluster;
  /** The cluster as the simulation itself sees it, without faults. */
  readonly admin: Cluster;
  readonly counts: FaultCounts;
  faultsOn: boolean;
  /** Nothing changes: every write is needless. */
  isQuiet: boolean;
  onQuietWrite: (request: ApiRequest) => void;
  requestsUntilCrash: number;
}

/** Runs one seed. Never throws for a violated invariant: they are in the result. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const life = await begin(options);
  const invariants = watchInvariants(life.api, life.world);
  const end = new AbortController();
  void liveThroughCrashes(life, end.signal);
  const history = await inTime(
    life,
    commitForHours(life, (expectation) => invariants.committed(expectation)),
  );
  life.faultsOn = false;
  await life.world.run(SETTLE_MS);
  const last = await inTime(
    life,
    finalCommit(life, history, (expectation) => invariants.committed(expectation)),
  );
  await life.world.run(CONVERGE_MS);
  invariants.checkConverged(last);
  life.onQuietWrite = (request) => invariants.quietWrite(`${request.method} ${request.path}`);
  life.isQuiet = true;
  await life.world.run(QUIET_MS);
  life.isQuiet = false;
  invariants.checkConverged(last);
  end.abort();
  await life.world.run(MINUTE);
  await life.api.close();
  return { seed: options.seed, commits: history.commits, violations: invariants.violations, ...life.counts };
}

/** Lets virtual time pass until a piece of the script is done. */
async function inTime<T>(life: Life, script: Promise<T>): Promise<T> {
  let done = false;
  const marked = script.finally(() => (done = true));
  await life.world.run(Infinity, () => done);
  return marked;
}

async function begin(options: SimulationOptions): Promise<Life> {
  // World and storage need each other: artifacts are read through the world's fetch.
  const world: VirtualWorld = virtualWorld({ seed: options.seed, fetch: (input, init) => artifactFetch(storage)(input, init) });
  const storage: ArtifactStorage = artifactStorage({ world, advertisedAddress: 'source-controller.flux-system.svc.cluster.local.' });
  const starting = createCluster({ world, entropy: seededEntropy(options.seed) });
  let api: EmbeddedCluster | undefined;
  void starting.then((started) => (api = started));
  await world.run(MINUTE, () => api !== undefined);
  const life: Life = {
    options,
    world,
    random: seededRandom(options.seed + 1_000_003),
    git: memoryGitFetcher(),
    storage,
    api: await starting,
    admin: connect((await starting).handle),
    counts: { requests: 0, faults: 0, crashes: 0, lostFrames: 0 },
    faultsOn: true,
    isQuiet: false,
    onQuietWrite: () => {},
    requestsUntilCrash: Infinity,
  };
  await inTime(life, install(life));
  return life;
}

async function install(life: Life): Promise<void> {
  const { admin } = life;
  for (const crd of sottoCrds()) await admin.create(crd);
  await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
  const metadata = { name: 'flux-system', namespace: 'flux-system' };
  await admin.create({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata,
    spec: { url: REPOSITORY, interval: '1m', ref: { branch: 'main' } },
  });
  await admin.create({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata,
    spec: { interval: '10m', retryInterval: '2m', prune: true, path: ROOT_PATH, sourceRef: { kind: 'GitRepository', name: 'flux-system' } },
  });
}

/** Runs the controllers; when they crash, starts them anew a little later, as a kubelet would. */
async function liveThroughCrashes(life: Life, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    const stop = new AbortController();
    drawCrash(life);
    const incarnation: FaultyHandle = faultyHandle(
      life.api.handle,
      life.random,
      life.world.clock,
      () => ({
        rate: life.faultsOn ? (life.options.faults ?? DEFAULT_FAULTS) : 0,
        lostFrames: life.options.bug === 'lost-watch-event' ? LOST_FRAMES : 0,
      }),
      life.counts,
      (request) => {
        if (life.isQuiet && isNeedlessWrite(request)) life.onQuietWrite(request);
        life.requestsUntilCrash -= 1;
        if (life.requestsUntilCrash > 0 || !life.faultsOn) return;
        drawCrash(life);
        incarnation.crash();
        stop.abort();
      },
    );
    const signal = AbortSignal.any([stop.signal, end]);
    await runControllers({ ...controllersOf(life, incarnation), world: life.world, log: noLog, signal, stopTimeoutMs: 0 }).catch(
      () => undefined,
    );
    await life.world.clock.sleep(1000 + life.random.below(MAX_DOWN_MS), end).catch(() => undefined);
  }
}

/** A request that changes something, or tries to, other than events and leases. */
function isNeedlessWrite(request: ApiRequest): boolean {
  return request.method !== 'GET' && !request.query.has('dryRun') && !/\/(events|leases)(\/|$)/.test(request.path);
}

/** The number of requests after which the next crash comes: any step may be the last. */
function drawCrash(life: Life): void {
  life.requestsUntilCrash = 20 + life.random.below(700);
}

function controllersOf(life: Life, incarnation: FaultyHandle): Pick<Parameters<typeof runControllers>[0], 'cluster' | 'controllers'> {
  const { bug } = life.options;
  const cluster = connect(incarnation.handle);
  const controllers = fluxControllers({
    cluster,
    world: life.world,
    entropy: seededEntropy(life.options.seed),
    log: noLog,
    fetcher: life.git,
    storage: life.storage,
    faults: {
      inventoryAfterApply: bug === 'inventory-after-apply',
      pruneAfterFailedBuild: bug === 'prune-after-failed-build',
      writeWithoutChange: bug === 'write-without-change',
      staleArtifact: bug === 'stale-artifact',
    },
  });
  return { cluster, controllers };
}

interface History {
  state: FleetState;
  /** The commit before, for a revert. */
  previous: FleetState;
  commits: number;
}

async function commitForHours(life: Life, committed: (expectation: Expectation) => void): Promise<History> {
  const { random, world, options } = life;
  const end = world.clock.now() + options.hours * 60 * MINUTE;
  const first = firstState(random);
  const history: History = { state: first, previous: first, commits: 0 };
  await commit(life, history, committed);
  while (world.clock.now() < end) {
    await world.clock.sleep(random.below(3) === 0 ? random.below(MINUTE) : random.below(15 * MINUTE));
    const next = random.below(4) === 0 ? structuredClone(history.previous) : nextState(history.state, random, true);
    history.previous = history.state;
    history.state = next;
    await commit(life, history, committed);
  }
  return history;
}

async function finalCommit(life: Life, history: History, committed: (expectation: Expectation) => void): Promise<Expectation> {
  history.state = nextState(history.state, life.random, false);
  return commit(life, history, committed);
}

async function commit(life: Life, history: History, committed: (expectation: Expectation) => void): Promise<Expectation> {
  const files = filesOf(history.state);
  const expectation = await expect(files);
  committed(expectation);
  history.commits += 1;
  life.git.commit(REPOSITORY, { files: memoryTree(files), subject: `commit ${history.commits}` });
  return expectation;
}
