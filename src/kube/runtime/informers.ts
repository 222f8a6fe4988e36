import type { Log } from '../../base/log/index.ts';
import type { World } from '../../base/world/index.ts';
import type { Cluster } from '../client/index.ts';
import { parseApiVersion, sameKind, type KubeObject, type ObjectRef } from '../objects/index.ts';
import { informer, type Informer, type Selection } from './informer.ts';

export interface InformersOptions {
  readonly cluster: Cluster;
  readonly world: World;
  readonly log: Log;
  /** Follow only this namespace; absent means all. */
  readonly namespace?: string;
}

/** The caches that controllers share: one informer for each selection that somebody asked for. */
export interface Informers {
  /** The informer of a selection; it runs as long as this set runs. */
  for(selection: Selection): Informer;
  /** An object of a kind that is followed as a whole; undefined when the cache has none. */
  get(ref: ObjectRef): KubeObject | undefined;
  /** All objects of a kind that is followed, in order of namespace and name. */
  list(kind: { readonly apiVersion: string; readonly kind: string }, namespace?: string): readonly KubeObject[];
  /** The informer that follows all objects of a kind in that namespace. */
  covering(ref: { readonly apiVersion: string; readonly kind: string; readonly namespace?: string }): Informer | undefined;
  /** An informer that is not shared, for the caller to run. */
  single(selection: Selection): Informer;
  /** Position of the sequence in which changes arrive at these informers. */
  position(): number;
  /** Runs all informers, those asked for later too, until the signal fires. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes an empty set of shared informers. */
export function informers(options: InformersOptions): Informers {
  let position = 0;
  let running: AbortSignal | undefined;
  const all = new Map<string, Informer>();
  const runs: Promise<void>[] = [];

  const single = (selection: Selection): Informer => informer(selection, { ...options, nextPosition: () => (position += 1) });
  const scoped = (selection: Selection): Selection =>
    options.namespace === undefined ? selection : { ...selection, namespace: options.namespace };

  const of = (selection: Selection): Informer => {
    const wanted = scoped(selection);
    const key = JSON.stringify([wanted.apiVersion, wanted.kind, wanted.namespace, wanted.labelSelector, wanted.fieldSelector]);
    const existing = all.get(key);
    if (existing !== undefined) return existing;
    const made = single(wanted);
    all.set(key, made);
    if (running !== undefined) runs.push(made.run(running));
    return made;
  };
  const ofKind = (kind: { readonly apiVersion: string; readonly kind: string }): Informer[] => {
    const { group } = parseApiVersion(kind.apiVersion);
    return [...all.values()].filter(
      ({ selection }) => selection.kind === kind.kind && parseApiVersion(selection.apiVersion).group === group,
    );
  };
  const covering: Informers['covering'] = (ref) =>
    ofKind(ref).find(
      ({ selection }) =>
        selection.labelSelector === undefined &&
        selection.fieldSelector === undefined &&
        (selection.namespace === undefined || selection.namespace === ref.namespace) &&
        sameKind(selection, ref),
    );

  return {
    for: of,
    single,
    covering,
    get: (ref) => {
      for (const each of ofKind(ref)) {
        const found = each.get(ref.namespace, ref.name);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    list: (kind, namespace) =>
      (covering({ ...kind, ...(namespace === undefined ? {} : { namespace }) }) ?? ofKind(kind)[0])?.list(namespace) ?? [],
    position: () => position,
    run: async (signal) => {
      running = signal;
      for (const each of all.values()) runs.push(each.run(signal));
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.all(runs);
    },
  };
}
