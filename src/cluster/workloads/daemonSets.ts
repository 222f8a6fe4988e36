import type { KubeObject } from '../../kube/objects/index.ts';
import { isActive, isGoing, isReady, PODS, podFrom, shortHash, specOf, type Simulation } from './simulation.ts';

const HASH = 'controller-revision-hash';
/** As if there were one node. */
const NODES = 1;

/** One Pod on the one node, replaced when the template changes (kubernetes:pkg/controller/daemon). */
export async function reconcileDaemonSet(sim: Simulation, set: KubeObject): Promise<void> {
  if (isGoing(set)) return;
  const hash = shortHash(specOf(set)['template']);
  const strategy = specOf(set)['updateStrategy'] as { type?: string } | undefined;
  const isNew = ({ metadata }: KubeObject): boolean => metadata.labels?.[HASH] === hash;
  const pods = sim.owned(PODS, set);
  if (strategy?.type !== 'OnDelete') for (const pod of pods) if (!isNew(pod)) await sim.remove(PODS, pod);
  if (pods.length === 0) await sim.create(PODS, podFrom(set, { generateName: `${set.metadata.name ?? ''}-` }, { [HASH]: hash }));
  const now = sim.owned(PODS, set).filter(isActive);
  const ready = now.filter(isReady).length;
  const updated = now.filter(isNew).length;
  await sim.writeStatus('daemonsets.apps', set, {
    currentNumberScheduled: now.length,
    numberMisscheduled: 0,
    desiredNumberScheduled: NODES,
    numberReady: ready,
    observedGeneration: set.metadata.generation ?? 1,
    ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
    ...(ready === 0 ? { numberUnavailable: NODES } : { numberAvailable: ready }),
  });
}
