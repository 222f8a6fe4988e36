import { deepEqual, type KubeObject } from '../objects/index.ts';

/** Fields that the server keeps and no apply decides about. */
const IGNORED = new Set(['metadata', 'status']);

/**
 * True when a dry-run answer differs from the live object in labels, annotations or anything else but the rest of
 * metadata and status (flux/SSA-05).
 */
export function hasDrifted(live: KubeObject, dryRun: KubeObject): boolean {
  return (
    !deepEqual(live.metadata.labels ?? {}, dryRun.metadata.labels ?? {}) ||
    !deepEqual(live.metadata.annotations ?? {}, dryRun.metadata.annotations ?? {}) ||
    !deepEqual(contentOf(live), contentOf(dryRun))
  );
}

function contentOf(object: KubeObject): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !IGNORED.has(field)));
}
