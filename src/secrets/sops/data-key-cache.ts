import { createHash, type Hash } from 'node:crypto';

import { isAbort } from '../../base/errors/index.ts';
import { Sensitive, wipe } from '../../base/sensitive/index.ts';
import type { Clock, Timer } from '../../base/world/index.ts';
import type { Credentials, KeyContext, MasterKey, Unwrapped } from '../keys/index.ts';

/** Remembers opened data keys per wrapped key and identity, so that a fleet does not ask a key service at every reconcile. */
export interface DataKeyCache {
  /** What `open` gives, or gave within the last `ttlMs` for the same wrapped key and credentials. Failures are not kept. */
  unwrap(
    key: MasterKey,
    wrapped: string,
    credentials: Credentials,
    context: KeyContext,
    open: () => Promise<Unwrapped>,
  ): Promise<Unwrapped>;
  /** Overwrites and forgets everything. */
  clear(): void;
  readonly size: number;
}

export interface DataKeyCacheOptions {
  readonly clock: Clock;
  /** The oldest entry goes first. Default 1000 (32 bytes each). */
  readonly maxEntries?: number;
  /** How long after it was opened a data key is kept, in milliseconds. Default 5 minutes. */
  readonly ttlMs?: number;
}

const MAX_ENTRIES = 1000;
const TTL_MS = 5 * 60_000;

interface Entry {
  readonly dataKey: Uint8Array;
  readonly expires: number;
}

/**
 * Data keys in memory, bounded in number and time; expired ones are overwritten even when nobody asks again. A revoked
 * identity or key therefore keeps opening what it opened already for at most `ttlMs`.
 *
 * Two credentials are the same identity only when every text and secret in them is the same; functions and other
 * objects with behaviour count by what they are, not by what they would give. Calls at one time for one key share
 * one request.
 */
export function dataKeyCache({ clock, maxEntries = MAX_ENTRIES, ttlMs = TTL_MS }: DataKeyCacheOptions): DataKeyCache {
  const entries = new Map<string, Entry>();
  const running = new Map<string, Promise<Unwrapped>>();
  const identityOf = credentialDigests();
  let timer: Timer | undefined;

  const drop = (id: string, entry: Entry): void => {
    wipe(entry.dataKey);
    entries.delete(id);
  };
  const sweep = (): void => {
    timer?.cancel();
    timer = undefined;
    for (const [id, entry] of entries) {
      // all live equally long, so that the first one that is alive ends the search
      if (entries.size <= maxEntries && entry.expires > clock.now()) break;
      drop(id, entry);
    }
    const [oldest] = entries.values();
    if (oldest !== undefined) timer = clock.after(Math.max(1, oldest.expires - clock.now()), sweep);
  };
  const keep = (id: string, dataKey: Uint8Array): void => {
    const known = entries.get(id);
    if (known !== undefined) drop(id, known);
    entries.set(id, { dataKey: new Uint8Array(dataKey), expires: clock.now() + ttlMs });
    sweep();
  };
  const request = (id: string, open: () => Promise<Unwrapped>): Promise<Unwrapped> => {
    const started = open()
      .then((unwrapped) => {
        if (unwrapped.kind === 'opened') keep(id, unwrapped.dataKey.reveal());
        return unwrapped;
      })
      .finally(() => running.delete(id));
    running.set(id, started);
    return started;
  };
  return {
    unwrap: async (key, wrapped, credentials, context, open) => {
      const id = createHash('sha256')
        .update(JSON.stringify([key.type, key.display, wrapped, identityOf(credentials)]))
        .digest('base64');
      const entry = entries.get(id);
      if (entry !== undefined && entry.expires > clock.now()) return copy(entry.dataKey);
      const shared = running.get(id);
      if (shared === undefined) return request(id, open);
      try {
        const unwrapped = await shared;
        if (unwrapped.kind !== 'opened') return unwrapped;
        // the first caller may have wiped its bytes by now; those of the cache are intact
        const kept = entries.get(id);
        return kept === undefined ? await open() : copy(kept.dataKey);
      } catch (error) {
        // another caller gave up; this one has not
        if (isAbort(error) && context.signal?.aborted !== true) return open();
        throw error;
      }
    },
    clear: () => {
      for (const [id, entry] of entries) drop(id, entry);
      timer?.cancel();
      timer = undefined;
    },
    get size() {
      return entries.size;
    },
  };
}

function copy(dataKey: Uint8Array): Unwrapped {
  return { kind: 'opened', dataKey: new Sensitive(new Uint8Array(dataKey)) };
}

/** Digests of credentials; objects with behaviour get a number when they are seen first. */
function credentialDigests(): (credentials: Credentials) => string {
  const numbers = new WeakMap<object, number>();
  let next = 0;
  const numberOf = (value: object): number => {
    const number = numbers.get(value) ?? next++;
    numbers.set(value, number);
    return number;
  };
  const add = (hash: Hash, value: unknown): void => {
    if (value instanceof Sensitive) {
      add(hash, value.reveal());
    } else if (Array.isArray(value)) {
      hash.update(`[${value.length}`);
      for (const item of value) add(hash, item);
    } else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
      hash.update(`{${fields.length}`);
      for (const [name, field] of fields) {
        add(hash, name);
        add(hash, field);
      }
    } else if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
      hash.update(`#${numberOf(value)};`);
    } else {
      const text = JSON.stringify(value) ?? 'undefined';
      hash.update(`${text.length} ${text}`);
    }
  };
  return (credentials) => {
    const hash = createHash('sha256');
    add(hash, credentials);
    return hash.digest('base64');
  };
}
