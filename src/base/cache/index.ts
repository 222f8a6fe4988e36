/**
 * A bounded cache: at most `maxEntries` values, each for at most `ttlMs`; the least recently used goes
 * first. Concurrent loads of one key share one call.
 *
 * @module
 */
import type { Clock } from '../world/index.ts';

export interface CacheOptions {
  readonly maxEntries: number;
  /** Lifetime of an entry in milliseconds; without it entries stay until pushed out. */
  readonly ttlMs?: number;
  readonly clock?: Clock;
}

export interface Cache<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
  clear(): void;
  readonly size: number;
  /** The cached value, or the one that `load` gives; failures are not cached. */
  load(key: K, load: () => Promise<V>): Promise<V>;
}

/** @throws whatever `load` throws; nothing itself */
export function boundedCache<K, V>(options: CacheOptions): Cache<K, V> {
  const entries = new Map<K, { value: V; expires: number }>();
  const loading = new Map<K, Promise<V>>();
  const now = (): number => options.clock?.now() ?? 0;
  const expiry = (): number => (options.ttlMs === undefined ? Infinity : now() + options.ttlMs);

  const get = (key: K): V | undefined => {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    entries.delete(key);
    if (entry.expires <= now()) return undefined;
    entries.set(key, entry);
    return entry.value;
  };
  const set = (key: K, value: V): void => {
    entries.delete(key);
    entries.set(key, { value, expires: expiry() });
    for (const oldest of entries.keys()) {
      if (entries.size <= options.maxEntries) break;
      entries.delete(oldest);
    }
  };
  const load = (key: K, loader: () => Promise<V>): Promise<V> => {
    const cached = get(key);
    if (cached !== undefined) return Promise.resolve(cached);
    const running = loading.get(key);
    if (running !== undefined) return running;
    const started = loader()
      .then((value) => {
        set(key, value);
        return value;
      })
      .finally(() => loading.delete(key));
    loading.set(key, started);
    return started;
  };
  return {
    get,
    set,
    load,
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    get size() {
      return entries.size;
    },
  };
}
