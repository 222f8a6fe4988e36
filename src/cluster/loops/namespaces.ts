import { messageOf } from '../../base/errors/index.ts';
import { deepEqual, setCondition, type Condition, type KubeObject } from '../../kube/objects/index.ts';
import { systemDelete, systemUpdate, timestamp, workQueue, type Loop, type LoopContext } from '../registry/index.ts';

const NAMESPACES = 'namespaces';
const FINALIZER = 'kubernetes';

interface Remaining {
  /** `secrets.` or `widgets.example.com` → how many objects. */
  readonly resources: ReadonlyMap<string, number>;
  /** Finalizer → on how many objects. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/** Empties namespaces that are being deleted, then lets them go (NS-03; kubernetes:pkg/controller/namespace/deletion). */
export function namespaceLoop({ env, log }: LoopContext): Loop {
  const { store, catalog } = env;
  const keyOf = (name: string): { resource: string; namespace: string; name: string } => ({ resource: NAMESPACES, namespace: '', name });

  const isTerminating = (name: string): boolean => store.get(keyOf(name))?.metadata.deletionTimestamp !== undefined;

  const work = async (name: string): Promise<void> => {
    if (!isTerminating(name)) return;
    for (const resource of catalog.all()) {
      if (!resource.namespaced || resource.rules.virtual === true) continue;
      for (const { metadata } of store.list(resource.storeName, name)) {
        if (metadata.deletionTimestamp !== undefined) continue;
        await systemDelete(env, { resource: resource.storeName, namespace: name, name: metadata.name ?? '' }, { orphanDependents: false });
      }
    }
    const remaining = contentOf(name);
    await writeConditions(name, remaining);
    if (remaining.resources.size > 0) return;
    await systemUpdate(env, keyOf(name), { subresource: 'finalize' }, (namespace) => {
      const spec = (namespace['spec'] ?? {}) as { finalizers?: string[] };
      if (spec.finalizers?.includes(FINALIZER) !== true) return false;
      spec.finalizers = spec.finalizers.filter((finalizer) => finalizer !== FINALIZER);
      namespace['spec'] = spec;
      return true;
    });
  };

  const contentOf = (name: string): Remaining => {
    const resources = new Map<string, number>();
    const finalizers = new Map<string, number>();
    for (const storeName of store.resources()) {
      const objects = store.list(storeName, name);
      if (objects.length === 0) continue;
      resources.set(storeName.includes('.') ? storeName : `${storeName}.`, objects.length);
      for (const object of objects)
        for (const each of object.metadata.finalizers ?? []) finalizers.set(each, (finalizers.get(each) ?? 0) + 1);
    }
    return { resources, finalizers };
  };

  const writeConditions = (name: string, remaining: Remaining): Promise<void> =>
    systemUpdate(env, keyOf(name), { subresource: 'status' }, (namespace) => {
      const status = (namespace['status'] ?? {}) as { phase?: string; conditions?: Condition[] };
      const before = status.conditions ?? [];
      const conditions = conditionsOf(remaining).reduce((all, next) => setCondition(all, next, timestamp(env)), before);
      if (deepEqual(before, conditions)) return false;
      namespace['status'] = { ...status, phase: 'Terminating', conditions };
      return true;
    });

  const queue = workQueue(env.world.clock, work, (name, error) => log.error('namespace deletion', { name, error: messageOf(error) }));
  const check = (namespace: KubeObject): void => {
    if (namespace.metadata.deletionTimestamp !== undefined) queue.add(namespace.metadata.name ?? '');
  };
  return {
    start: () => {
      for (const namespace of store.list(NAMESPACES)) check(namespace);
    },
    on: ({ resource, type, object, namespace }) => {
      if (resource === NAMESPACES && type !== 'DELETED') check(object);
      else if (namespace !== '' && isTerminating(namespace)) queue.add(namespace);
    },
    stop: () => queue.stop(),
  };
}

function conditionsOf({ resources, finalizers }: Remaining): Omit<Condition, 'lastTransitionTime'>[] {
  const list = (counts: ReadonlyMap<string, number>, text: (name: string, count: number) => string): string =>
    [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => text(name, count))
      .join(', ');
  const fine = (type: string, reason: string, message: string): Omit<Condition, 'lastTransitionTime'> => ({
    type,
    status: 'False',
    reason,
    message,
  });
  return [
    fine('NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'),
    fine('NamespaceDeletionGroupVersionParsingFailure', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'),
    fine('NamespaceDeletionContentFailure', 'ContentDeleted', 'All content successfully deleted, may be waiting on finalization'),
    resources.size === 0
      ? fine('NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed')
      : {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${list(resources, (name, count) => `${name} has ${count} resource instances`)}`,
        },
    finalizers.size === 0
      ? fine('NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished')
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${list(finalizers, (name, count) => `${name} in ${count} resource instances`)}`,
        },
  ];
}
