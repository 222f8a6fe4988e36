import { setCondition, type Condition, type KubeObject } from '../../kube/objects/index.ts';
import { obstaclesOf, type Obstacle } from './missing.ts';
import {
  fields,
  isGoing,
  list,
  NODE,
  phaseOf,
  PODS,
  shortHash,
  specOf,
  statusOf,
  text,
  type Fields,
  type Simulation,
} from './simulation.ts';

const NODE_ADDRESS = '192.0.2.10';

/** What a node does besides: gives out Pod addresses, knows which Pods can't start. */
export interface Kubelet {
  /** Schedules and starts a Pod, or says why it can't start. */
  run(pod: KubeObject): Promise<void>;
  /** Names of Pods of a namespace that can't start. */
  blocked(namespace: string): readonly string[];
}

export function kubelet(sim: Simulation): Kubelet {
  const blocked = new Map<string, Set<string>>();
  let addresses = 1;
  const address = (): string => {
    addresses++;
    return `10.244.${Math.floor(addresses / 250) % 250}.${(addresses % 250) + 1}`;
  };
  const run = async (pod: KubeObject): Promise<void> => {
    const { namespace = '', name = '' } = pod.metadata;
    blocked.get(namespace)?.delete(name);
    const phase = phaseOf(pod);
    if (isGoing(pod) || (phase !== undefined && phase !== 'Pending')) return;
    const obstacles = obstaclesOf(sim, pod);
    if (obstacles.length > 0) blocked.set(namespace, (blocked.get(namespace) ?? new Set()).add(name));
    const isScheduled = obstacles[0]?.kind !== 'Unschedulable';
    if (isScheduled && (specOf(pod)['nodeName'] ?? '') === '') {
      sim.bind(pod);
    }
    const before = statusOf(pod);
    const podIP =
      typeof before['podIP'] === 'string' ? before['podIP'] : isScheduled && obstacles[0]?.kind !== 'FailedMount' ? address() : '';
    await sim.writeStatus(PODS, pod, podStatus(sim, pod, obstacles, podIP));
    if (obstacles[0] !== undefined) await report(sim, pod, obstacles[0]);
  };
  return { run, blocked: (namespace) => [...(blocked.get(namespace) ?? [])] };
}

function podStatus(sim: Simulation, pod: KubeObject, obstacles: readonly Obstacle[], podIP: string): Fields {
  const [first] = obstacles;
  const before = statusOf(pod);
  const now = sim.timestamp();
  const old = (Array.isArray(before['conditions']) ? before['conditions'] : []) as Condition[];
  const { qosClass } = before;
  const quality = qosClass === undefined ? {} : { qosClass };
  if (first?.kind === 'Unschedulable') {
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: first.message } as const;
    return { phase: 'Pending', conditions: setCondition(old, condition, now), ...quality };
  }
  const isTask = list(pod.metadata.ownerReferences).some(({ kind }) => kind === 'Job');
  const isBlocked = first !== undefined;
  const conditions = conditionsOf(pod, obstacles, isTask).reduce((all, next) => setCondition(all, next, now), old);
  const states = list(specOf(pod)['containers']).map((container) => containerStatus(pod, container, obstacles, isTask, now));
  const inits = list(specOf(pod)['initContainers']).map((container) => containerStatus(pod, container, obstacles, true, now));
  return {
    phase: isBlocked ? 'Pending' : isTask ? 'Succeeded' : 'Running',
    conditions,
    hostIP: NODE_ADDRESS,
    hostIPs: [{ ip: NODE_ADDRESS }],
    ...(podIP === '' ? {} : { podIP, podIPs: [{ ip: podIP }] }),
    startTime: before['startTime'] ?? now,
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    containerStatuses: states,
    ...quality,
  };
}

function conditionsOf(pod: KubeObject, obstacles: readonly Obstacle[], isTask: boolean): Omit<Condition, 'lastTransitionTime'>[] {
  const names = list(specOf(pod)['containers']).map(({ name }) => String(name));
  const isBlocked = obstacles.length > 0;
  const hasInit = list(specOf(pod)['initContainers']).length > 0;
  const condition = (type: string, isTrue: boolean, why: { reason: string; message: string }): Omit<Condition, 'lastTransitionTime'> =>
    ({ type, status: isTrue ? 'True' : 'False', ...(isTrue && !isTask ? {} : why) }) as Omit<Condition, 'lastTransitionTime'>;
  const done = { reason: 'PodCompleted', message: '' };
  const unready = { reason: 'ContainersNotReady', message: `containers with unready status: [${names.join(' ')}]` };
  const initial = { reason: 'ContainersNotInitialized', message: 'containers with incomplete status' };
  const always = { type: 'PodScheduled', status: 'True' } as Omit<Condition, 'lastTransitionTime'>;
  return [
    { type: 'PodReadyToStartContainers', status: obstacles[0]?.kind === 'FailedMount' ? 'False' : 'True' } as typeof always,
    condition('Initialized', !(isBlocked && hasInit), isBlocked ? initial : done),
    condition('Ready', !isBlocked && !isTask, isBlocked ? unready : done),
    condition('ContainersReady', !isBlocked && !isTask, isBlocked ? unready : done),
    always,
  ];
}

function containerStatus(pod: KubeObject, container: Fields, obstacles: readonly Obstacle[], ends: boolean, now: string): Fields {
  const name = text(container['name']);
  const image = text(container['image']);
  const imageID = `docker.io/library/${shortHash(image)}`;
  const containerID = `containerd://${shortHash([pod.metadata.uid, name])}`;
  const stopping = obstacles.find(({ container: which }) => which === undefined || which === name) ?? obstacles[0];
  if (stopping !== undefined) {
    const isOwn = stopping.kind !== 'FailedMount' && (stopping.container === undefined || stopping.container === name);
    const waiting = isOwn ? { reason: stopping.kind, message: stopping.message } : { reason: 'ContainerCreating' };
    return { name, image, imageID: '', ready: false, restartCount: 0, started: false, state: { waiting } };
  }
  const isSidecar = container['restartPolicy'] === 'Always';
  const state =
    ends && !isSidecar
      ? { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now, containerID } }
      : { running: { startedAt: now } };
  return { name, image, imageID, containerID, ready: isSidecar || !ends, restartCount: 0, started: isSidecar || !ends, state };
}

/** The event that `kubectl describe` shows, once for each reason and message. */
async function report(sim: Simulation, pod: KubeObject, { kind, message }: Obstacle): Promise<void> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const now = sim.timestamp();
  const reason = kind === 'Unschedulable' ? 'FailedScheduling' : kind === 'FailedMount' ? 'FailedMount' : 'Failed';
  await sim.create('events', {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: `${name}.${shortHash([uid, reason, message])}` },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    reason,
    message: kind === 'FailedMount' || kind === 'Unschedulable' ? message : `Error: ${message}`,
    type: 'Warning',
    source: { component: kind === 'Unschedulable' ? 'default-scheduler' : 'kubelet', host: NODE },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    reportingComponent: kind === 'Unschedulable' ? 'default-scheduler' : 'kubelet',
    reportingInstance: NODE,
  });
}

/** The node, as `kubectl get nodes` shows it. */
export async function ensureNode(sim: Simulation): Promise<void> {
  const labels = { 'kubernetes.io/hostname': NODE, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  await sim.create('nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE, labels }, spec: { podCIDR: '10.244.0.0/16' } });
  const node = sim.get('nodes', '', NODE);
  if (node === undefined || fields(node['status'])['conditions'] !== undefined) return;
  const now = sim.timestamp();
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' };
  const size = { cpu: '8', memory: '32Gi', pods: '1000', 'ephemeral-storage': '100Gi' };
  await sim.writeStatus('nodes', node, {
    capacity: size,
    allocatable: size,
    addresses: [
      { type: 'InternalIP', address: NODE_ADDRESS },
      { type: 'Hostname', address: NODE },
    ],
    conditions: [{ ...ready, lastHeartbeatTime: now, lastTransitionTime: now }],
  });
}
