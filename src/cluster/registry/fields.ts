import { apiErrors, isJsonObject, type KubeObject } from '../../kube/objects/index.ts';
import { parseFieldSelector, type FieldRequirement, type Selector } from './selectors.ts';
import type { Resource, Version } from './types.ts';

const reference = (base: string): string[] =>
  ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((field) => `${base}.${field}`);

/** Fields that can be selected besides metadata.name and metadata.namespace (kubernetes:pkg/apis/GROUP/VERSION/conversion.go). */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  secrets: ['type'],
  namespaces: ['status.phase'],
  events: [...reference('involvedObject'), 'reason', 'reportingComponent', 'source', 'type'],
  'events.events.k8s.io': [...reference('regarding'), 'reason', 'reportingController', 'type'],
  pods: [
    'spec.nodeName',
    'spec.host',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  nodes: ['spec.unschedulable'],
  replicationcontrollers: ['status.replicas'],
  'replicasets.apps': ['status.replicas'],
  services: ['spec.clusterIP', 'spec.type'],
  'jobs.batch': ['status.successful'],
  'certificatesigningrequests.certificates.k8s.io': ['spec.signerName'],
};

/** Names that don't spell the path. */
const ALIASES: Readonly<Record<string, string>> = {
  'spec.host': 'spec.nodeName',
  source: 'source.component',
  'status.successful': 'status.succeeded',
};
/** What an absent field counts as. */
const ZEROES: Readonly<Record<string, string>> = {
  'spec.unschedulable': 'false',
  'spec.hostNetwork': 'false',
  'status.replicas': '0',
  'status.successful': '0',
};

/**
 * A field selector as a test of objects of this resource.
 *
 * @throws ApiError 400 for a field that this resource can't be selected by
 */
export function fieldSelector(resource: Resource, version: Version, text: string): Selector {
  const requirements = parseFieldSelector(text);
  for (const { field } of requirements) {
    if (!isSelectable(resource, version, field)) throw apiErrors.badRequest(`field label not supported: ${field}`);
  }
  return (object) => requirements.every((requirement) => matches(object, requirement));
}

/** The name that a field selector pins, for authorisation and quick lookups. */
export function pinnedName(text: string): string | undefined {
  return parseFieldSelector(text).find(({ field, equal }) => field === 'metadata.name' && equal)?.value;
}

function isSelectable(resource: Resource, version: Version, field: string): boolean {
  if (field === 'metadata.name') return true;
  if (field === 'metadata.namespace') return resource.plural !== 'namespaces' || resource.group !== '';
  if (resource.custom) return version.selectableFields?.includes(field) === true;
  const name = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
  return FIELDS[name]?.includes(field) === true;
}

function matches(object: KubeObject, { field, equal, value }: FieldRequirement): boolean {
  return (fieldText(object, field) === value) === equal;
}

function fieldText(object: KubeObject, field: string): string {
  let value: unknown = object;
  for (const step of (ALIASES[field] ?? field).split('.')) {
    value = isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  if (value === undefined || value === null) return ZEROES[field] ?? '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
