import type { KubeObject } from '../../kube/objects/index.ts';
import { integer, isActive, isReady, list, PODS, podFrom, specOf, statusOf, type Simulation } from './simulation.ts';

/** As many Pods as a ReplicaSet or ReplicationController wants (kubernetes:pkg/controller/replicaset). */
export async function reconcileReplicas(sim: Simulation, resource: string, set: KubeObject): Promise<void> {
  if (set.metadata.deletionTimestamp !== undefined) return;
  const wanted = integer(specOf(set)['replicas'], 1);
  const active = sim.owned(PODS, set).filter(isActive);
  for (let missing = wanted - active.length; missing > 0; missing--) {
    const made = await sim.create(PODS, podFrom(set, { generateName: `${set.metadata.name ?? ''}-` }));
    if (made === undefined) break;
  }
  const victims = active.toSorted(byWorth).slice(0, Math.max(0, active.length - wanted));
  for (const pod of victims) await sim.remove(PODS, pod);
  await sim.writeStatus(resource, set, statusFor(sim, set));
}

/** Pods that aren't ready go first, then the youngest. */
function byWorth(a: KubeObject, b: KubeObject): number {
  const ready = Number(isReady(a)) - Number(isReady(b));
  return ready === 0 ? Number(b.metadata.resourceVersion ?? 0) - Number(a.metadata.resourceVersion ?? 0) : ready;
}

function statusFor(sim: Simulation, set: KubeObject): Record<string, unknown> {
  const pods = sim.owned(PODS, set).filter(isActive);
  const ready = pods.filter(isReady).length;
  const conditions = list(statusOf(set)['conditions']);
  return {
    replicas: pods.length,
    ...(pods.length === 0 ? {} : { fullyLabeledReplicas: pods.length }),
    ...(ready === 0 ? {} : { readyReplicas: ready, availableReplicas: ready }),
    observedGeneration: set.metadata.generation ?? 1,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}
