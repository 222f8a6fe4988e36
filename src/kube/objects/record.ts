import type { Json, JsonObject } from './json.ts';
import { apiErrors } from './status.ts';
import { isJsonObject } from './values.ts';

/** Deepest nesting of lists and objects that is accepted from a client. */
export const MAX_DEPTH = 500;

/** The own value of a key that may come from a user; never one of a prototype. */
export function ownValue<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Sets an own key even when it is called `__proto__`. */
export function setOwn(target: JsonObject, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}

/** True when lists and objects are nested more than `limit` deep. Does not recurse. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    const next: unknown[] = [];
    for (const item of level) {
      if (!Array.isArray(item) && !isJsonObject(item)) continue;
      for (const child of Object.values(item)) if (typeof child === 'object' && child !== null) next.push(child);
    }
    level = next;
  }
  return false;
}

/**
 * Refuses values that are nested too deep to be walked.
 *
 * @throws ApiError 400
 */
export function checkDepth(value: unknown): void {
  if (isDeeperThan(value, MAX_DEPTH)) throw apiErrors.badRequest(`the object is nested more than ${MAX_DEPTH} levels deep`);
}
