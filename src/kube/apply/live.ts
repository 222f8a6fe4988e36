import type { Cluster } from '../client/index.ts';
import { formatRef, reasonOf, refOf, type KubeObject, type ObjectRef } from '../objects/index.ts';
import { mapLimited } from './limit.ts';
import { ownerLabels, type Owner } from './policy.ts';

/** From this many objects of one kind and namespace on, one list is cheaper than a read of each. */
const LIST_FROM = 3;

/**
 * The live objects of these names, keyed by {@link liveKey}. Many of one kind and namespace are read with one
 * list by the owner's labels; those that the list lacks (not there, or not labelled) are read one by one, as is
 * everything when listing is not allowed.
 */
export async function readLive(
  cluster: Cluster,
  refs: readonly ObjectRef[],
  owner: Pick<Owner, 'group' | 'name' | 'namespace'>,
  options: { readonly concurrency: number; readonly signal?: AbortSignal },
): Promise<ReadonlyMap<string, KubeObject>> {
  const live = new Map<string, KubeObject>();
  const groups = [...Map.groupBy(refs, (ref) => `${ref.apiVersion} ${ref.kind} ${ref.namespace ?? ''}`).values()];
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const selector = Object.entries(ownerLabels(owner))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const listed = groups.filter((group) => group.length >= LIST_FROM);
  await mapLimited(listed, options.concurrency, async (group) => {
    const [first] = group;
    if (first === undefined) return;
    const namespace = first.namespace === undefined ? {} : { namespace: first.namespace };
    const { apiVersion, kind } = first;
    for (const item of await listAllowed(cluster, first, { ...namespace, ...signal, labelSelector: selector })) {
      // Items of a list may leave out their kind.
      const object = item.kind === kind && item.apiVersion === apiVersion ? item : { ...item, apiVersion, kind };
      live.set(liveKey(refOf(object)), object);
    }
  });
  const missing = refs.filter((ref) => !live.has(liveKey(ref)));
  await mapLimited(missing, options.concurrency, async (ref) => {
    const found = await cluster.find(ref, signal);
    if (found !== undefined) live.set(liveKey(ref), found);
  });
  return live;
}

/** Names an object within one cluster and API version. */
export function liveKey(ref: ObjectRef): string {
  return `${ref.apiVersion} ${formatRef(ref)}`;
}

async function listAllowed(cluster: Cluster, ref: ObjectRef, options: Parameters<Cluster['list']>[1]): Promise<readonly KubeObject[]> {
  try {
    return (await cluster.list(ref, options)).items;
  } catch (error) {
    // A service account may be allowed to get its objects but not to list them.
    if (reasonOf(error) === 'Forbidden') return [];
    throw error;
  }
}
