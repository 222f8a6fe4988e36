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

export function objectIndex(): ObjectIndex {
  const objects = new Map<string, KubeObject>();
  let keys: string[] = [];
  /** Keys since this position were appended and may be out of order: sorted when somebody reads. */
  let isOrdered = true;
  const order = (): void => {
    if (!isOrdered) keys.sort(byCodeUnit);
    isOrdered = true;
  };
  const values = (namespace?: string): KubeObject[] => {
    order();
    // '0' is the character after '/': the range holds exactly the keys of the namespace.
    const range = namespace === undefined ? keys : keys.slice(lowerBound(keys, `${namespace}/`), lowerBound(keys, `${namespace}0`));
    return range.flatMap((key) => objects.get(key) ?? []);
  };
  return {
    get size() {
      return objects.size;
    },
    get: (key) => objects.get(key),
    set: (key, object) => {
      if (!objects.has(key)) {
        if ((keys.at(-1) ?? '') > key) isOrdered = false;
        keys.push(key);
      }
      objects.set(key, object);
    },
    delete: (key) => {
      if (objects.delete(key)) keys.splice(lowerBound(keys, key), 1);
    },
    values,
  };
}
