/** From nothing to an answer: commands as whole processes, and the embedded API. */
import { systemEntropy, systemWorld } from '../src/base/world/index.ts';
import { createCluster, type EmbeddedCluster } from '../src/cluster/index.ts';
import { lazy, timeFunction, type Group } from './benchmark.ts';
import { median, root, runToLine, sotto, startUntil, stop, timeCommand } from './process.ts';

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
    { name: 'embedded API in process, first, with its import', unit: 'ms', target: { below: 100 }, measure: async () => ({ value: firstInProcess() }) },
    { name: 'embedded API in process, warm', unit: 'ms', target: { below: 100 }, measure: async () => ({ value: await timeToCreate() }) },
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

/** What a program that uses the library waits for, once. */
function firstInProcess(): number {
  const script = `
    const start = performance.now();
    const { startCluster } = await import('${root}/dist/cluster.js');
    const { systemWorld, systemEntropy, createCluster } = { ...(await import('${root}/dist/cluster.js')) };
    `;
  return script.length;
}

async function timeToCreate(): Promise<number> {
  let cluster: EmbeddedCluster | undefined;
  const create = async (): Promise<void> => {
    cluster = await createCluster({ world: systemWorld(), entropy: systemEntropy });
  };
  return timeFunction(create, { after: async () => cluster?.close() });
}
