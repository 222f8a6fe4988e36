import { join } from 'node:path';

import { makePrivateDirectory, writePrivateFile } from '../base/files/index.ts';
import type { Log } from '../base/log/index.ts';
import { systemEntropy, systemWorld, type Entropy, type World } from '../base/world/index.ts';
import { connect, type Cluster } from '../kube/client/index.ts';
import { DATABASE } from './snapshot.ts';
import { createCluster, serve, type AuditOptions, type ClusterOptions, type EmbeddedCluster, type ServedCluster } from './server/index.ts';

export interface StartOptions {
  /** Keeps state, certificates and kubeconfig. Absent: everything is gone when closed. */
  readonly dataDir?: string;
  /** Port on 127.0.0.1; 0 or absent takes a free one. */
  readonly port?: number;
  /** Where the administrator's kubeconfig is written. Default `kubeconfig` in the data folder; without one, nowhere. */
  readonly kubeconfigPath?: string;
  readonly world?: World;
  readonly entropy?: Entropy;
  readonly log?: Log;
  /** Default `rbac`. */
  readonly authorization?: 'rbac' | 'authenticated';
  /** Default `status`; see {@link ClusterOptions}. */
  readonly simulateWorkloads?: ClusterOptions['simulateWorkloads'];
  /** Handlers or URLs for the services that webhook configurations name. */
  readonly webhookServices?: ClusterOptions['webhookServices'];
  /** Where requests are recorded. Absent: nowhere. */
  readonly audit?: AuditOptions;
}

/** An embedded cluster that kubectl can reach and this process can use. */
export interface RunningCluster extends AsyncDisposable {
  /** In process, as the administrator. */
  readonly cluster: Cluster;
  readonly embedded: EmbeddedCluster;
  readonly served: ServedCluster;
  readonly url: string;
  readonly kubeconfigPath: string | undefined;
  close(): Promise<void>;
}

const KUBECONFIG = 'kubeconfig';

/**
 * Starts an embedded Kubernetes API on 127.0.0.1 and writes a kubeconfig (0600).
 *
 * @example
 * ```ts
 * await using embedded = await startCluster();
 * await embedded.cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } });
 * ```
 * @throws SottoError CLUSTER_DATA_LOCKED, CLUSTER_DATABASE_CORRUPT, CLUSTER_PORT_TAKEN and others of the server
 */
export async function startCluster(options: StartOptions = {}): Promise<RunningCluster> {
  const { dataDir, port = 0, world = systemWorld(), entropy = systemEntropy, log, authorization = 'rbac' } = options;
  const kubeconfigPath = options.kubeconfigPath ?? (dataDir === undefined ? undefined : join(dataDir, KUBECONFIG));
  if (dataDir !== undefined) await makePrivateDirectory(dataDir);
  const databasePath = dataDir === undefined ? ':memory:' : join(dataDir, DATABASE);
  const embedded = await createCluster({
    world,
    entropy,
    databasePath,
    authorization,
    ...(options.webhookServices === undefined ? {} : { webhookServices: options.webhookServices }),
    ...(options.simulateWorkloads === undefined ? {} : { simulateWorkloads: options.simulateWorkloads }),
    ...(dataDir === undefined ? {} : { tokens: { keyPath: join(dataDir, 'pki', 'sa.key') } }),
    ...(log === undefined ? {} : { log }),
    ...(options.audit === undefined ? {} : { audit: options.audit }),
  });
  let served: ServedCluster | undefined;
  try {
    served = await serve(embedded, { world, entropy, port, ...(dataDir === undefined ? {} : { dataDir }) });
    if (kubeconfigPath !== undefined) await writePrivateFile(kubeconfigPath, served.kubeconfig.reveal());
  } catch (error) {
    await served?.close();
    await embedded.close();
    throw error;
  }
  const { url, close: stopServing } = served;
  const close = async (): Promise<void> => {
    await stopServing();
    await embedded.close();
  };
  return { cluster: connect(embedded.handle), embedded, served, url, kubeconfigPath, close, [Symbol.asyncDispose]: close };
}
