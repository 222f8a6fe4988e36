import type { ObjectRef } from '../objects/index.ts';
import type { Informers } from './informers.ts';
import { objectKey } from './requests.ts';

/** Requests that wait for objects to change. */
export interface Waits {
  /**
   * Calls `wake` once, when one of the objects changes or has changed since `position`. Replaces what this waiter waited
   * for before.
   */
  wait(waiter: string, refs: readonly ObjectRef[], position: number, wake: () => void): void;
  /** The waiter runs: it waits for nothing, but keeps following the objects it may wait for again. */
  pause(waiter: string): void;
  /** The waiter no longer follows anything. */
  release(waiter: string): void;
}

interface Followed {
  readonly waiters: Map<string, (() => void) | undefined>;
  lastChange(): number;
  stop(): void;
}

/**
 * Objects of kinds that are followed anyway are looked up there; any other object gets a watch of its own, which needs no
 * more than permission to that one object. A watch that has just begun cannot tell whether the object changed before: it
 * wakes its waiter once when the object exists.
 */
export function waits(informers: Informers, signal: AbortSignal): Waits {
  const followed = new Map<string, Followed>();
  const objectsOf = new Map<string, ReadonlySet<string>>();

  const follow = (key: string, ref: ObjectRef): Followed => {
    const existing = followed.get(key);
    if (existing !== undefined) return existing;
    const waiters: Followed['waiters'] = new Map();
    const wakeAll = (): void => {
      for (const [waiter, wake] of waiters) {
        waiters.set(waiter, undefined);
        wake?.();
      }
    };
    const source = sourceOf(informers, ref, signal);
    const unsubscribe = source.informer.subscribe(({ object }) => {
      if (object.metadata.name === ref.name && (object.metadata.namespace ?? '') === (ref.namespace ?? '')) wakeAll();
    });
    const made: Followed = {
      waiters,
      lastChange: () => source.informer.lastChange(ref.namespace, ref.name),
      stop: () => {
        unsubscribe();
        source.stop();
      },
    };
    followed.set(key, made);
    return made;
  };

  const leave = (waiter: string, key: string): void => {
    const object = followed.get(key);
    object?.waiters.delete(waiter);
    if (object?.waiters.size !== 0) return;
    object.stop();
    followed.delete(key);
  };
  const leaveAllBut = (waiter: string, kept: ReadonlySet<string>): void => {
    for (const key of objectsOf.get(waiter) ?? []) if (!kept.has(key)) leave(waiter, key);
    if (kept.size === 0) objectsOf.delete(waiter);
    else objectsOf.set(waiter, kept);
  };

  const pause = (waiter: string): void => {
    for (const key of objectsOf.get(waiter) ?? []) followed.get(key)?.waiters.set(waiter, undefined);
  };

  return {
    pause,
    release: (waiter) => leaveAllBut(waiter, new Set()),
    wait: (waiter, refs, position, wake) => {
      const objects = new Map(refs.map((ref) => [objectKey(ref), ref]));
      const wakeOnce = (): void => {
        pause(waiter);
        wake();
      };
      for (const [key, ref] of objects) follow(key, ref).waiters.set(waiter, wakeOnce);
      leaveAllBut(waiter, new Set(objects.keys()));
      if ([...objects.keys()].some((key) => (followed.get(key)?.lastChange() ?? 0) > position)) wakeOnce();
    },
  };
}

function sourceOf(informers: Informers, ref: ObjectRef, signal: AbortSignal) {
  const shared = informers.covering(ref);
  if (shared !== undefined) return { informer: shared, stop: () => {} };
  const { apiVersion, kind, namespace, name } = ref;
  const scope = namespace === undefined || namespace === '' ? {} : { namespace };
  const own = informers.single({ apiVersion, kind, ...scope, fieldSelector: `metadata.name=${name}` });
  const stopping = new AbortController();
  void own.run(AbortSignal.any([signal, stopping.signal]));
  return { informer: own, stop: () => stopping.abort() };
}
