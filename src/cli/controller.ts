import { join } from 'node:path';

import { jsonLog } from '../base/log/index.ts';
import { makePrivateDirectory, sweepTemporaryDirectories } from '../base/files/index.ts';
import type { World } from '../base/world/index.ts';
import { artifactStorage, serveArtifacts } from '../fetch/artifact/index.ts';
import { gitProgramFetcher } from '../fetch/git/index.ts';
import { runControllers } from '../kube/runtime/index.ts';
import { exit, type Command, type Face } from './command.ts';
import { connectCluster, KUBECONFIG_FLAGS } from './connect.ts';
import { usageError, type Arguments } from './flags.ts';
import { CONTROLLER_NAMES, fluxControllers, type ControllerName } from './flux.ts';

const LEASE = 'sotto-controller-leader-election';

/** `sotto controller`. */
export const controller: Command = {
  name: 'controller',
  summary: 'Runs the controllers against a Kubernetes API; logs are JSON lines on stdout.',
  usage: ['sotto controller --kubeconfig K [--controllers LIST] [flags]'],
  examples: [
    { command: 'sotto controller --kubeconfig ~/.kube/config', does: 'All controllers' },
    { command: 'sotto controller --controllers source', does: 'Only the source controller' },
    { command: 'sotto controller --enable-leader-election', does: 'One of several replicas' },
  ],
  flags: [
    { name: 'controllers', value: 'LIST', default: CONTROLLER_NAMES.join(','), help: 'comma list of source, kustomization' },
    { name: 'storage-path', value: 'DIR', help: 'where artifacts are kept (default: in memory)', group: 'Artifacts' },
    { name: 'storage-addr', value: 'HOST:PORT', default: '127.0.0.1:9090', help: 'where artifacts are served', group: 'Artifacts' },
    { name: 'storage-adv-addr', value: 'HOST:PORT', help: 'address in artifact URLs (default: storage-addr)', group: 'Artifacts' },
    { name: 'enable-leader-election', help: 'run only while holding a Lease' },
    { name: 'log-level', value: 'LEVEL', default: 'info', choices: ['debug', 'info', 'error'], help: 'debug, info or error' },
    ...KUBECONFIG_FLAGS,
  ],
  seeAlso: ['sotto up --help', 'docs/flux.md'],
  run,
};

async function run(args: Arguments, face: Face): Promise<number> {
  const names = controllerNames(args.text('controllers') ?? '');
  const { world, entropy, signal } = face;
  await world.outside(sweepTemporaryDirectories);
  const cluster = await connectCluster(args, world);
  const log = await jsonLog(world.stdout, world.clock, args.text('log-level') as 'debug' | 'info' | 'error');
  const directory = args.text('storage-path');
  if (directory !== undefined) await makePrivateDirectory(directory);
  let address = args.text('storage-adv-addr');
  const storage = artifactStorage({
    world,
    advertisedAddress: () => address ?? '',
    ...(directory === undefined ? {} : { directory: join(world.cwd, directory) }),
  });
  const [host = '127.0.0.1', port = '9090'] = (args.text('storage-addr') ?? '').split(/:(?=\d+$)/);
  const server = names.includes('source') ? await serveArtifacts(storage, { world, host, port: Number(port) }) : undefined;
  address ??= server?.address;
  try {
    const flags = environmentFlags(world);
    const controllers = fluxControllers({ cluster, world, entropy, log, fetcher: gitProgramFetcher({ world }), storage, names, flags });
    const leaderElection = args.has('enable-leader-election') ? { name: LEASE, namespace: flags.runtimeNamespace } : undefined;
    await runControllers({ cluster, controllers, world, log, signal, ...(leaderElection === undefined ? {} : { leaderElection }) });
    return exit.ok;
  } finally {
    await server?.close();
  }
}

/** What Flux's controllers read from the environment: their own namespace, and a host in place of that in artifact URLs. */
function environmentFlags({ env }: World): { runtimeNamespace: string; sourceHost?: string } {
  const sourceHost = env['SOURCE_CONTROLLER_LOCALHOST'];
  return { runtimeNamespace: env['RUNTIME_NAMESPACE'] ?? 'flux-system', ...(sourceHost === undefined ? {} : { sourceHost }) };
}

/** @throws SottoError USAGE */
function controllerNames(list: string): ControllerName[] {
  const names = list.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !CONTROLLER_NAMES.some((known) => known === name));
  if (wrong !== undefined) throw usageError(`unknown controller "${wrong}"`, `one of ${CONTROLLER_NAMES.join(', ')}`);
  return names as ControllerName[];
}
