import type { GroupVersionKind } from '../../kube/objects/index.ts';
import { formatGvk } from './gvk.ts';
import { effectiveNamespace } from './scope.ts';

/** What identifies an object during a build. `namespace` is as written; '' for none. */
export interface ResourceId extends GroupVersionKind {
  readonly name: string;
  readonly namespace: string;
}

/** A text that is equal for equal ids: group, version, kind, name and effective namespace. */
export function idKey(id: ResourceId): string {
  return `${id.group}\0${id.version}\0${id.kind}\0${id.name}\0${effectiveNamespace(id, id.namespace)}`;
}

/** `Kind.version.group/name.namespace`, as messages name objects. */
export function formatId(id: ResourceId): string {
  return `${formatGvk(id)}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`;
}
