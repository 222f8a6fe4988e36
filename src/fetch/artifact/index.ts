/**
 * Artifacts: a fetched tree as a checksummed tar.gz, how it is written, stored, served and read back.
 *
 * A source controller filters a tree with {@link sourceIgnore} and keeps it with {@link artifactStorage};
 * {@link serveArtifacts} (or {@link artifactFetch}, without a socket) hands it out, and a consumer reads it
 * with {@link fetchArtifact}, which checks the digest and unpacks in memory.
 *
 * @module
 */
export { ARCHIVE_LIMITS, packTree, unpackTree, type ArchiveLimits } from './archive.ts';
export { fetchArtifact, type FetchArtifactOptions } from './consume.ts';
export { digestOf, hasDigest, type DigestAlgorithm } from './digest.ts';
export { isIgnored, parseIgnoreFile, sourceIgnore, type IgnorePattern } from './ignore.ts';
export { artifactFetch, serveArtifacts, type ArtifactServer, type ServeArtifactsOptions } from './serve.ts';
export { artifactStorage, type ArtifactOwner, type ArtifactStorage, type ArtifactStorageOptions, type StoreRequest } from './storage.ts';
export type { Artifact } from './types.ts';
