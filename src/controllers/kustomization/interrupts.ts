import { formatRef, refOf, type KubeObject } from '../../kube/objects/index.ts';
import type { Request } from '../../kube/runtime/index.ts';

/**
 * Lets a change end the health checks that run for the same Kustomization (flux/KS-10, behind the gate
 * CancelHealthCheckOnNewRevision).
 */
export interface Interrupts {
  /** Called by a watch: this object asks for these Kustomizations. */
  raise(requests: readonly Request[], by: KubeObject): void;
  /** Registers work that may be interrupted; the returned function ends that. */
  listen(request: Request, onInterrupt: (by: string) => void): () => void;
}

/** At most one listener for a Kustomization, as it is reconciled at most once at a time. */
export function interrupts(): Interrupts {
  const listeners = new Map<string, (by: string) => void>();
  const keyOf = ({ namespace, name }: Request): string => `${namespace}/${name}`;
  return {
    raise: (requests, by) => {
      for (const request of requests) listeners.get(keyOf(request))?.(formatRef(refOf(by)));
    },
    listen: (request, onInterrupt) => {
      listeners.set(keyOf(request), onInterrupt);
      return () => void listeners.delete(keyOf(request));
    },
  };
}
