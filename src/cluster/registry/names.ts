import type { Random } from '../../base/world/index.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const MAX_BASE_LENGTH = 58;
/** Draws of a name before giving up. */
export const NAME_ATTEMPTS = 8;

/** A name from `metadata.generateName` (apiserver:pkg/storage/names/generate.go). */
export function generateName(random: Random, base: string): string {
  return base.slice(0, MAX_BASE_LENGTH) + random.text(SUFFIX_LENGTH, ALPHABET);
}
