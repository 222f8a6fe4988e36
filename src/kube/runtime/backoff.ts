import type { Random } from '../../base/world/index.ts';

/** Delays that double with every failure. Milliseconds. */
export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Flux's `--min-retry-delay` and `--max-retry-delay`. */
export const RETRY: BackoffOptions = { minMs: 750, maxMs: 15 * 60_000 };

/** The delay after this many failures in a row, counted from 1. */
export function backoffMs(failures: number, { minMs, maxMs }: BackoffOptions): number {
  return Math.min(maxMs, minMs * 2 ** Math.max(0, failures - 1));
}

/**
 * An interval moved by up to `percentage` in either direction, so that objects created together drift apart
 * (Flux's `--interval-jitter-percentage`).
 */
export function jitter(intervalMs: number, percentage: number, random: Random): number {
  return intervalMs * (1 + (percentage / 100) * (2 * random.number() - 1));
}
