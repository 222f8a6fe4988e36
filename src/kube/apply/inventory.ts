import { SottoError } from '../../base/errors/index.ts';
import { apiVersionOf, parseApiVersion, type ObjectRef } from '../objects/index.ts';

/** One line of `status.inventory.entries`: which object, at which version. */
export interface InventoryEntry {
  /** `<namespace>_<name>_<group>_<kind>`, as cli-utils writes object identifiers. */
  readonly id: string;
  /** The version without the group. */
  readonly v: string;
}

/** Kinds whose names may hold a colon, which the identifier writes `__`. */
const RBAC_KINDS = new Set(['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding']);
const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** The identifier of an object; {@link parseInventoryId} reads it (flux/SSA-12). */
export function inventoryIdOf(ref: ObjectRef): string {
  const { group } = parseApiVersion(ref.apiVersion);
  const name = group === RBAC_GROUP && RBAC_KINDS.has(ref.kind) ? ref.name.replaceAll(':', '__') : ref.name;
  return `${ref.namespace ?? ''}_${name}_${group}_${ref.kind}`;
}

/**
 * The object that an inventory identifier names.
 *
 * @throws SottoError INVENTORY_ID when the text is no identifier
 */
export function parseInventoryId(id: string, version: string): ObjectRef {
  const first = id.indexOf('_');
  const last = id.lastIndexOf('_');
  const middle = id.lastIndexOf('_', last - 1);
  if (first < 0 || middle <= first) throw new SottoError('INVENTORY_ID', `unable to parse stored object metadata: ${id}`);
  const namespace = id.slice(0, first);
  return {
    apiVersion: apiVersionOf({ group: id.slice(middle + 1, last), version }),
    kind: id.slice(last + 1),
    name: id.slice(first + 1, middle).replaceAll('__', ':'),
    ...(namespace === '' ? {} : { namespace }),
  };
}

/** The inventory of these objects, in their order, each once. */
export function inventoryOf(refs: Iterable<ObjectRef>): InventoryEntry[] {
  const entries = new Map<string, InventoryEntry>();
  for (const ref of refs) {
    const id = inventoryIdOf(ref);
    entries.set(id, { id, v: parseApiVersion(ref.apiVersion).version });
  }
  return [...entries.values()];
}

/** The objects of an inventory. @throws SottoError INVENTORY_ID */
export function refsOf(entries: readonly InventoryEntry[]): ObjectRef[] {
  return entries.map(({ id, v }) => parseInventoryId(id, v));
}

/** Entries of `old` whose object is not in `next`; a changed version is the same object. */
export function staleEntries(old: readonly InventoryEntry[], next: readonly InventoryEntry[]): InventoryEntry[] {
  const kept = new Set(next.map((entry) => entry.id));
  return old.filter((entry) => !kept.has(entry.id));
}

/** `first`, then the entries of `second` that it lacks. */
export function mergeEntries(first: readonly InventoryEntry[], second: readonly InventoryEntry[]): InventoryEntry[] {
  return [...first, ...staleEntries(second, first)];
}
