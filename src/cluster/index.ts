/**
 * An embedded Kubernetes API server: in process with {@link createCluster}, for kubectl with {@link serve}. State
 * lives in memory or in one SQLite file.
 *
 * @example
 * ```ts
 * const cluster = await createCluster({ world: systemWorld(), entropy: systemEntropy });
 * const served = await serve(cluster, { port: 0, world, entropy });
 * ```
 * @module
 */
export { startCluster, type RunningCluster, type StartOptions } from './start.ts';
export { forkCluster, restoreDataDirectory, snapshotCluster, snapshotDataDirectory } from './snapshot.ts';
export * from './server/index.ts';
