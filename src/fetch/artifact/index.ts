/**
 * Artifacts: a fetched tree as a checksummed tar.gz, how it is written, stored, served and read back.
 *
 * @module
 */
export type { Artifact } from './types.ts';
