import { parseApiVersion, type KubeObject, type OwnerReference } from '../../kube/objects/index.ts';
import type { Catalog, StoreKey } from '../registry/index.ts';

/** A stored object. */
export interface Node {
  readonly key: StoreKey;
  readonly object: KubeObject;
}

/** What an owner reference points to. `unknown`: its kind isn't served (yet), so nothing is decided. */
export type OwnerState = 'alive' | 'absent' | 'waiting' | 'unknown' | 'invalid';

export const FOREGROUND = 'foregroundDeletion';

/** Who owns whom, by uid. */
export interface OwnerGraph {
  remember(key: StoreKey, object: KubeObject): void;
  /** Forgets an object; its dependents keep their references. */
  forget(uid: string): void;
  get(uid: string): Node | undefined;
  dependentsOf(uid: string): Node[];
  /** Uids of all objects that have owners. */
  dependents(): Iterable<string>;
  stateOf(dependent: Node, owner: OwnerReference): OwnerState;
}

export function ownersOf(object: KubeObject): readonly OwnerReference[] {
  return object.metadata.ownerReferences ?? [];
}

export function ownerGraph(catalog: Catalog): OwnerGraph {
  const nodes = new Map<string, Node>();
  const dependents = new Map<string, Set<string>>();

  const forget = (uid: string): void => {
    const node = nodes.get(uid);
    nodes.delete(uid);
    for (const owner of node === undefined ? [] : ownersOf(node.object)) {
      const set = dependents.get(owner.uid);
      set?.delete(uid);
      if (set?.size === 0) dependents.delete(owner.uid);
    }
  };
  const remember = (key: StoreKey, object: KubeObject): void => {
    const uid = object.metadata.uid ?? '';
    forget(uid);
    nodes.set(uid, { key, object });
    for (const owner of ownersOf(object)) dependents.set(owner.uid, (dependents.get(owner.uid) ?? new Set()).add(uid));
  };
  const stateOf = (dependent: Node, owner: OwnerReference): OwnerState => {
    const resource = catalog.findKind(parseApiVersion(owner.apiVersion).group, owner.kind);
    if (resource === undefined) return 'unknown';
    const { namespace } = dependent.key;
    if (namespace === '' && resource.namespaced) return 'invalid';
    const found = nodes.get(owner.uid);
    const isThere = found?.key.resource === resource.storeName && found.key.name === owner.name;
    if (!isThere || (resource.namespaced && found.key.namespace !== namespace)) return 'absent';
    const { deletionTimestamp, finalizers } = found.object.metadata;
    return deletionTimestamp !== undefined && finalizers?.includes(FOREGROUND) === true ? 'waiting' : 'alive';
  };
  return {
    remember,
    forget,
    get: (uid) => nodes.get(uid),
    dependentsOf: (uid) => [...(dependents.get(uid) ?? [])].flatMap((each) => nodes.get(each) ?? []),
    dependents: function* () {
      for (const set of dependents.values()) yield* set;
    },
    stateOf,
  };
}
