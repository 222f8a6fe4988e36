import { isAbort } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import { isExpired, type KubeObject } from '../../kube/objects/index.ts';
import { keyOf, standingOf, type Standing } from './state.ts';

export const FLUX_KINDS = {
  kustomization: { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
  gitRepository: { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' },
} as const;

/** A live picture of the Flux objects of a cluster. */
export interface Fleet {
  /** Every Kustomization and GitRepository, in order of kind, namespace and name. */
  standings(): readonly Standing[];
  object(key: string): KubeObject | undefined;
  /** Resolves at the next change. */
  changed(signal: AbortSignal): Promise<void>;
}

/** Watches Kustomizations and GitRepositories until the signal fires. */
export async function followFleet(cluster: Cluster, world: World, signal: AbortSignal): Promise<Fleet> {
  const objects = new Map<string, { object: KubeObject; standing: Standing }>();
  let wake = (): void => {};
  let next = new Promise<void>((resolve) => (wake = resolve));
  const touch = (): void => {
    wake();
    next = new Promise<void>((resolve) => (wake = resolve));
  };
  const put = (object: KubeObject): void => {
    const standing = standingOf(object);
    objects.set(standing.key, { object, standing });
  };

  const listen = async (kind: { apiVersion: string; kind: string }, resourceVersion: string): Promise<string> => {
    let seen = resourceVersion;
    for await (const event of cluster.watch(kind, { resourceVersion: seen, signal })) {
      seen = event.object.metadata.resourceVersion ?? seen;
      if (event.type === 'BOOKMARK') continue;
      if (event.type === 'DELETED') objects.delete(standingOf(event.object).key);
      else put(event.object);
      touch();
    }
    return seen;
  };
  const keepListening = async (kind: { apiVersion: string; kind: string }, from: string): Promise<void> => {
    let resourceVersion = from;
    while (!signal.aborted) {
      try {
        resourceVersion = await listen(kind, resourceVersion);
      } catch (error) {
        if (isAbort(error) || signal.aborted) return;
        if (isExpired(error)) resourceVersion = await relist(kind);
        await world.clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  };
  const relist = async (kind: { apiVersion: string; kind: string }): Promise<string> => {
    const list = await cluster.list(kind, { signal });
    for (const key of objects.keys()) if (key.startsWith(`${kind.kind}/`)) objects.delete(key);
    for (const object of list.items) put(object);
    touch();
    return list.resourceVersion;
  };
  for (const kind of Object.values(FLUX_KINDS)) {
    const from = await relist(kind);
    void keepListening(kind, from);
  }
  return {
    standings: () => {
      const all = [...objects.values()].map((entry) => withSource(entry, (key) => objects.get(key)?.standing));
      return all.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    },
    object: (key) => objects.get(key)?.object,
    changed: (stop) =>
      new Promise((resolve) => {
        if (stop.aborted) return resolve();
        stop.addEventListener('abort', () => resolve(), { once: true });
        void next.then(resolve);
      }),
  };
}

/** A Kustomization that is Ready at another revision than its source has is not at rest, whatever its conditions say. */
function withSource(entry: { object: KubeObject; standing: Standing }, find: (key: string) => Standing | undefined): Standing {
  const { object, standing } = entry;
  const { sourceRef } = object['spec'] as { sourceRef?: { kind: string; name: string; namespace?: string } };
  if (sourceRef === undefined || standing.state !== 'ready') return standing;
  const source = find(keyOf({ kind: sourceRef.kind, namespace: sourceRef.namespace ?? standing.namespace, name: sourceRef.name }));
  if (source === undefined || source.revision === '' || source.revision === standing.revision) return standing;
  return { ...standing, state: 'working', word: 'Working', why: `revision ${source.revision} is new` };
}

/** Pause before a broken watch is opened again. */
const RETRY_MS = 500;

/** Nothing is under way: every object is Ready, suspended, failed, or waits for one that failed. */
export function isStill(standings: readonly Standing[]): boolean {
  return standings.length > 0 && standings.every((standing) => standing.state !== 'working');
}

/** Everything that can be Ready is. */
export function isDone(standings: readonly Standing[]): boolean {
  return standings.length > 0 && standings.every((standing) => standing.state === 'ready' || standing.state === 'suspended');
}
