import type { Timer } from '../../base/world/index.ts';
import { messageOf } from '../../base/errors/index.ts';
import { systemDelete, type Loop, type LoopContext } from '../registry/index.ts';

/** How long an Event lives after its last write (EVT-01). */
export const EVENT_TTL_MS = 60 * 60_000;

/** Removes old Events. */
export function eventTtlLoop({ env, log }: LoopContext): Loop {
  const { store } = env;
  const { clock } = env.world;
  /** In order of expiry: a write moves an event to the end. */
  const expiries = new Map<string, { readonly namespace: string; readonly name: string; readonly at: number }>();
  let timer: Timer | undefined;

  const watchOver = (namespace: string, name: string, at: number): void => {
    const key = `${namespace}/${name}`;
    expiries.delete(key);
    expiries.set(key, { namespace, name, at });
    schedule();
  };
  const schedule = (): void => {
    const [first] = expiries.values();
    if (timer !== undefined || first === undefined) return;
    timer = clock.after(Math.max(0, first.at - clock.now()), () => {
      timer = undefined;
      void expire();
    });
  };
  const expire = async (): Promise<void> => {
    for (const [key, { namespace, name, at }] of expiries) {
      if (at > clock.now()) break;
      expiries.delete(key);
      await systemDelete(env, { resource: 'events', namespace, name }, {}).catch((error: unknown) => {
        log.error('event expiry', { namespace, name, error: messageOf(error) });
      });
    }
    schedule();
  };
  return {
    start: () => {
      const age = (timestamp: string | null | undefined): number => Date.parse(timestamp ?? '') || clock.now();
      const known = store.list('events').map(({ metadata }) => ({ metadata, at: age(metadata.creationTimestamp) + EVENT_TTL_MS }));
      for (const { metadata, at } of known.toSorted((a, b) => a.at - b.at)) {
        const { namespace = '', name = '' } = metadata;
        if (!expiries.has(`${namespace}/${name}`)) watchOver(namespace, name, at);
      }
    },
    on: ({ resource, type, namespace, name }) => {
      if (resource !== 'events') return;
      if (type === 'DELETED') expiries.delete(`${namespace}/${name}`);
      else watchOver(namespace, name, clock.now() + EVENT_TTL_MS);
    },
    stop: () => timer?.cancel(),
  };
}
