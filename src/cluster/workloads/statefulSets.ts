import { cloneJson, type KubeObject } from '../../kube/objects/index.ts';
import { CLAIMS } from './volumes.ts';
import {
  fields,
  integer,
  isActive,
  isGoing,
  isReady,
  list,
  PODS,
  podFrom,
  shortHash,
  specOf,
  statusOf,
  text,
  type Simulation,
} from './simulation.ts';

const SETS = 'statefulsets.apps';
const HASH = 'controller-revision-hash';

/** Pods with numbers, one after the other, updated from the last to the first (kubernetes:pkg/controller/statefulset). */
export async function reconcileStatefulSet(sim: Simulation, set: KubeObject): Promise<void> {
  if (isGoing(set)) return;
  const spec = specOf(set);
  const update = `${set.metadata.name ?? ''}-${shortHash(spec['template'])}`;
  const isParallel = spec['podManagementPolicy'] === 'Parallel';
  await fill(sim, set, update, isParallel);
  await shrink(sim, set, isParallel);
  if (fields(spec['updateStrategy'])['type'] !== 'OnDelete') await roll(sim, set, update);
  await writeStatus(sim, set, update);
}

const firstOf = (set: KubeObject): number => integer(fields(specOf(set)['ordinals'])['start'], 0);
const wantedOf = (set: KubeObject): number => integer(specOf(set)['replicas'], 1);
const podsOf = (sim: Simulation, set: KubeObject): KubeObject[] => sim.owned(PODS, set).toSorted((a, b) => ordinalOf(a) - ordinalOf(b));
const ordinalOf = ({ metadata }: KubeObject): number => Number(/-(\d+)$/.exec(metadata.name ?? '')?.[1] ?? 0);
const isOf = (revision: string, pod: KubeObject): boolean => pod.metadata.labels?.[HASH] === revision;

async function fill(sim: Simulation, set: KubeObject, update: string, isParallel: boolean): Promise<void> {
  const namespace = set.metadata.namespace ?? '';
  for (let ordinal = firstOf(set); ordinal < firstOf(set) + wantedOf(set); ordinal++) {
    const name = `${set.metadata.name ?? ''}-${ordinal}`;
    const there = sim.get(PODS, namespace, name);
    if (there === undefined) {
      const labels = { 'apps.kubernetes.io/pod-index': String(ordinal), [HASH]: update, 'statefulset.kubernetes.io/pod-name': name };
      const pod = podFrom(set, { name }, labels);
      await claim(sim, set, pod);
      await sim.create(PODS, pod);
    }
    if (!isParallel && (there === undefined || !isReady(there))) return;
  }
}

/** Claims of the templates, and volumes of the Pod that use them. Claims stay when the set goes. */
async function claim(sim: Simulation, set: KubeObject, pod: KubeObject): Promise<void> {
  const templates = list(specOf(set)['volumeClaimTemplates']);
  if (templates.length === 0) return;
  const volumes = list(fields(pod['spec'])['volumes']);
  for (const template of templates) {
    const metadata = fields(template['metadata']);
    const volume = text(metadata['name']);
    const name = `${volume}-${pod.metadata.name ?? ''}`;
    const labels = { ...fields(metadata['labels']), ...fields(fields(specOf(set)['selector'])['matchLabels']) } as Record<string, string>;
    await sim.create(CLAIMS, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: set.metadata.namespace ?? '', labels },
      spec: cloneJson(fields(template['spec'])),
    });
    volumes.push({ name: volume, persistentVolumeClaim: { claimName: name } });
  }
  pod['spec'] = { ...fields(pod['spec']), volumes };
}

async function shrink(sim: Simulation, set: KubeObject, isParallel: boolean): Promise<void> {
  const end = firstOf(set) + wantedOf(set);
  const extra = podsOf(sim, set).filter((pod) => ordinalOf(pod) >= end || ordinalOf(pod) < firstOf(set));
  if (!isParallel && extra.some(isGoing)) return;
  for (const pod of isParallel ? extra : extra.slice(-1)) await sim.remove(PODS, pod);
}

/** The last Pod of an old revision goes when all others are ready. */
async function roll(sim: Simulation, set: KubeObject, update: string): Promise<void> {
  const partition = integer(fields(fields(specOf(set)['updateStrategy'])['rollingUpdate'])['partition'], 0);
  for (const pod of podsOf(sim, set).toReversed()) {
    if (ordinalOf(pod) < partition) return;
    if (isGoing(pod)) return;
    if (!isOf(update, pod)) {
      await sim.remove(PODS, pod);
      return;
    }
    if (!isReady(pod)) return;
  }
}

async function writeStatus(sim: Simulation, set: KubeObject, update: string): Promise<void> {
  const pods = podsOf(sim, set).filter(isActive);
  const before = statusOf(set);
  const updated = pods.filter((pod) => isOf(update, pod)).length;
  const ready = pods.filter(isReady).length;
  const isDone = updated === wantedOf(set) && ready === updated && pods.length === updated;
  const current = isDone || typeof before['currentRevision'] !== 'string' ? update : before['currentRevision'];
  const counts = {
    readyReplicas: ready,
    currentReplicas: pods.filter((pod) => isOf(current, pod)).length,
    updatedReplicas: updated,
  };
  await sim.writeStatus(SETS, set, {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: pods.length,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    currentRevision: current,
    updateRevision: update,
    collisionCount: 0,
    availableReplicas: ready,
  });
}
