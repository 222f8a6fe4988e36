import { deepEqual, type KubeObject } from '../../kube/objects/index.ts';
import {
  controlledBy,
  fields,
  isGoing,
  isReady,
  list,
  NODE,
  phaseOf,
  PODS,
  shortHash,
  specOf,
  statusOf,
  type Fields,
  type Simulation,
} from './simulation.ts';

const SLICES = 'endpointslices.discovery.k8s.io';
/** Where a load balancer's address would be: one that is reserved for documentation. */
const LOAD_BALANCER_ADDRESS = '192.0.2.1';

/** Does the service send requests to this Pod? */
export function selects(service: KubeObject, pod: KubeObject): boolean {
  const selector = Object.entries(fields(specOf(service)['selector']));
  return selector.length > 0 && selector.every(([name, value]) => pod.metadata.labels?.[name] === value);
}

/** Addresses of the Pods behind a service, and its load balancer's (kubernetes:pkg/controller/endpointslice). */
export async function reconcileService(sim: Simulation, service: KubeObject): Promise<void> {
  if (isGoing(service)) return;
  const spec = specOf(service);
  const ingress = spec['type'] === 'LoadBalancer' ? { ingress: [{ ip: LOAD_BALANCER_ADDRESS, ipMode: 'VIP' }] } : {};
  await sim.writeStatus('services', service, { ...statusOf(service), loadBalancer: ingress });
  if (Object.keys(fields(spec['selector'])).length === 0 || spec['type'] === 'ExternalName') return;
  const namespace = service.metadata.namespace ?? '';
  const name = service.metadata.name ?? '';
  const pods = sim
    .list(PODS, namespace)
    .filter((pod) => selects(service, pod) && phaseOf(pod) !== 'Succeeded' && statusOf(pod)['podIP'] !== undefined);
  const labels = { ...service.metadata.labels };
  const subsets = subsetsOf(service, pods);
  await put(
    sim,
    'endpoints',
    { apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace, labels }, ...(subsets.length === 0 ? {} : { subsets }) },
    ['subsets'],
  );
  const slice: KubeObject = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${shortHash(service.metadata.uid).slice(0, 5)}`,
      namespace,
      labels: {
        ...labels,
        'kubernetes.io/service-name': name,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      ownerReferences: controlledBy(service),
    },
    addressType: 'IPv4',
    endpoints: pods.map(endpointOf),
    ports: list(spec['ports']).map((port) => portOf(port, pods[0])),
  };
  await put(sim, SLICES, slice, ['endpoints', 'ports']);
}

/** The Endpoints of a service that is gone. */
export async function dropEndpoints(sim: Simulation, namespace: string, name: string): Promise<void> {
  const endpoints = sim.get('endpoints', namespace, name);
  if (endpoints !== undefined) await sim.remove('endpoints', endpoints);
}

async function put(sim: Simulation, resource: string, object: KubeObject, parts: readonly string[]): Promise<void> {
  const found = sim.get(resource, object.metadata.namespace ?? '', object.metadata.name ?? '');
  if (found === undefined) return void (await sim.create(resource, object));
  if (parts.every((part) => deepEqual(found[part] ?? [], object[part] ?? []))) return;
  await sim.update(resource, found, (copy) => {
    for (const part of parts) {
      if (object[part] === undefined) delete copy[part];
      else copy[part] = object[part];
    }
  });
}

const targetOf = ({ metadata }: KubeObject): Fields => ({
  kind: 'Pod',
  namespace: metadata.namespace,
  name: metadata.name,
  uid: metadata.uid,
});

function subsetsOf(service: KubeObject, pods: readonly KubeObject[]): Fields[] {
  const addressOf = (pod: KubeObject): Fields => ({ ip: statusOf(pod)['podIP'], nodeName: NODE, targetRef: targetOf(pod) });
  const [ready, others] = [pods.filter(isReady), pods.filter((pod) => !isReady(pod))];
  if (pods.length === 0) return [];
  return [
    {
      ...(ready.length === 0 ? {} : { addresses: ready.map(addressOf) }),
      ...(others.length === 0 ? {} : { notReadyAddresses: others.map(addressOf) }),
      ports: list(specOf(service)['ports']).map((port) => portOf(port, pods[0], false)),
    },
  ];
}

function endpointOf(pod: KubeObject): Fields {
  const ready = isReady(pod);
  return {
    addresses: [statusOf(pod)['podIP']],
    conditions: { ready, serving: ready, terminating: isGoing(pod) },
    nodeName: NODE,
    targetRef: targetOf(pod),
  };
}

/** Named target ports are those of the containers. */
function portOf(port: Fields, pod: KubeObject | undefined, isSlice = true): Fields {
  const target = port['targetPort'] ?? port['port'];
  const ports = pod === undefined ? [] : list(specOf(pod)['containers']).flatMap((container) => list(container['ports']));
  const number = typeof target === 'number' ? target : ports.find(({ name }) => name === target)?.['containerPort'];
  const name = port['name'] ?? (isSlice ? '' : undefined);
  return { ...(name === undefined ? {} : { name }), port: number ?? port['port'], protocol: port['protocol'] ?? 'TCP' };
}
