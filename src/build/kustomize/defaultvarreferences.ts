import type { FieldSpec } from './kustomization.ts';

const TEMPLATE_KINDS = ['DaemonSet', 'Deployment', 'Job', 'ReplicaSet', 'StatefulSet'];

const POD_SPECS: readonly (readonly [kind: string, path: string])[] = [
  ['CronJob', 'spec/jobTemplate/spec/template/spec'],
  ['Pod', 'spec'],
  ...TEMPLATE_KINDS.map((kind) => [kind, 'spec/template/spec'] as const),
];

const CONTAINER_FIELDS = ['args', 'command', 'env/value', 'volumeMounts/mountPath'];

function podFields(kind: string, pod: string): FieldSpec[] {
  return ['containers', 'initContainers'].flatMap((list) => CONTAINER_FIELDS.map((field) => ({ kind, path: `${pod}/${list}/${field}` })));
}

/** Where `$(VAR)` is replaced (c14). The path of CronJob volumes lacks a `spec`, as upstream has it. */
export const DEFAULT_VAR_REFERENCES: readonly FieldSpec[] = [
  ...POD_SPECS.flatMap(([kind, pod]) => podFields(kind, pod)),
  { kind: 'CronJob', path: 'spec/jobTemplate/spec/template/volumes/nfs/server' },
  { kind: 'Pod', path: 'spec/volumes/nfs/server' },
  ...TEMPLATE_KINDS.filter((kind) => kind !== 'StatefulSet').map((kind) => ({ kind, path: 'spec/template/spec/volumes/nfs/server' })),
  { kind: 'Deployment', path: 'spec/template/metadata/annotations' },
  { kind: 'Ingress', path: 'spec/rules/host' },
  { kind: 'Ingress', path: 'spec/tls/hosts' },
  { kind: 'Ingress', path: 'spec/tls/secretName' },
  { kind: 'Service', path: 'spec/ports/port' },
  { kind: 'Service', path: 'spec/ports/targetPort' },
  { kind: 'StatefulSet', path: 'spec/volumeClaimTemplates/spec/nfs/server' },
  { kind: 'PersistentVolume', path: 'spec/nfs/server' },
  { path: 'metadata/labels' },
  { path: 'metadata/annotations' },
];
