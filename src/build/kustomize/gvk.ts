import { parseApiVersion, type GroupVersionKind } from '../../kube/objects/index.ts';

/** A group/version/kind in which an empty part selects everything. */
export interface GvkSelector {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
}

export function gvkFrom(apiVersion: string, kind: string): GroupVersionKind {
  return { ...parseApiVersion(apiVersion), kind };
}

/** True when every part that the selector gives equals that of `gvk`. */
export function isSelected(gvk: GvkSelector, selector: GvkSelector): boolean {
  return matches(gvk.group, selector.group) && matches(gvk.version, selector.version) && matches(gvk.kind, selector.kind);
}

function matches(part: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || wanted === '' || wanted === (part ?? '');
}

/** `Kind.version.group`, the form of messages. */
export function formatGvk({ group, version, kind }: GvkSelector): string {
  return `${kind || '[noKind]'}.${version || '[noVer]'}.${group || '[noGrp]'}`;
}

/** `group_version_kind`, the form that sorting compares (k:kyaml/resid/gvk.go). */
export function sortTextOf({ group, version, kind }: GvkSelector): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
}

/** Kinds that come first and last, in this order (k:kyaml/resid/gvk.go). */
export const ORDER_FIRST: readonly string[] = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
export const ORDER_LAST: readonly string[] = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** Rank of kinds: negative for the first ones, positive for the last ones, 0 for all others. */
export function ranksOf(first: readonly string[], last: readonly string[]): (kind: string) => number {
  const ranks = new Map<string, number>();
  for (const [index, kind] of first.entries()) ranks.set(kind, index - first.length);
  for (const [index, kind] of last.entries()) ranks.set(kind, index + 1);
  return (kind) => ranks.get(kind) ?? 0;
}

const defaultRank = ranksOf(ORDER_FIRST, ORDER_LAST);

/** The order of field specs and name references: rank of the kind, then group_version_kind. */
export function compareGvk(a: GvkSelector, b: GvkSelector): number {
  return defaultRank(a.kind ?? '') - defaultRank(b.kind ?? '') || compareText(sortTextOf(a), sortTextOf(b));
}

/** Byte order of UTF-8, which is the order of code points. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return surrogateLast(left) - surrogateLast(right);
  }
  return a.length - b.length;
}

/** Moves surrogates behind U+E000–FFFF, so that code units sort like code points. */
function surrogateLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
