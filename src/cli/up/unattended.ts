import type { World } from '../../base/world/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import { setCondition, type Condition } from '../../kube/objects/index.ts';
import type { Controller } from '../../kube/runtime/index.ts';

/** Kinds that Sotto has CRDs for and no controller yet; whoever waits for one of them would wait for ever. */
const UNATTENDED = [
  { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'OCIRepository', group: 'source.toolkit.fluxcd.io' },
  { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'Bucket', group: 'source.toolkit.fluxcd.io' },
  { apiVersion: 'notification.toolkit.fluxcd.io/v1', kind: 'Receiver', group: 'notification.toolkit.fluxcd.io' },
] as const;

/**
 * Marks objects of kinds that nobody attends to as Ready, reason `Simulated`, so that health checks on them end. They get no
 * artifact: a Kustomization that builds from one still waits.
 */
export function unattendedControllers(cluster: Cluster, world: World): Controller[] {
  return UNATTENDED.map(({ apiVersion, kind }) => ({
    name: `unattended-${kind.toLowerCase()}`,
    concurrency: 1,
    watches: [
      { apiVersion, kind, map: ({ object }) => [{ namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' }] },
    ],
    reconcile: async (request, signal) => {
      const ref = { apiVersion, kind, ...request };
      const object = await cluster.find(ref, { signal });
      const status = (object?.['status'] ?? {}) as { observedGeneration?: number; conditions?: Condition[] };
      const generation = object?.metadata.generation ?? 0;
      if (object === undefined || status.observedGeneration === generation) return { kind: 'done' };
      const ready = {
        type: 'Ready',
        status: 'True',
        reason: 'Simulated',
        message: `no controller of ${kind} runs here; nothing was done`,
        observedGeneration: generation,
      } as const;
      const conditions = setCondition(status.conditions ?? [], ready, `${new Date(world.clock.now()).toISOString().slice(0, 19)}Z`);
      await cluster.patch(
        ref,
        'merge',
        { status: { observedGeneration: generation, conditions } },
        { subresource: 'status', fieldManager: 'sotto-up', signal },
      );
      return { kind: 'done' };
    },
  }));
}

/** Which of these kinds the cluster holds objects of, as `Kind.group`. */
export async function unattendedKinds(cluster: Cluster): Promise<{ group: string; kind: string }[]> {
  const found: { group: string; kind: string }[] = [];
  for (const { apiVersion, kind, group } of UNATTENDED) {
    if ((await cluster.list({ apiVersion, kind }, { limit: 1 })).items.length > 0) found.push({ group, kind });
  }
  return found;
}
