import type { KubeObject, ObjectRef } from '../objects/index.ts';
import type { WatchEvent } from '../client/index.ts';

/** What a reconciler is asked to bring in order. */
export interface Request {
  readonly namespace: string;
  readonly name: string;
}

/** What a reconciler answers. Throwing {@link Terminal} stops retries; any other error backs off. */
export type Outcome =
  | { readonly kind: 'done' }
  /** Run again after this many milliseconds, or earlier when something changes. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** Run again when one of these objects changes, at the latest after `afterMs`. */
  | { readonly kind: 'wait'; readonly refs: readonly ObjectRef[]; readonly afterMs: number };

/** A change seen by an informer. `old` is absent for ADDED. */
export interface WatchMapping {
  readonly type: WatchEvent['type'];
  readonly object: KubeObject;
  readonly old?: KubeObject;
}

export interface Watch {
  readonly apiVersion: string;
  readonly kind: string;
  readonly labelSelector?: string;
  /** Which requests this change causes; empty for none. Reads nothing but its argument and caches. */
  map(event: WatchMapping): readonly Request[] | Promise<readonly Request[]>;
}

/** A control loop. `reconcile` takes a name, not an event: it reads, decides, writes. */
export interface Controller {
  readonly name: string;
  /** How many different requests may run at once. */
  readonly concurrency: number;
  readonly watches: readonly Watch[];
  reconcile(request: Request, signal: AbortSignal): Promise<Outcome>;
}
