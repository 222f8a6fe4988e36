/**
 * The control loops that belong to an API server: namespaces, garbage collection, CRDs, service accounts, events.
 * They hear of committed writes and write through the registry, on the world's clock.
 *
 * @module
 */
import type { Loop, LoopContext } from '../registry/index.ts';
import { clusterRoleLoop } from './clusterRoles.ts';
import { crdLoop } from './crds.ts';
import { eventTtlLoop } from './eventTtl.ts';
import { garbageLoop } from './garbage.ts';
import { namespaceLoop } from './namespaces.ts';
import { serviceAccountLoop } from './serviceAccounts.ts';

export { EVENT_TTL_MS } from './eventTtl.ts';

/** CRDs come first: the others ask the catalogue. */
const LOOPS: readonly ((context: LoopContext) => Loop)[] = [
  crdLoop,
  garbageLoop,
  namespaceLoop,
  serviceAccountLoop,
  clusterRoleLoop,
  eventTtlLoop,
];

/** Running loops. */
export interface Loops {
  /** Look at everything again: a fact of the context changed. */
  refresh(): void;
  stop(): void;
}

/** Starts all loops, and `more` after them. */
export function startLoops(context: LoopContext, more: readonly ((context: LoopContext) => Loop)[] = []): Loops {
  const loops = [...LOOPS, ...more].map((make) => make(context));
  const startAll = (): void => {
    for (const loop of loops) loop.start();
  };
  const unsubscribe = context.env.store.subscribe(undefined, (event) => {
    for (const loop of loops) loop.on(event);
  });
  startAll();
  return {
    refresh: startAll,
    stop: () => {
      unsubscribe();
      for (const loop of loops) loop.stop();
    },
  };
}
