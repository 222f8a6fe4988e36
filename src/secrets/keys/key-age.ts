import type { MasterKeyType } from './types.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_AGE_MS = 6 * 30 * DAY_MS;

/**
 * How old a wrapped data key is, in milliseconds; undefined when the file does not say (age keys never do).
 *
 * @param createdAt RFC 3339, from the metadata
 * @param now milliseconds since the epoch
 */
export function wrappedKeyAge(createdAt: string | undefined, now: number): number | undefined {
  const created = createdAt === undefined ? Number.NaN : Date.parse(createdAt);
  return Number.isNaN(created) ? undefined : now - created;
}

/** Whether SOPS reports a wrapped data key as due for rotation: older than six times thirty days. Never for age. */
export function needsRotation(type: MasterKeyType, createdAt: string | undefined, now: number): boolean {
  return type !== 'age' && (wrappedKeyAge(createdAt, now) ?? 0) > MAX_AGE_MS;
}
