import type { KubeObject } from '../../kube/objects/index.ts';

/** Key inside a resource; sorting keys by code unit gives etcd's order. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** The objects of one resource, with their keys in order. */
export interface ObjectIndex {
  readonly size: number;
  get(key: string): KubeObject | undefined;
  set(key: string, object: KubeObject): void;
  delete(key: string): void;
  /** In key order; of one namespace when given. */
  values(namespace?: string): KubeObject[];
}

/** Position of the first key that is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** So few new keys are put in one by one; more are sorted and merged. */
const FEW = 16;

export function objectIndex(): ObjectIndex {
  const objects = new Map<string, KubeObject>();
  let keys: string[] = [];
  /** Keys that are not in their place yet: a write must not cost more the more objects there are. */
  let fresh: string[] = [];
  const ordered = (): readonly string[] => {
    if (fresh.length > FEW) keys = merged(keys, fresh.toSorted(byCodeUnit));
    else for (const key of fresh) keys.splice(lowerBound(keys, key), 0, key);
    if (fresh.length > 0) fresh = [];
    return keys;
  };
  const values = (namespace?: string): KubeObject[] => {
    const all = ordered();
    // '0' is the character after '/': the range holds exactly the keys of the namespace.
    const range = namespace === undefined ? all : all.slice(lowerBound(all, `${namespace}/`), lowerBound(all, `${namespace}0`));
    return range.flatMap((key) => objects.get(key) ?? []);
  };
  return {
    get size() {
      return objects.size;
    },
    get: (key) => objects.get(key),
    set: (key, object) => {
      if (!objects.has(key)) {
        const isLast = fresh.length === 0 && (keys.at(-1) ?? '') < key;
        (isLast ? keys : fresh).push(key);
      }
      objects.set(key, object);
    },
    delete: (key) => {
      if (!objects.delete(key)) return;
      const all = ordered();
      keys.splice(lowerBound(all, key), 1);
    },
    values,
  };
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function merged(a: readonly string[], b: readonly string[]): string[] {
  const result: string[] = [];
  let i = 0;
  for (const key of b) {
    for (let other = a[i]; other !== undefined && other < key; other = a[i]) {
      result.push(other);
      i++;
    }
    result.push(key);
  }
  for (; i < a.length; i++) result.push(a[i] ?? '');
  return result;
}
