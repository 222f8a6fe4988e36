import { cloneJson, gvkOf, isJsonObject, type JsonObject, type KubeObject } from '../objects/index.ts';

/**
 * A copy of a desired object in the form that an API server would store, so that comparing never reports a
 * difference of spelling (flux/SSA-06, pkg:ssa/normalize):
 *
 * - Secret `stringData` goes into `data` as base64, and wins over it;
 * - ports of containers (not of init containers) and Services without protocol are TCP;
 * - `metadata.creationTimestamp: null` goes, and `status` except on CustomResourceDefinitions;
 * - a conversion `caBundle` that is no certificate goes from CustomResourceDefinitions.
 *
 * Unknown fields of built-in kinds stay: the API server decides about them.
 */
export function normaliseObject(object: KubeObject): KubeObject {
  const copy = cloneJson(object);
  const { group, kind } = gvkOf(copy);
  if (group === 'rbac.authorization.k8s.io') return copy;
  if (copy.metadata.creationTimestamp === null) delete copy.metadata.creationTimestamp;
  const isDefinition = kind === 'CustomResourceDefinition';
  if (!isDefinition) delete copy['status'];
  if (isDefinition) dropInvalidBundle(copy);
  if (group === '' && kind === 'Secret') encodeStringData(copy);
  if (group === '' && kind === 'Service') setProtocols(portsOf(copy['spec']));
  const template = podSpecOf(copy, group, kind);
  for (const container of listOf(template?.['containers'])) setProtocols(portsOf(container));
  return copy;
}

/** Where a built-in kind keeps its pod specification. */
const POD_SPEC_PATHS: Readonly<Record<string, readonly string[]>> = {
  '/Pod': ['spec'],
  '/PodTemplate': ['template', 'spec'],
  '/ReplicationController': ['spec', 'template', 'spec'],
  'apps/Deployment': ['spec', 'template', 'spec'],
  'apps/StatefulSet': ['spec', 'template', 'spec'],
  'apps/DaemonSet': ['spec', 'template', 'spec'],
  'apps/ReplicaSet': ['spec', 'template', 'spec'],
  'batch/Job': ['spec', 'template', 'spec'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

function podSpecOf(object: KubeObject, group: string, kind: string): JsonObject | undefined {
  const id = `${group}/${kind}`;
  if (!Object.hasOwn(POD_SPEC_PATHS, id)) return undefined;
  let at: unknown = object;
  for (const field of POD_SPEC_PATHS[id] ?? []) at = isJsonObject(at) ? at[field] : undefined;
  return isJsonObject(at) ? at : undefined;
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => isJsonObject(item)) : [];
}

function portsOf(owner: unknown): JsonObject[] {
  return isJsonObject(owner) ? listOf(owner['ports']) : [];
}

function setProtocols(ports: readonly JsonObject[]): void {
  for (const port of ports) if (port['protocol'] === undefined || port['protocol'] === '') port['protocol'] = 'TCP';
}

function encodeStringData(secret: KubeObject): void {
  const plain = secret['stringData'];
  delete secret['stringData'];
  if (!isJsonObject(plain)) return;
  const old = isJsonObject(secret['data']) ? secret['data'] : {};
  const encoded = Object.entries(plain).map(([key, value]): [string, unknown] => [
    key,
    // A value of another type is left for the API server to refuse.
    typeof value === 'string' ? Buffer.from(value, 'utf8').toString('base64') : value,
  ]);
  secret['data'] = Object.fromEntries([...Object.entries(old), ...encoded]);
}

const PEM = /^-----BEGIN CERTIFICATE-----/;

function dropInvalidBundle(definition: KubeObject): void {
  const spec = definition['spec'];
  const conversion = isJsonObject(spec) ? spec['conversion'] : undefined;
  const webhook = isJsonObject(conversion) ? conversion['webhook'] : undefined;
  const client = isJsonObject(webhook) ? webhook['clientConfig'] : undefined;
  if (!isJsonObject(client) || client['caBundle'] === undefined) return;
  const text = typeof client['caBundle'] === 'string' ? Buffer.from(client['caBundle'], 'base64').toString('latin1').trim() : '';
  if (!PEM.test(text)) delete client['caBundle'];
}
