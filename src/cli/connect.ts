import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { SottoError } from '../base/errors/index.ts';
import type { World } from '../base/world/index.ts';
import { connect, httpsHandle, type Cluster } from '../kube/client/index.ts';
import type { Arguments, Flag } from './flags.ts';
import { DEFAULT_DATA_DIR } from './up/options.ts';

export const KUBECONFIG_FLAGS: readonly Flag[] = [
  { name: 'kubeconfig', value: 'FILE', help: 'default: $KUBECONFIG, then .sotto/state/kubeconfig, then ~/.kube/config', group: 'Cluster' },
  { name: 'context', value: 'NAME', help: 'context of the kubeconfig', group: 'Cluster' },
];

/** Finds the kubeconfig: the flag, `$KUBECONFIG`, the embedded cluster of this folder, the user's own. */
function kubeconfigPath(args: Arguments, world: World): string {
  const home = world.env['HOME'] ?? homedir();
  const given = args.text('kubeconfig') ?? world.env['KUBECONFIG'];
  if (given !== undefined && given !== '') return given;
  const found = [join(world.cwd, DEFAULT_DATA_DIR, 'kubeconfig'), join(home, '.kube', 'config')].find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new SottoError('KUBECONFIG_MISSING', 'no kubeconfig found', {
    hint: 'start a cluster with `sotto up`, or give one with --kubeconfig',
  });
}

/** Connects to the cluster that the flags and the environment name. */
export async function connectCluster(args: Arguments, world: World): Promise<Cluster> {
  const context = args.text('context');
  return connect(
    await httpsHandle({ kubeconfig: { path: kubeconfigPath(args, world) }, world, ...(context === undefined ? {} : { context }) }),
    {
      userAgent: 'sotto-cli',
    },
  );
}
