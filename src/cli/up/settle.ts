import type { World } from '../../base/world/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import { isNotFound } from '../../kube/objects/index.ts';
import { FLUX_KINDS, isDone, isStill, type Fleet } from './follow.ts';
import { installSimulated, missingKinds, type MissingKind } from './simulated.ts';
import { REQUESTED_AT, type Standing } from './state.ts';

export interface SettleOptions {
  readonly cluster: Cluster;
  readonly fleet: Fleet;
  readonly world: World;
  readonly signal: AbortSignal;
  /** Install permissive CRDs for kinds that nothing provides. */
  readonly simulate: boolean;
  readonly onChange: () => void;
  readonly onSimulated: (kinds: readonly MissingKind[]) => void;
}

/** How a fleet came to rest. */
export type Settled = 'ready' | 'stuck' | 'stopped';

/** Nothing has changed for this long: what one change causes in another object has arrived by then. */
const STILL_MS = 400;

/**
 * Waits until everything is Ready, or nothing can move any more. Before it gives up, what failed is tried again as long as
 * anything else became Ready since the last try (a cluster does that over its retry intervals), then missing kinds are simulated.
 */
export async function settle(options: SettleOptions): Promise<Settled> {
  const { fleet, cluster, world, signal } = options;
  let triedAt = '';
  const simulated = new Set<string>();
  while (!signal.aborted) {
    options.onChange();
    if (!(await stayedStill(options))) continue;
    const standings = fleet.standings();
    if (isDone(standings)) return 'ready';
    const failed = standings.filter((standing) => standing.state === 'failed');
    const missing = missingKinds(failed).filter((kind) => !simulated.has(JSON.stringify(kind)));
    if (options.simulate && missing.length > 0) {
      await installSimulated(cluster, missing);
      for (const kind of missing) simulated.add(JSON.stringify(kind));
      options.onSimulated(missing);
      await askAgain(cluster, failed, world);
      continue;
    }
    const achieved = readyOnes(standings);
    if (achieved === triedAt || failed.length === 0) return 'stuck';
    triedAt = achieved;
    await askAgain(cluster, failed, world);
  }
  return 'stopped';
}

/** What is Ready, and at which revision: progress shows as a difference. */
function readyOnes(standings: readonly Standing[]): string {
  return standings
    .filter((standing) => standing.state === 'ready')
    .map((standing) => `${standing.key}@${standing.revision}`)
    .join(' ');
}

/** Waits for a change; true when the fleet was at rest for {@link STILL_MS}. */
async function stayedStill({ fleet, world, signal }: SettleOptions): Promise<boolean> {
  const rest = new AbortController();
  const timer = isStill(fleet.standings()) ? world.clock.after(STILL_MS, () => rest.abort()) : undefined;
  // The clock alone keeps a process alive no longer than its signal; a change or the timer wakes us.
  await fleet.changed(AbortSignal.any([rest.signal, signal]));
  timer?.cancel();
  return rest.signal.aborted;
}

async function askAgain(cluster: Cluster, failed: readonly Standing[], world: World): Promise<void> {
  const requested = new Date(world.clock.now()).toISOString();
  for (const { kind, namespace, name } of failed) {
    const apiVersion = kind === 'Kustomization' ? FLUX_KINDS.kustomization.apiVersion : FLUX_KINDS.gitRepository.apiVersion;
    await cluster
      .patch(
        { apiVersion, kind, namespace, name },
        'merge',
        { metadata: { annotations: { [REQUESTED_AT]: requested } } },
        { fieldManager: 'sotto-up' },
      )
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error; // pruned meanwhile: nothing to try again
      });
  }
}
