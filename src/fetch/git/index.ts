/**
 * Git repositories as sources of trees. {@link gitProgramFetcher} fetches with the hardened git program,
 * {@link localFetcher} reads checkouts that stand in for remotes, {@link memoryGitFetcher} keeps commits in memory
 * for simulations. {@link serveRepository}, {@link watchRefs} and {@link snapshotWorkingTree} turn a checkout into a
 * source for `sotto up`.
 *
 * @module
 */
export { type SshAlgorithms } from './agent.ts';
export { gitProgramFetcher, type GitProgramOptions } from './fetcher.ts';
export { localFetcher, type LocalMapping } from './local.ts';
export { memoryGitFetcher, type MemoryCommit, type MemoryGit } from './memory.ts';
export { DEFAULT_BRANCH, isDecidedByListing, revisionIn, revisionOf } from './reference.ts';
export type { GitCommit, GitCredentials, GitFetcher, GitFetchOptions, GitReference, GitRemote, RemoteRefs, SignedCommit } from './types.ts';
export { serveRepository, type RepositoryServer, type ServeRepositoryOptions } from './serve.ts';
export { verifySignature, type PublicKeys, type SignedObject } from './signature.ts';
export { snapshotWorkingTree, type Snapshot } from './snapshot.ts';
export { watchRefs, type RefWatch } from './watch.ts';
