import { gvkOf, type GroupKind, type KubeObject } from '../objects/index.ts';

type Ordered = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>;

/** What must exist before what. Kinds that stand in no list come between, by group, then kind (flux/SSA-04, pkg:ssa/utils). */
const FIRST_KINDS = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
const LAST_KINDS = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

const RANKS: ReadonlyMap<string, number> = new Map([
  ...FIRST_KINDS.map((kind, i): [string, number] => [kind, i]),
  ...LAST_KINDS.map((kind, i): [string, number] => [kind, FIRST_KINDS.length + 1 + i]),
]);

/** Kinds that others need to be served and settled before they are even validated. */
const DEFINITION_KINDS = new Set(['apiextensions.k8s.io/CustomResourceDefinition', '/Namespace', 'rbac.authorization.k8s.io/ClusterRole']);

function rankOf(kind: string): number {
  return RANKS.get(kind) ?? FIRST_KINDS.length;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The order in which objects are applied: kind by the table, then namespace, then name. */
export function compareForApply(a: Ordered, b: Ordered): number {
  const [first, second] = [gvkOf(a), gvkOf(b)];
  return (
    rankOf(first.kind) - rankOf(second.kind) ||
    compareText(first.group, second.group) ||
    compareText(first.kind, second.kind) ||
    compareText(a.metadata.namespace ?? '', b.metadata.namespace ?? '') ||
    compareText(a.metadata.name ?? '', b.metadata.name ?? '')
  );
}

/** A sorted copy; what others depend on comes first. */
export function sortForApply<T extends Ordered>(objects: readonly T[]): T[] {
  return objects.toSorted(compareForApply);
}

/** A sorted copy in the reverse of the apply order. */
export function sortForDelete<T extends Ordered>(objects: readonly T[]): T[] {
  return objects.toSorted((a, b) => compareForApply(b, a));
}

/** The stages of an apply, by name (flux/SSA-03). */
export type StageName = 'definitions' | 'classes' | 'custom' | 'rest';

/** Objects that are applied together. */
export interface Stage<T> {
  readonly name: StageName;
  readonly objects: readonly T[];
  /** The next stage starts only when these objects are ready. */
  readonly awaited: boolean;
}

/** Cuts objects into the stages that are not empty, each sorted. `customKinds` is `--custom-apply-stage-kinds`. */
export function stagesOf<T extends Ordered>(objects: readonly T[], customKinds: readonly GroupKind[] = []): Stage<T>[] {
  const stageOf = (object: T): StageName => {
    const { group, kind } = gvkOf(object);
    if (DEFINITION_KINDS.has(`${group}/${kind}`)) return 'definitions';
    if (kind.endsWith('Class')) return 'classes';
    return customKinds.some((custom) => custom.group === group && custom.kind === kind) ? 'custom' : 'rest';
  };
  const grouped = Map.groupBy(sortForApply(objects), stageOf);
  const stages: readonly { name: StageName; awaited: boolean }[] = [
    { name: 'definitions', awaited: true },
    { name: 'classes', awaited: true },
    { name: 'custom', awaited: false },
    { name: 'rest', awaited: false },
  ];
  return stages.flatMap((stage) => {
    const members = grouped.get(stage.name);
    return members === undefined ? [] : [{ ...stage, objects: members }];
  });
}
