import type { KubeObject } from '../objects/index.ts';

/** Whose objects these are: the field manager, the annotation group and the owner's name. */
export interface Owner {
  /** Field manager of apply requests, `kustomize-controller`. */
  readonly fieldManager: string;
  /** Prefix of labels and annotations, `kustomize.toolkit.fluxcd.io`. */
  readonly group: string;
  readonly namespace: string;
  readonly name: string;
}

/** How an object is applied: annotation or label `<group>/ssa`, any letter case (flux/SSA-08). */
export type SsaPolicy = 'override' | 'merge' | 'ifnotpresent' | 'ignore';

const POLICIES = new Set<string>(['override', 'merge', 'ifnotpresent', 'ignore']);

/** True when the label or annotation `key` has this value, whatever the letter case of the value. */
export function hasMark(object: KubeObject | undefined, key: string, value: string): boolean {
  if (object === undefined) return false;
  const { labels, annotations } = object.metadata;
  return [labels, annotations].some((map) => map !== undefined && Object.hasOwn(map, key) && map[key]?.toLowerCase() === value);
}

function markOf(object: KubeObject, key: string): string | undefined {
  const { labels, annotations } = object.metadata;
  const found = [annotations, labels].find((map) => map !== undefined && Object.hasOwn(map, key));
  return found?.[key]?.toLowerCase();
}

/** The policy of a desired object; `override` unless it names another one. */
export function ssaPolicy(object: KubeObject, group: string): SsaPolicy {
  const value = markOf(object, `${group}/ssa`) ?? 'override';
  return POLICIES.has(value) ? (value as SsaPolicy) : 'override';
}

/** `<group>/reconcile: disabled` or `<group>/ssa: Ignore`, on the desired or on the live object (flux/SSA-10). */
export function isExcluded(desired: KubeObject | undefined, live: KubeObject | undefined, group: string): boolean {
  return [desired, live].some((object) => hasMark(object, `${group}/reconcile`, 'disabled') || hasMark(object, `${group}/ssa`, 'ignore'));
}

/** True when an object must not be written: excluded, or present while only its absence would be filled. */
export function isSkipped(desired: KubeObject, live: KubeObject | undefined, group: string): boolean {
  return isExcluded(desired, live, group) || (live !== undefined && ssaPolicy(desired, group) === 'ifnotpresent');
}

/** `<group>/force: enabled`, on the desired or on the live object (flux/SSA-09). */
export function isForced(desired: KubeObject, live: KubeObject | undefined, group: string): boolean {
  return hasMark(desired, `${group}/force`, 'enabled') || hasMark(live, `${group}/force`, 'enabled');
}

/** True when garbage collection must leave the object alone (flux/SSA-11). */
export function isPruneDisabled(live: KubeObject, group: string): boolean {
  return hasMark(live, `${group}/prune`, 'disabled') || isExcluded(undefined, live, group);
}

/** The labels that say whose an object is (flux/SSA-02). */
export function ownerLabels(owner: Pick<Owner, 'group' | 'name' | 'namespace'>): Record<string, string> {
  return { [`${owner.group}/name`]: owner.name, [`${owner.group}/namespace`]: owner.namespace };
}

/** True when the live object carries the labels of this owner. */
export function isOwnedBy(live: KubeObject, owner: Pick<Owner, 'group' | 'name' | 'namespace'>): boolean {
  const labels = live.metadata.labels ?? {};
  return Object.entries(ownerLabels(owner)).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

/** A copy of the object with the owner's labels. */
export function withOwnerLabels(object: KubeObject, owner: Pick<Owner, 'group' | 'name' | 'namespace'>): KubeObject {
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...ownerLabels(owner) } } };
}
