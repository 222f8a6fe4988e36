import type { Cluster } from '../client/index.ts';
import { gvkOf, isJsonObject, refOf, type KubeObject } from '../objects/index.ts';

/**
 * Says of which objects the namespace or the kind is made by the same set and is not there yet, so that a server
 * could not answer a dry-run of them.
 */
export async function promisedBy(
  cluster: Cluster,
  objects: readonly KubeObject[],
  signal?: AbortSignal,
): Promise<(object: KubeObject) => boolean> {
  const namespaces = new Set<string>();
  const kinds = new Set<string>();
  for (const object of objects) {
    const made = madeBy(object);
    if (made === undefined || (await cluster.find(refOf(object), signal === undefined ? {} : { signal })) !== undefined) continue;
    (made.what === 'namespace' ? namespaces : kinds).add(made.name);
  }
  return (object) => {
    const { group, kind } = gvkOf(object);
    return namespaces.has(object.metadata.namespace ?? '') || kinds.has(`${group}/${kind}`);
  };
}

function madeBy(object: KubeObject): { readonly what: 'namespace' | 'kind'; readonly name: string } | undefined {
  const { group, kind } = gvkOf(object);
  if (group === '' && kind === 'Namespace') return { what: 'namespace', name: object.metadata.name ?? '' };
  const spec = object['spec'];
  if (group !== 'apiextensions.k8s.io' || kind !== 'CustomResourceDefinition' || !isJsonObject(spec)) return undefined;
  const { group: ownGroup, names } = spec;
  const ownKind = isJsonObject(names) ? names['kind'] : undefined;
  return typeof ownGroup === 'string' && typeof ownKind === 'string' ? { what: 'kind', name: `${ownGroup}/${ownKind}` } : undefined;
}
