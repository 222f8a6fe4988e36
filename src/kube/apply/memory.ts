import { createHash } from 'node:crypto';

import { boundedCache } from '../../base/cache/index.ts';
import type { Clock } from '../../base/world/index.ts';
import { formatRef, refOf, stringifyJson, type KubeObject } from '../objects/index.ts';

/**
 * Remembers which desired objects made no difference to which live versions, so that a pass without changes
 * needs no dry-run. It can only save requests, never hide drift: any write to the live object, whoever makes it,
 * gives it another resourceVersion. What it cannot see is a change of the rules rather than of the object
 * (schema defaults, admission, permissions of the user); an entry therefore lives for an hour at most, and
 * {@link DriftMemory.clear} is called when an apply changes definitions or webhooks.
 */
export interface DriftMemory {
  isUnchanged(live: KubeObject, digest: string): boolean;
  remember(live: KubeObject, digest: string): void;
  clear(): void;
}

const DEFAULT_ENTRIES = 20_000;
const LIFETIME_MS = 3_600_000;

/** @param maxEntries objects remembered; about 200 bytes each */
export function driftMemory(clock: Clock, maxEntries = DEFAULT_ENTRIES): DriftMemory {
  const entries = boundedCache<string, string>({ maxEntries, ttlMs: LIFETIME_MS, clock });
  const keyOf = (live: KubeObject): string => `${live.apiVersion} ${formatRef(refOf(live))}`;
  const valueOf = (live: KubeObject, digest: string): string =>
    `${live.metadata.uid ?? ''} ${live.metadata.resourceVersion ?? ''} ${digest}`;
  return {
    isUnchanged: (live, digest) => entries.get(keyOf(live)) === valueOf(live, digest),
    remember: (live, digest) => entries.set(keyOf(live), valueOf(live, digest)),
    clear: () => entries.clear(),
  };
}

/** Names a desired object and everything else that decides what its dry-run answers. Stays in memory. */
export function desiredDigest(object: KubeObject, context: readonly unknown[]): string {
  return createHash('sha256')
    .update(stringifyJson([object, context]))
    .digest('base64');
}
