/** From nothing to an answer: commands as whole processes, and the embedded API. */
import { systemEntropy, systemWorld } from '../src/base/world/index.ts';
import { createCluster, type EmbeddedCluster } from '../src/cluster/index.ts';
import { lazy, timeFunction, type Group } from './benchmark.ts';
import { median, root, sotto, startUntil, stop, timeCommand, timeInside } from './process.ts';

const RUNS = 11;

const sottoCommand = async (...args: string[]): Promise<number> => timeCommand(process.execPath, [sotto, ...args], { runs: RUNS });

export const startup: Group = () => {
  const bareNode = lazy(async () => ({ name: 'bare node', value: timeCommand(process.execPath, ['-e', '0'], { runs: RUNS }) }));
  return [
    {
      name: 'sotto --help',
      unit: 'ms',
      target: { below: 120 },
      measure: async () => ({ value: await sottoCommand('--help'), reference: await bareNode() }),
    },
    { name: 'sotto --version', unit: 'ms', measure: async () => ({ value: await sottoCommand('--version'), reference: await bareNode() }) },
    {
      name: 'embedded API ready for kubectl, whole process',
      unit: 'ms',
      target: { below: 400 },
      measure: async () => ({ value: await timeToReady(), reference: await bareNode() }),
    },
    {
      name: 'embedded API in process, no port',
      unit: 'ms',
      target: { below: 100 },
      measure: async () => ({ value: timeInside(FIRST_CLUSTER, RUNS) }),
    },
    { name: 'embedded API in process, no port, warm', unit: 'ms', measure: async () => ({ value: await timeToCreate() }) },
    { name: "import 'sotto/cluster' and startCluster()", unit: 'ms', measure: async () => ({ value: timeInside(FIRST_SERVED, RUNS) }) },
  ];
};

/** Process start to the line that says where kubectl finds it. */
async function timeToReady(): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const { child, ms } = await startUntil([sotto, 'cluster', '--data-dir', ':memory:'], /cluster ready at \S+\nkubeconfig \S+\n/, root);
    await stop(child);
    if (run > 0) times.push(ms);
  }
  return median(times);
}

/** The first cluster of a process; the import of the sources is outside the time. */
const FIRST_CLUSTER = `
  const { createCluster } = await import('${root}/src/cluster/index.ts');
  const { systemEntropy, systemWorld } = await import('${root}/src/base/world/index.ts');
  const start = performance.now();
  const cluster = await createCluster({ world: systemWorld(), entropy: systemEntropy });
  console.log(performance.now() - start);
  await cluster.close();`;

/** What a program that imports the package waits for until it has a cluster, a port and a kubeconfig. */
const FIRST_SERVED = `
  const start = performance.now();
  const { startCluster } = await import('${root}/dist/cluster.js');
  const cluster = await startCluster();
  console.log(performance.now() - start);
  await cluster.close();`;

async function timeToCreate(): Promise<number> {
  let cluster: EmbeddedCluster | undefined;
  const create = async (): Promise<void> => {
    cluster = await createCluster({ world: systemWorld(), entropy: systemEntropy });
  };
  return timeFunction(create, { after: async () => cluster?.close() });
}
