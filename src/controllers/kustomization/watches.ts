import type { Log } from '../../base/log/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import { isReconcileTrigger, requestFor, type Request, type Watch, type WatchMapping } from '../../kube/runtime/index.ts';
import type { Interrupts } from './interrupts.ts';
import { artifactOf, dependenciesOf, KUSTOMIZATION, SOURCE_API_VERSION, sourceRefOf, specOf } from './model.ts';
import { orderByDependencies } from './topology.ts';

/** Set on Secrets and ConfigMaps whose change should be acted on at once. */
const WATCHED_CONFIGS = 'reconcile.fluxcd.io/watch=Enabled';

interface SyncWatch extends Watch {
  map(event: WatchMapping): readonly Request[];
}

/**
 * What wakes a Kustomization (flux/KS-07): its own spec or a request, a new revision of its source, a labelled Secret or
 * ConfigMap that it reads. Which Kustomizations there are is learnt from the first of these watches.
 */
export function kustomizationWatches(sourceKinds: readonly string[], log: Log, interrupts: Interrupts): Watch[] {
  const known = new Map<string, KubeObject>();
  const keyOf = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;

  const own = (event: WatchMapping): Request[] => {
    if (event.type === 'DELETED') known.delete(keyOf(event.object));
    else known.set(keyOf(event.object), event.object);
    return isReconcileTrigger(event) ? [requestFor(event.object)] : [];
  };

  const fanOut = (affected: (object: KubeObject) => boolean): readonly Request[] => {
    const nodes = [...known.values()].filter(affected).map((object) => ({
      key: keyOf(object),
      request: requestFor(object),
      dependsOn: dependenciesOf(object).map(({ namespace, name }) => `${namespace}/${name}`),
    }));
    const order = orderByDependencies(nodes);
    if (order.kind === 'ordered') return order.requests;
    log.error(`circular dependency detected: ${order.keys.join(' -> ')}`);
    return [];
  };

  const source = (kind: string): SyncWatch => ({
    apiVersion: SOURCE_API_VERSION,
    kind,
    map: ({ type, object, old }) => {
      const revision = artifactOf(object)?.revision;
      if (type === 'DELETED' || revision === undefined) return [];
      if (type === 'MODIFIED' && old !== undefined && artifactOf(old)?.revision === revision) return [];
      const { namespace, name } = object.metadata;
      return fanOut((candidate) => {
        const ref = sourceRefOf(candidate);
        return ref.kind === kind && ref.namespace === namespace && ref.name === name;
      });
    },
  });

  const config = (kind: 'Secret' | 'ConfigMap'): SyncWatch => ({
    apiVersion: 'v1',
    kind,
    labelSelector: WATCHED_CONFIGS,
    map: ({ type, object, old }) => {
      if (type === 'DELETED' || (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion)) return [];
      const { namespace, name = '' } = object.metadata;
      return fanOut((candidate) => candidate.metadata.namespace === namespace && readsConfig(candidate, kind, name));
    },
  });

  const watches = [{ ...KUSTOMIZATION, map: own }, ...sourceKinds.map(source), config('Secret'), config('ConfigMap')];
  return watches.map((watch) => ({
    ...watch,
    map: (event) => {
      const requests = watch.map(event);
      interrupts.raise(requests, event.object);
      return requests;
    },
  }));
}

/** Named by decryption, kubeConfig or substituteFrom. */
function readsConfig(object: KubeObject, kind: 'Secret' | 'ConfigMap', name: string): boolean {
  const { decryption, kubeConfig, postBuild } = specOf(object);
  const names: readonly (readonly [string, string | undefined])[] = [
    ['Secret', decryption?.secretRef?.name],
    ['Secret', kubeConfig?.secretRef?.name],
    ['ConfigMap', kubeConfig?.configMapRef?.name],
    ...(postBuild?.substituteFrom ?? []).map((ref): readonly [string, string] => [ref.kind, ref.name]),
  ];
  return names.some(([otherKind, other]) => otherKind === kind && other === name);
}
