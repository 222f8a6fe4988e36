import { restoreDataDirectory, snapshotDataDirectory, startCluster } from '../cluster/index.ts';
import { resolve } from 'node:path';

import type { Arguments } from './flags.ts';
import { usageError } from './flags.ts';
import { exit, type Command, type Face } from './command.ts';
import { openDataDirectory } from './up/datadir.ts';
import { DATA_FLAGS, dataDirOf, portOf, WORKLOADS_FLAG } from './up/options.ts';
import { installCrds } from './up/seed.ts';

/** `sotto cluster`. */
export const cluster: Command = {
  name: 'cluster',
  summary: 'Runs the embedded Kubernetes API alone, with the custom resources that Sotto knows.',
  usage: [
    'sotto cluster [--data-dir D] [--port P]',
    'sotto cluster snapshot FILE [--data-dir D]',
    'sotto cluster restore FILE [--data-dir D]',
  ],
  examples: [
    { command: 'sotto cluster', does: 'On a free port, with the state of this folder' },
    { command: 'sotto cluster --port 6443 --data-dir :memory:', does: 'An empty one for tests' },
    { command: 'sotto cluster snapshot before.snapshot', does: 'Keep the state of a cluster that is stopped; the file holds its Secrets' },
    { command: 'KUBECONFIG=.sotto/state/kubeconfig kubectl get ns', does: 'Use it' },
  ],
  flags: [...DATA_FLAGS, WORKLOADS_FLAG],
  seeAlso: ['sotto up --help', 'sotto controller --help', 'docs/cluster.md'],
  async run(args, face) {
    const dataDir = dataDirOf(args, face.world);
    const port = portOf(args);
    if (args.positional.length > 0) return saveOrRestore(args, dataDir, face);
    const data = await openDataDirectory(dataDir);
    try {
      await using embedded = await startCluster({
        world: face.world,
        entropy: face.entropy,
        port,
        simulateWorkloads: !args.has('no-simulate-workloads'),
        ...(dataDir === undefined ? { kubeconfigPath: data.kubeconfigPath } : { dataDir: data.path }),
      });
      await installCrds(embedded.cluster);
      face.world.stderr.write(`cluster ready at ${embedded.url}\nkubeconfig ${embedded.kubeconfigPath}\n`);
      await new Promise<void>((resolve) => {
        if (face.signal.aborted) resolve();
        else face.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      return exit.ok;
    } finally {
      await data.close();
    }
  },
};

/** `snapshot FILE` and `restore FILE`, of a cluster that isn't running. */
async function saveOrRestore(args: Arguments, dataDir: string | undefined, { world }: Face): Promise<number> {
  const [verb, file, ...more] = args.positional;
  if ((verb !== 'snapshot' && verb !== 'restore') || file === undefined || more.length > 0) {
    throw usageError(`unexpected argument "${verb ?? ''}"`, 'use `snapshot FILE` or `restore FILE`, or no argument to run a cluster');
  }
  if (dataDir === undefined) throw usageError('--data-dir :memory: has nothing to keep', 'name the data folder of the cluster');
  const path = resolve(world.cwd, file);
  const revision =
    verb === 'snapshot' ? await snapshotDataDirectory(dataDir, path, world.clock) : await restoreDataDirectory(dataDir, path);
  const done = verb === 'snapshot' ? `snapshot of revision ${revision} in ${file}` : `restored revision ${revision} from ${file}`;
  world.stderr.write(`${done}\n`);
  return exit.ok;
}
