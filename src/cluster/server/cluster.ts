import type { Entropy, World } from '../../base/world/index.ts';
import { SottoError } from '../../base/errors/index.ts';
import { noLog, type Log } from '../../base/log/index.ts';
import type { ApiRequest, ApiResponse, Handle, UserInfo } from '../../kube/client/index.ts';
import { createAdmission } from '../admission/index.ts';
import { startLoops } from '../loops/index.ts';
import { createCatalog, type Authorize, type Environment, type WatchStream } from '../registry/index.ts';
import { podLoop, workloadLoop } from '../workloads/index.ts';
import { createStore, fileJournal, memoryJournal, type Store } from '../store/index.ts';
import { authorizeAuthenticated } from './authorize.ts';
import type { Authenticator } from './authenticate.ts';
import { bootstrap } from './bootstrap.ts';
import { handleRequest } from './pipeline.ts';

/** The administrator that in-process callers are unless they say otherwise. */
export const ADMIN: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

/**
 * What a fault injector answers for a request: let it pass, answer in the server's place, lose the request before
 * it has an effect (`drop`), or lose the answer after it had (`drop-response`).
 */
export type Interception = 'pass' | 'drop' | 'drop-response' | ApiResponse;

export interface ClusterOptions {
  readonly world: World;
  readonly entropy: Entropy;
  /** A file for SQLite, or `:memory:` (the default) for a cluster that is gone when closed. */
  readonly databasePath?: string;
  readonly log?: Log;
  /** Injects faults; called for every request, in order. */
  readonly intercept?: (request: ApiRequest) => Interception;
  /** Who may do what. Default: every authenticated user everything. */
  readonly authorize?: Authorize;
  /** Bearer tokens that are known. */
  readonly authenticators?: readonly Authenticator[];
}

/** A running API server without a port. */
export interface EmbeddedCluster {
  /** Answers requests of this process. Without `user` and `authorization` the caller is the administrator. */
  readonly handle: Handle;
  /** Answers requests that came from elsewhere: without credentials the caller is anonymous. */
  readonly handleRemote: Handle;
  readonly store: Store;
  /** One more way to know callers by their bearer token. */
  addAuthenticator(authenticator: Authenticator): void;
  /** PEM of the certificate authority that `kube-root-ca.crt` shows in every namespace. */
  setRootCertificate(pem: string): void;
  /** Ends open watches as a shutdown does. */
  endWatches(): void;
  /** Breaks off open watches as a lost connection would; answers how many. */
  dropWatches(): number;
  /** Ends all watches, waits for writes, closes the database. */
  close(): Promise<void>;
}

/**
 * Starts an API server in this process.
 *
 * @example
 * ```ts
 * const cluster = await createCluster({ world: systemWorld(), entropy: systemEntropy });
 * ```
 * @throws SottoError CLUSTER_DATA_LOCKED, CLUSTER_DATABASE_CORRUPT, CLUSTER_DATABASE_NEWER, CLUSTER_DATABASE_UNUSABLE
 */
export async function createCluster(options: ClusterOptions): Promise<EmbeddedCluster> {
  const { world, databasePath = ':memory:', log = noLog } = options;
  const store = createStore({ clock: world.clock, journal: databasePath === ':memory:' ? memoryJournal() : fileJournal(databasePath) });
  const watches = watchList();
  const catalog = createCatalog();
  const env: Environment = {
    world,
    store,
    catalog,
    admission: createAdmission({ store, catalog }),
    authorize: options.authorize ?? authorizeAuthenticated,
  };
  const authenticators = [...(options.authenticators ?? [])];
  let rootCertificate = '';
  const pipeline = {
    env,
    authenticators,
    log,
    opened: (stream: WatchStream, storeName: string) => watches.add(stream, storeName),
  };
  const loops = startLoops({ env, log, rootCertificate: () => rootCertificate, onResourceGone: (storeName) => watches.endOf(storeName) }, [
    workloadLoop,
    podLoop,
  ]);
  await bootstrap(env);
  let isClosed = false;

  const handleRemote: Handle = async (request) => {
    if (isClosed) throw lost();
    const intercepted = options.intercept?.(request) ?? 'pass';
    if (intercepted === 'drop') throw lost();
    if (typeof intercepted !== 'string') return intercepted;
    const response = await handleRequest(pipeline, request);
    if (intercepted === 'drop-response') throw lost();
    return response;
  };
  const isLocalAdmin = ({ user, headers }: ApiRequest): boolean => user === undefined && headers['authorization'] === undefined;
  return {
    handle: (request) => handleRemote(isLocalAdmin(request) ? { ...request, user: ADMIN } : request),
    handleRemote,
    store,
    addAuthenticator: (authenticator) => void authenticators.push(authenticator),
    setRootCertificate: (pem) => {
      rootCertificate = pem;
      loops.refresh();
    },
    endWatches: () => watches.endOf(),
    dropWatches: () => watches.drop(lost()),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      loops.stop();
      watches.endOf();
      await store.close();
    },
  };
}

interface WatchList {
  add(stream: WatchStream, storeName: string): void;
  /** Ends the watches of a resource, or all. */
  endOf(storeName?: string): void;
  /** Breaks all of them off; answers how many. */
  drop(error: SottoError): number;
}

function watchList(): WatchList {
  const open = new Map<WatchStream, string>();
  return {
    add: (stream, storeName) => {
      open.set(stream, storeName);
      void stream.closed.then(() => open.delete(stream));
    },
    endOf: (storeName) => {
      for (const [stream, name] of open) if (storeName === undefined || storeName === name) stream.end();
    },
    drop: (error) => {
      const count = open.size;
      for (const stream of open.keys()) stream.drop(error);
      return count;
    },
  };
}

function lost(): SottoError {
  return new SottoError('CLUSTER_CONNECTION_LOST', 'the connection to the cluster was lost', { retry: true });
}
