import type { KubeObject } from '../../../kube/objects/index.ts';
import { age } from './duration.ts';
import {
  ageColumn,
  at,
  integer,
  joined,
  listAt,
  name,
  NONE,
  numberAt,
  pairs,
  sizeAt,
  text,
  textAt,
  UNSET,
  wide,
  workloadColumns,
  type Column,
} from './types.ts';

const ACCESS_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

const accessModes = (object: KubeObject): string =>
  [...new Set(listAt(object, 'spec', 'accessModes').map(String))].map((mode) => ACCESS_MODES[mode] ?? mode).join(',');

function eventAge(object: KubeObject, now: number, first: boolean): string {
  const micro = at(object, 'eventTime');
  const observed = first ? at(object, 'firstTimestamp') : (at(object, 'series', 'lastObservedTime') ?? at(object, 'lastTimestamp'));
  return age(observed ?? micro, now);
}

function involved(object: KubeObject, field: string): string {
  const kind = textAt(object, field, 'kind').toLowerCase();
  return kind === '' ? textAt(object, field, 'name') : `${kind}/${textAt(object, field, 'name')}`;
}

function eventColumns(fields: { object: string; message: string; source: string; count: string }): Column[] {
  return [
    text('Last Seen', (object, now) => eventAge(object, now, false)),
    text('Type', (object) => textAt(object, 'type')),
    text('Reason', (object) => textAt(object, 'reason')),
    text('Object', (object) => involved(object, fields.object)),
    ...wide(
      text('Subobject', (object) => textAt(object, fields.object, 'fieldPath')),
      text('Source', (object) =>
        [textAt(object, fields.source, 'component'), textAt(object, fields.source, 'host')].filter((part) => part !== '').join(', '),
      ),
    ),
    text('Message', (object) => textAt(object, fields.message).trim()),
    ...wide(
      text('First Seen', (object, now) => eventAge(object, now, true)),
      integer('Count', (object) => numberAt(object, 'series', 'count') || numberAt(object, fields.count) || 1),
      name,
    ),
  ];
}

/** Columns of the core group (kubernetes:pkg/printers/internalversion/printers.go). */
export const CORE: Readonly<Record<string, readonly Column[]>> = {
  secrets: [name, text('Type', (object) => textAt(object, 'type')), integer('Data', (object) => sizeAt(object, 'data')), ageColumn],
  configmaps: [name, integer('Data', (object) => sizeAt(object, 'data') + sizeAt(object, 'binaryData')), ageColumn],
  namespaces: [name, text('Status', (object) => textAt(object, 'status', 'phase')), ageColumn],
  serviceaccounts: [name, integer('Secrets', (object) => listAt(object, 'secrets').length), ageColumn],
  events: eventColumns({ object: 'involvedObject', message: 'message', source: 'source', count: 'count' }),
  'events.events.k8s.io': eventColumns({ object: 'regarding', message: 'note', source: 'deprecatedSource', count: 'deprecatedCount' }),
  services: [
    name,
    text('Type', (object) => textAt(object, 'spec', 'type')),
    text('Cluster-IP', (object) => textAt(object, 'spec', 'clusterIP') || NONE),
    text('External-IP', externalAddresses),
    text('Port(s)', servicePorts),
    ageColumn,
    ...wide(text('Selector', (object) => pairs(at(object, 'spec', 'selector')))),
  ],
  endpoints: [name, text('Endpoints', endpointAddresses), ageColumn],
  persistentvolumeclaims: [
    name,
    text('Status', (object) => (object.metadata.deletionTimestamp === undefined ? textAt(object, 'status', 'phase') : 'Terminating')),
    text('Volume', (object) => textAt(object, 'spec', 'volumeName')),
    text('Capacity', (object) => (textAt(object, 'spec', 'volumeName') === '' ? '' : textAt(object, 'status', 'capacity', 'storage'))),
    text('Access Modes', (object) => (textAt(object, 'spec', 'volumeName') === '' ? '' : accessModes(object))),
    text('StorageClass', (object) => textAt(object, 'spec', 'storageClassName')),
    text('VolumeAttributesClass', (object) => textAt(object, 'spec', 'volumeAttributesClassName') || UNSET),
    ageColumn,
    ...wide(text('VolumeMode', (object) => textAt(object, 'spec', 'volumeMode') || UNSET)),
  ],
  persistentvolumes: [
    name,
    text('Capacity', (object) => textAt(object, 'spec', 'capacity', 'storage')),
    text('Access Modes', accessModes),
    text('Reclaim Policy', (object) => textAt(object, 'spec', 'persistentVolumeReclaimPolicy')),
    text('Status', (object) => (object.metadata.deletionTimestamp === undefined ? textAt(object, 'status', 'phase') : 'Terminating')),
    text('Claim', (object) =>
      [textAt(object, 'spec', 'claimRef', 'namespace'), textAt(object, 'spec', 'claimRef', 'name')].filter((part) => part !== '').join('/'),
    ),
    text('StorageClass', (object) => textAt(object, 'spec', 'storageClassName')),
    text('VolumeAttributesClass', (object) => textAt(object, 'spec', 'volumeAttributesClassName') || UNSET),
    text('Reason', (object) => textAt(object, 'status', 'reason')),
    ageColumn,
    ...wide(text('VolumeMode', (object) => textAt(object, 'spec', 'volumeMode') || UNSET)),
  ],
  pods: [
    name,
    text(
      'Ready',
      (object) =>
        `${listAt(object, 'status', 'containerStatuses').filter((each) => at(each, 'ready') === true).length}/${listAt(object, 'spec', 'containers').length}`,
    ),
    text('Status', podStatus),
    text('Restarts', (object) =>
      String(listAt(object, 'status', 'containerStatuses').reduce<number>((sum, each) => sum + numberAt(each, 'restartCount'), 0)),
    ),
    ageColumn,
    ...wide(
      text('IP', (object) => textAt(object, 'status', 'podIP') || NONE),
      text('Node', (object) => textAt(object, 'spec', 'nodeName') || NONE),
      text('Nominated Node', (object) => textAt(object, 'status', 'nominatedNodeName') || NONE),
      text('Readiness Gates', (object) =>
        listAt(object, 'spec', 'readinessGates').length === 0 ? NONE : `0/${listAt(object, 'spec', 'readinessGates').length}`,
      ),
    ),
  ],
  nodes: [
    name,
    text('Status', nodeStatus),
    text('Roles', (object) =>
      joined(
        Object.keys(object.metadata.labels ?? {})
          .filter((label) => label.startsWith('node-role.kubernetes.io/'))
          .map((label) => label.slice('node-role.kubernetes.io/'.length))
          .toSorted(),
      ),
    ),
    ageColumn,
    text('Version', (object) => textAt(object, 'status', 'nodeInfo', 'kubeletVersion')),
    ...wide(
      text('Internal-IP', (object) => nodeAddress(object, 'InternalIP')),
      text('External-IP', (object) => nodeAddress(object, 'ExternalIP')),
      text('OS-Image', (object) => textAt(object, 'status', 'nodeInfo', 'osImage') || '<unknown>'),
      text('Kernel-Version', (object) => textAt(object, 'status', 'nodeInfo', 'kernelVersion') || '<unknown>'),
      text('Container-Runtime', (object) => textAt(object, 'status', 'nodeInfo', 'containerRuntimeVersion') || '<unknown>'),
    ),
  ],
  replicationcontrollers: [
    name,
    integer('Desired', (object) => numberAt(object, 'spec', 'replicas')),
    integer('Current', (object) => numberAt(object, 'status', 'replicas')),
    integer('Ready', (object) => numberAt(object, 'status', 'readyReplicas')),
    ageColumn,
    ...workloadColumns(['spec', 'template', 'spec', 'containers'], (object) => pairs(at(object, 'spec', 'selector'))),
  ],
  podtemplates: [
    name,
    text('Containers', (object) =>
      listAt(object, 'template', 'spec', 'containers')
        .map((each) => textAt(each, 'name'))
        .join(','),
    ),
    text('Images', (object) =>
      listAt(object, 'template', 'spec', 'containers')
        .map((each) => textAt(each, 'image'))
        .join(','),
    ),
    text('Pod Labels', (object) => pairs(at(object, 'template', 'metadata', 'labels'))),
  ],
  resourcequotas: [
    name,
    text('Request', (object) => quotaUse(object, (resource) => !resource.startsWith('limits.'))),
    text('Limit', (object) => quotaUse(object, (resource) => resource.startsWith('limits.'))),
    ageColumn,
  ],
};

function quotaUse(object: KubeObject, isWanted: (resource: string) => boolean): string {
  const hard = (at(object, 'status', 'hard') ?? at(object, 'spec', 'hard') ?? {}) as Record<string, unknown>;
  return Object.keys(hard)
    .filter(isWanted)
    .toSorted()
    .map((resource) => `${resource}: ${textAt(object, 'status', 'used', resource)}/${String(hard[resource])}`)
    .join(', ');
}

function externalAddresses(object: KubeObject): string {
  const type = textAt(object, 'spec', 'type');
  const external = listAt(object, 'spec', 'externalIPs').map(String);
  if (type === 'ExternalName') return textAt(object, 'spec', 'externalName');
  if (type !== 'LoadBalancer') return joined(external);
  const ingress = listAt(object, 'status', 'loadBalancer', 'ingress').map((each) => textAt(each, 'ip') || textAt(each, 'hostname'));
  return joined([...ingress, ...external], '<pending>');
}

function servicePorts(object: KubeObject): string {
  return joined(
    listAt(object, 'spec', 'ports').map((port) => {
      const node = numberAt(port, 'nodePort');
      return `${numberAt(port, 'port')}${node > 0 ? `:${node}` : ''}/${textAt(port, 'protocol') || 'TCP'}`;
    }),
  );
}

function endpointAddresses(object: KubeObject): string {
  const all = listAt(object, 'subsets').flatMap((subset) => {
    const ports = listAt(subset, 'ports').map((port) => `:${numberAt(port, 'port')}`);
    return listAt(subset, 'addresses').flatMap((address) =>
      (ports.length === 0 ? [''] : ports).map((port) => `${textAt(address, 'ip')}${port}`),
    );
  });
  return all.length <= 3 ? joined(all) : `${all.slice(0, 3).join(',')} + ${all.length - 3} more...`;
}

function podStatus(object: KubeObject): string {
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const waiting = listAt(object, 'status', 'containerStatuses')
    .map((each) => textAt(each, 'state', 'waiting', 'reason'))
    .find((reason) => reason !== '');
  return waiting ?? (textAt(object, 'status', 'reason') || textAt(object, 'status', 'phase'));
}

function nodeStatus(object: KubeObject): string {
  const ready = listAt(object, 'status', 'conditions').find((condition) => textAt(condition, 'type') === 'Ready');
  const status = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return at(object, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status;
}

function nodeAddress(object: KubeObject, type: string): string {
  const found = listAt(object, 'status', 'addresses').find((address) => textAt(address, 'type') === type);
  return textAt(found, 'address') || NONE;
}
