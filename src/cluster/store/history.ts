import type { Clock } from '../../base/world/index.ts';
import type { StoreEvent } from './types.ts';

/** Events younger than this are always kept. */
export const HISTORY_MS = 5 * 60_000;
/** The last events of a resource that are kept whatever their age. */
export const HISTORY_EVENTS = 1_000;
/** However young, not more events of a resource than this are kept. */
const HISTORY_LIMIT = 100_000;

/** The recent writes of one resource, for watches that start in the past and for lists of an old state. */
export interface History {
  /** Events after this revision are all here. */
  readonly floor: number;
  push(event: StoreEvent): void;
  /** Events later than `revision`, oldest first; undefined when some of them are gone. */
  since(revision: number): readonly StoreEvent[] | undefined;
}

export function history(clock: Clock, floor: number): History {
  let events: { readonly event: StoreEvent; readonly at: number }[] = [];
  let start = 0;
  let lowest = floor;

  const forget = (now: number): void => {
    for (let kept = events.length - start; kept > HISTORY_EVENTS; kept--) {
      const oldest = events[start];
      if (oldest === undefined || (kept <= HISTORY_LIMIT && oldest.at > now - HISTORY_MS)) break;
      lowest = oldest.event.revision;
      start++;
    }
    if (start > HISTORY_EVENTS && start * 2 > events.length) {
      events = events.slice(start);
      start = 0;
    }
  };
  const firstAfter = (revision: number): number => {
    let [low, high] = [start, events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((events[middle]?.event.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    get floor() {
      return lowest;
    },
    push: (event) => {
      const at = clock.now();
      events.push({ event, at });
      forget(at);
    },
    since: (revision) => (revision < lowest ? undefined : events.slice(firstAfter(revision)).map(({ event }) => event)),
  };
}
