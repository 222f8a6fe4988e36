/** Whole fleets: from a commit to a Secret, and sixty-two Kustomizations cold and at rest. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { systemWorld } from '../src/base/world/index.ts';
import { connect, httpsHandle, type Cluster } from '../src/kube/client/index.ts';
import { homeFleet } from '../test/fleets/home.ts';
import { encryptFor, testRepository, type TestRepository } from '../test/fleets/repository.ts';
import { lazy, type Group } from './benchmark.ts';
import { askAll, KUSTOMIZATION, restingWrites, type Writes } from './passes.ts';
import { median, residentBytes, root, sotto, startUntil, stop, timeCommand } from './process.ts';

const COMMITS = 7;
const COLD_RUNS = 3;
const PASSES = 5;
const FLEET_PATH = './kubernetes/flux/cluster';
/** Twelve namespaces of five apps, their parent, and the first one. */
const KUSTOMIZATIONS = 62;

/** A running `sotto up` and a client of it. */
interface Up {
  readonly cluster: Cluster;
  readonly pid: number;
}

export const fleet: Group = (scope) => {
  const repository = async (fill: (made: TestRepository) => Promise<void>): Promise<TestRepository> => {
    const made = await testRepository();
    scope.defer(() => made.remove());
    await fill(made);
    made.commit();
    return made;
  };
  const startUp = async ({ directory, folder, keyFile }: TestRepository, path: string): Promise<Up> => {
    const flags = ['--source', directory, '--path', path, '--age-key-file', keyFile, '--data-dir', join(folder, 'state')];
    const { child } = await startUntil([sotto, 'up', ...flags], /^KUSTOMIZATION\s/m, root);
    scope.defer(() => stop(child));
    const handle = await httpsHandle({ kubeconfig: { path: join(folder, 'state/kubeconfig') }, world: systemWorld() });
    scope.defer(() => handle.close());
    return { cluster: connect(handle), pid: child.pid ?? 0 };
  };
  const homes = lazy(() => repository(async (made) => made.write(await homeFiles(made))));
  const home = lazy(async () => {
    const up = await startUp(await homes(), FLEET_PATH);
    const { items } = await up.cluster.list(KUSTOMIZATION);
    if (items.length !== KUSTOMIZATIONS) throw new Error(`expected ${KUSTOMIZATIONS} Kustomizations, there are ${items.length}`);
    return up;
  });
  const resting = lazy(async () => {
    const made = await homes();
    return restingWrites(await homeFiles(made), FLEET_PATH, made.identity.reveal(), KUSTOMIZATIONS);
  });
  return [
    {
      name: 'commit to applied Secret, example fleet',
      unit: 'ms',
      target: { below: 1000 },
      measure: async () => {
        const example = await repository(writeExampleFleet);
        return { value: await timeCommits(example, (await startUp(example, './clusters/home')).cluster) };
      },
    },
    {
      name: 'fleet of 60 Ready, cold, whole process',
      unit: 's',
      target: { below: 10 },
      measure: async () => ({ value: timeCold(await homes()) }),
    },
    {
      name: 'fleet of 60 after Ready, resident memory',
      unit: 'MB',
      target: { below: 300 },
      measure: async () => ({ value: residentBytes((await home()).pid) / 1e6 }),
    },
    {
      name: 'fleet of 60, pass without change',
      unit: 's',
      target: { below: 2 },
      measure: async () => {
        const { cluster } = await home();
        const times: number[] = [];
        for (let run = 0; run < PASSES; run++) times.push(await askAll(cluster));
        return { value: median(times) / 1000 };
      },
    },
    {
      name: 'fleet of 60, pass without change, writes beyond its acknowledgement',
      unit: 'requests',
      target: { atMost: 0 },
      measure: async () => ({ value: needless((await resting()).asked) }),
    },
    {
      name: 'fleet of 60, restart of the controllers, writes',
      unit: 'requests',
      target: { atMost: 0 },
      measure: async () => ({ value: total((await resting()).restarted) }),
    },
  ];
};

const homeFiles = ({ identity, recipient }: TestRepository): Promise<Map<string, string>> =>
  homeFleet({ namespaces: 12, appsPerNamespace: 5, identity: identity.reveal(), encrypt: (yaml) => encryptFor(recipient, yaml) });

const total = (writes: Writes): number => [...writes.values()].reduce((sum, count) => sum + count, 0);

/** What a pass writes other than one `lastHandledReconcileAt` a Kustomization, and its event. */
function needless(writes: Writes): number {
  const acknowledged = Math.min(writes.get('PATCH kustomizations/status') ?? 0, KUSTOMIZATIONS);
  return total(writes) - acknowledged - total(new Map([...writes].filter(([resource]) => resource.endsWith(' events'))));
}

/** The example as `npm run demo` makes it: what ends in `.plain.*` is encrypted. */
async function writeExampleFleet(made: TestRepository): Promise<void> {
  const { directory, recipient } = made;
  cpSync(join(root, 'examples/fleet'), directory, { recursive: true });
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((each) => each.includes('.plain.'))) {
    const text = readFileSync(join(directory, name), 'utf8');
    made.write({ [name.replace('.plain', '')]: await encryptFor(recipient, text, name.endsWith('.env') ? 'dotenv' : 'yaml') });
    rmSync(join(directory, name));
  }
}

/** Median milliseconds from before `git commit` to the Secret with the new password, as a watching client sees it. */
async function timeCommits(made: TestRepository, cluster: Cluster): Promise<number> {
  const { directory, recipient } = made;
  const times: number[] = [];
  for (let run = 0; run <= COMMITS; run++) {
    const password = `made-up-password-${run}`;
    const encrypted = await encryptFor(recipient, `USER=shop\nPASSWORD=${password}\n`, 'dotenv');
    const { resourceVersion } = await cluster.list(SECRET);
    writeFileSync(join(directory, 'tenants/shop/database.env'), encrypted);
    const start = performance.now();
    made.commit();
    await secretWith(cluster, resourceVersion, Buffer.from(password).toString('base64'));
    if (run > 0) times.push(performance.now() - start);
  }
  return median(times);
}

const SECRET = { apiVersion: 'v1', kind: 'Secret' };

async function secretWith(cluster: Cluster, resourceVersion: string, password: string): Promise<void> {
  for await (const { object } of cluster.watch(SECRET, { namespace: 'shop', resourceVersion })) {
    if ((object['data'] as Record<string, string> | undefined)?.['PASSWORD'] === password) return;
  }
  throw new Error('the watch ended before the Secret came');
}

/** Median seconds of `sotto up --once` on an empty data folder, its summary and exit included. */
function timeCold({ directory, folder, keyFile }: TestRepository): number {
  const dataDir = join(folder, 'cold');
  const flags = ['--source', directory, '--path', FLEET_PATH, '--age-key-file', keyFile, '--data-dir', dataDir];
  const before = (): void => rmSync(dataDir, { recursive: true, force: true });
  return timeCommand(process.execPath, [sotto, 'up', '--once', ...flags], { runs: COLD_RUNS, before }) / 1000;
}
