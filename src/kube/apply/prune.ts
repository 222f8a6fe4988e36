import { isAbort, messageOf, SottoError } from '../../base/errors/index.ts';
import type { Cluster } from '../client/index.ts';
import { formatRef, isNotFound, refOf, type KubeObject, type ObjectRef } from '../objects/index.ts';
import type { ChangeEntry, ChangeSet } from './changes.ts';
import { sortForDelete } from './order.ts';
import { isOwnedBy, isPruneDisabled, type Owner } from './policy.ts';

/** Whose objects are deleted. */
export interface PruneOptions {
  readonly owner: Pick<Owner, 'group' | 'name' | 'namespace'>;
  readonly signal?: AbortSignal;
}

/** A garbage collection in which some deletions failed; `survivors` are to be tried again. */
export class PruneFailed extends SottoError {
  readonly entries: readonly ChangeEntry[];
  readonly survivors: readonly ObjectRef[];

  constructor(entries: readonly ChangeEntry[], failures: readonly { readonly ref: ObjectRef; readonly message: string }[]) {
    super('PRUNE_FAILED', `delete failed, errors: ${failures.map((failure) => failure.message).join(';')}`, { retry: true });
    this.name = 'PruneFailed';
    this.entries = entries;
    this.survivors = failures.map((failure) => failure.ref);
  }
}

/**
 * Deletes objects in the reverse of the apply order, in the background (flux/SSA-11). An object is skipped when its
 * labels name another owner, or when it asks to be left alone. What is gone already makes no entry.
 *
 * @throws PruneFailed after all were tried, when a read or a deletion failed
 */
export async function prune(cluster: Cluster, refs: readonly ObjectRef[], options: PruneOptions): Promise<ChangeSet> {
  const entries: ChangeEntry[] = [];
  const failures: { ref: ObjectRef; message: string }[] = [];
  for (const ref of sortRefs(refs)) {
    try {
      const entry = await pruneOne(cluster, ref, options);
      if (entry !== undefined) entries.push(entry);
    } catch (error) {
      if (isAbort(error)) throw error;
      failures.push({ ref, message: messageOf(error) });
    }
  }
  if (failures.length > 0) throw new PruneFailed(entries, failures);
  return { entries };
}

function sortRefs(refs: readonly ObjectRef[]): ObjectRef[] {
  const asObject = ({ apiVersion, kind, name, namespace }: ObjectRef): KubeObject => ({
    apiVersion,
    kind,
    metadata: namespace === undefined ? { name } : { name, namespace },
  });
  return sortForDelete(refs.map(asObject)).map(refOf);
}

async function pruneOne(cluster: Cluster, ref: ObjectRef, options: PruneOptions): Promise<ChangeEntry | undefined> {
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const live = await findServed(cluster, ref, signal);
  if (live === undefined) return undefined;
  if (!isOwnedBy(live, options.owner) || isPruneDisabled(live, options.owner.group)) return { ref, action: 'skipped', live };
  const { uid } = live.metadata;
  try {
    // The uid makes sure that what is deleted is what was looked at.
    await cluster.delete(ref, { propagationPolicy: 'Background', ...(uid === undefined ? {} : { preconditions: { uid } }), ...signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw new SottoError('PRUNE_FAILED', `${formatRef(ref)} delete failed: ${messageOf(error)}`, { cause: error, retry: true });
  }
  return { ref, action: 'deleted', live };
}

/**
 * The live object; undefined when it, or its kind, no longer exists. A reference with a namespace never means an
 * object of a kind without, nor the other way round, although the path to it might be the same.
 */
async function findServed(cluster: Cluster, ref: ObjectRef, options: { readonly signal?: AbortSignal }): Promise<KubeObject | undefined> {
  try {
    const resource = await cluster.resourceFor(ref);
    if (resource === undefined || resource.namespaced !== (ref.namespace !== undefined)) return undefined;
    return await cluster.find(ref, options);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new SottoError('PRUNE_FAILED', `${formatRef(ref)} query failed: ${messageOf(error)}`, { cause: error, retry: true });
  }
}
