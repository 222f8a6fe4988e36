import { startCluster } from '../cluster/index.ts';
import { exit, type Command } from './command.ts';
import { openDataDirectory } from './up/datadir.ts';
import { DATA_FLAGS, dataDirOf, portOf } from './up/options.ts';
import { installCrds } from './up/seed.ts';

/** `sotto cluster`. */
export const cluster: Command = {
  name: 'cluster',
  summary: 'Runs the embedded Kubernetes API alone, with the custom resources that Sotto knows.',
  usage: ['sotto cluster [--data-dir D] [--port P]'],
  examples: [
    { command: 'sotto cluster', does: 'On a free port, with the state of this folder' },
    { command: 'sotto cluster --port 6443 --data-dir :memory:', does: 'An empty one for tests' },
    { command: 'KUBECONFIG=.sotto/state/kubeconfig kubectl get ns', does: 'Use it' },
  ],
  flags: DATA_FLAGS,
  seeAlso: ['sotto up --help', 'sotto controller --help', 'docs/cluster.md'],
  async run(args, face) {
    const dataDir = dataDirOf(args, face.world);
    const port = portOf(args);
    const data = await openDataDirectory(dataDir);
    try {
      await using embedded = await startCluster({
        world: face.world,
        entropy: face.entropy,
        port,
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
