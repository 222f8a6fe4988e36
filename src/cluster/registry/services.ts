import type { KubeObject, StatusCause } from '../../kube/objects/index.ts';
import type { Environment, Resource } from './types.ts';

/** The service network: 10.96.0.0/16 without its first and last address. */
const NETWORK = '10.96';
const ADDRESSES = 2 ** 16 - 2;
const FIRST_NODE_PORT = 30_000;
const NODE_PORTS = 2768;

interface Port {
  port?: number;
  protocol?: string;
  nodePort?: number;
}

interface ServiceSpec {
  type?: string;
  clusterIP?: string;
  clusterIPs?: string[];
  ipFamilies?: string[];
  ipFamilyPolicy?: string;
  ports?: Port[];
  allocateLoadBalancerNodePorts?: boolean;
}

export function isService(resource: Resource): boolean {
  return resource.group === '' && resource.plural === 'services';
}

/**
 * Gives a Service its addresses and node ports, in place; an update that omits them keeps those that it has. Answers
 * the causes of a 422.
 */
export function allocateService(
  env: Pick<Environment, 'store' | 'world'>,
  service: KubeObject,
  old: KubeObject | undefined,
): StatusCause[] {
  const spec = service['spec'] as ServiceSpec | undefined;
  if (spec === undefined) return [];
  const before = old?.['spec'] as ServiceSpec | undefined;
  const others = env.store.list('services').filter((other) => other.metadata.uid !== service.metadata.uid);
  const causes = spec.type === 'ExternalName' ? releaseAddress(spec) : allocateAddress(env, spec, before, others);
  if (spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)) {
    return [...causes, ...allocateNodePorts(env, spec, before, others)];
  }
  if (spec.type === 'ClusterIP') for (const port of spec.ports ?? []) delete port.nodePort;
  return causes;
}

function releaseAddress(spec: ServiceSpec): StatusCause[] {
  delete spec.clusterIP;
  delete spec.clusterIPs;
  delete spec.ipFamilies;
  delete spec.ipFamilyPolicy;
  return [];
}

function allocateAddress(
  env: Pick<Environment, 'world'>,
  spec: ServiceSpec,
  before: ServiceSpec | undefined,
  others: readonly KubeObject[],
): StatusCause[] {
  const wanted = spec.clusterIP ?? spec.clusterIPs?.[0] ?? '';
  const kept = before?.clusterIP ?? '';
  if (kept !== '' && wanted !== '' && wanted !== kept) {
    const message = `Invalid value: ${JSON.stringify([wanted])}: may not change once set`;
    return [{ reason: 'FieldValueInvalid', field: 'spec.clusterIPs[0]', message }];
  }
  const taken = new Set(others.map((other) => (other['spec'] as ServiceSpec | undefined)?.clusterIP));
  if (wanted !== '' && wanted !== 'None' && wanted !== kept && taken.has(wanted)) {
    const message = `Invalid value: ${JSON.stringify([wanted])}: failed to allocate IP ${wanted}: provided IP is already allocated`;
    return [{ reason: 'FieldValueInvalid', field: 'spec.clusterIPs', message }];
  }
  const address = [wanted, kept].find((each) => each !== '') ?? freeAddress(env, taken);
  spec.clusterIP = address;
  spec.clusterIPs = [address];
  spec.ipFamilies ??= ['IPv4'];
  spec.ipFamilyPolicy ??= 'SingleStack';
  return [];
}

function freeAddress(env: Pick<Environment, 'world'>, taken: ReadonlySet<string | undefined>): string {
  const start = env.world.random.below(ADDRESSES);
  for (let i = 0; i < ADDRESSES; i++) {
    const number = 1 + ((start + i) % ADDRESSES);
    const address = `${NETWORK}.${number >> 8}.${number & 0xff}`;
    if (!taken.has(address)) return address;
  }
  return 'None';
}

function allocateNodePorts(
  env: Pick<Environment, 'world'>,
  spec: ServiceSpec,
  before: ServiceSpec | undefined,
  others: readonly KubeObject[],
): StatusCause[] {
  const taken = new Set(others.flatMap((other) => ((other['spec'] as ServiceSpec | undefined)?.ports ?? []).map((port) => port.nodePort)));
  const causes: StatusCause[] = [];
  for (const [index, port] of (spec.ports ?? []).entries()) {
    const same = before?.ports?.find((each) => each.port === port.port && each.protocol === port.protocol);
    const wanted = port.nodePort ?? 0;
    if (wanted > 0 && taken.has(wanted)) {
      causes.push({
        reason: 'FieldValueInvalid',
        field: `spec.ports[${index}].nodePort`,
        message: `Invalid value: ${wanted}: provided port is already allocated`,
      });
    }
    port.nodePort = wanted > 0 ? wanted : (same?.nodePort ?? freePort(env, taken));
    taken.add(port.nodePort);
  }
  return causes;
}

function freePort(env: Pick<Environment, 'world'>, taken: ReadonlySet<number | undefined>): number {
  const start = env.world.random.below(NODE_PORTS);
  const ports = Array.from({ length: NODE_PORTS }, (_, i) => FIRST_NODE_PORT + ((start + i) % NODE_PORTS));
  return ports.find((port) => !taken.has(port)) ?? 0;
}
