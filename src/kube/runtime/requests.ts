import { parseApiVersion, type KubeObject, type ObjectRef } from '../objects/index.ts';
import type { Request, WatchMapping } from './types.ts';

/** Its value is the time of a request to reconcile now; every new value counts once. */
export const RECONCILE_REQUEST = 'reconcile.fluxcd.io/requestedAt';

/** The request to reconcile this object. */
export function requestFor(object: KubeObject): Request {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
}

export function requestKey({ namespace, name }: Request): string {
  return `${namespace}/${name}`;
}

/** Names an object whatever the version it is read in. */
export function objectKey({ apiVersion, kind, namespace, name }: ObjectRef): string {
  return `${kind}.${parseApiVersion(apiVersion).group}/${namespace ?? ''}/${name}`;
}

/**
 * Whether a change of an object asks its own controller to reconcile: it is new, its spec changed, it is being deleted or gone,
 * or somebody requested it by annotation. Changes of the status alone do not count.
 */
export function isReconcileTrigger({ type, object, old }: WatchMapping): boolean {
  if (type !== 'MODIFIED' || old === undefined) return type !== 'BOOKMARK';
  return (
    object.metadata.generation !== old.metadata.generation ||
    object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    reconcileRequestOf(object) !== reconcileRequestOf(old)
  );
}

/** The value of the reconcile request annotation. */
export function reconcileRequestOf(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[RECONCILE_REQUEST];
}

/** A mapping for {@link Watch.map}: an object's own changes, when they count. */
export function ownChanges(event: WatchMapping): readonly Request[] {
  return isReconcileTrigger(event) ? [requestFor(event.object)] : [];
}
