import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { SottoError } from '../base/errors/index.ts';
import { makePrivateDirectory, writePrivateFile } from '../base/files/index.ts';
import type { Clock } from '../base/world/index.ts';
import { createStore, decodeSnapshot, encodeSnapshot, fileJournal, restoreDatabase, snapshotOf } from './store/index.ts';
import { createCluster, type ClusterOptions, type EmbeddedCluster } from './server/index.ts';

/** The database in a data folder. */
export const DATABASE = 'cluster.db';

/**
 * Writes everything that a running cluster holds to a file (0600: Secrets are in it as they are). Answers the revision.
 * Certificates and the key of service account tokens are not part of it.
 */
export async function snapshotCluster(cluster: EmbeddedCluster, file: string): Promise<number> {
  await cluster.store.committed();
  const snapshot = snapshotOf(cluster.store);
  await writePrivateFile(file, encodeSnapshot(snapshot));
  return snapshot.revision;
}

/**
 * The same of the data folder of a cluster that doesn't run.
 *
 * @throws SottoError CLUSTER_DATABASE_MISSING, CLUSTER_DATA_LOCKED (it runs), CLUSTER_DATABASE_CORRUPT
 */
export async function snapshotDataDirectory(dataDir: string, file: string, clock: Clock): Promise<number> {
  const path = join(dataDir, DATABASE);
  if (!existsSync(path))
    throw new SottoError('CLUSTER_DATABASE_MISSING', `there is no cluster database at ${path}`, { hint: 'check --data-dir' });
  const store = createStore({ clock, journal: fileJournal(path) });
  try {
    const snapshot = snapshotOf(store);
    await writePrivateFile(file, encodeSnapshot(snapshot));
    return snapshot.revision;
  } finally {
    await store.close();
  }
}

/**
 * Fills an empty data folder from a snapshot; {@link startCluster} with that folder goes on from there.
 *
 * @throws SottoError CLUSTER_SNAPSHOT_INVALID, CLUSTER_SNAPSHOT_NEWER, CLUSTER_DATABASE_EXISTS
 */
export async function restoreDataDirectory(dataDir: string, file: string): Promise<number> {
  const snapshot = decodeSnapshot(await readFile(file, 'utf8'));
  await makePrivateDirectory(dataDir);
  restoreDatabase(join(dataDir, DATABASE), snapshot);
  return snapshot.revision;
}

/**
 * A copy of a cluster, in memory: what happens in it never touches the original. Revisions and uids go on from there.
 *
 * @example
 * ```ts
 * const trial = await forkCluster(cluster, { world, entropy });
 * ```
 */
export async function forkCluster(
  cluster: EmbeddedCluster,
  options: Omit<ClusterOptions, 'databasePath' | 'from'>,
): Promise<EmbeddedCluster> {
  await cluster.store.committed();
  return createCluster({ ...options, from: snapshotOf(cluster.store) });
}
