import type { Entropy, World } from '../../base/world/index.ts';
import { noLog, type Log } from '../../base/log/index.ts';
import type { ApiRequest, ApiResponse, Handle, UserInfo } from '../../kube/client/index.ts';
import { createAdmission, type WebhookServices } from '../admission/index.ts';
import { startLoops } from '../loops/index.ts';
import { createCatalog, rbacAuthorizer, type Authorize, type Environment, type WatchStream } from '../registry/index.ts';
import { workloadLoops, type WorkloadSimulation } from '../workloads/index.ts';
import { createStore, fileJournal, memoryJournal, snapshotJournal, type Journal, type Snapshot, type Store } from '../store/index.ts';
import { createAuditor, type AuditOptions } from './audit/index.ts';
import { authorizeAuthenticated } from './authorize.ts';
import type { Authenticator } from './authenticate.ts';
import { bootstrap, bootstrapLoop, bootstrapRoles } from './bootstrap.ts';
import { createLimiter, DEFAULT_LIMITS, type Limits } from './limits.ts';
import { handleRequest } from './pipeline.ts';
import { createTokens, type TokenOptions } from './tokens/index.ts';
import { lost, watchList } from './watches.ts';

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
  /** What a cluster in memory starts from. */
  readonly from?: Snapshot;
  readonly log?: Log;
  /** Injects faults; called for every request, in order. */
  readonly intercept?: (request: ApiRequest) => Interception;
  /** `rbac`: by the stored roles and bindings. `authenticated` (the default): every authenticated user everything. */
  readonly authorization?: 'rbac' | 'authenticated';
  /** Who may do what, instead of `authorization`. */
  readonly authorize?: Authorize;
  /** Bearer tokens that are known. */
  readonly authenticators?: readonly Authenticator[];
  /** Tokens of service accounts. */
  readonly tokens?: TokenOptions;
  /** Absent: nothing is recorded. */
  readonly audit?: AuditOptions;
  readonly limits?: Partial<Limits>;
  /** Workloads become healthy: with Pods (`true`), as statuses alone (`status`, the default), or not (`false`). */
  readonly simulateWorkloads?: WorkloadSimulation;
  /** Handlers or URLs for the services that webhook configurations name, by `namespace/name`. */
  readonly webhookServices?: WebhookServices;
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
  /** Where the server is reached, for the OpenID discovery document. */
  setServerUrl(url: string): void;
  /** PEM of the certificate authority that `kube-root-ca.crt` shows in every namespace. */
  setRootCertificate(pem: string): void;
  /** Ends open watches as a shutdown does. */
  endWatches(): void;
  /** Breaks off open watches of a resource (`secrets`, `deployments.apps`), or all, as a lost connection would; answers how many. */
  dropWatches(resource?: string): number;
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
  const store = createStore({ clock: world.clock, journal: journalFor(databasePath, options.from) });
  const watches = watchList();
  const catalog = createCatalog();
  const authorize = options.authorize ?? (options.authorization === 'rbac' ? rbacAuthorizer(store) : authorizeAuthenticated);
  const env: Environment = {
    world,
    store,
    catalog,
    admission: createAdmission({ world, store, catalog, authorize, services: options.webhookServices ?? {} }),
    authorize,
  };
  const tokens = createTokens({ world, store, ...options.tokens });
  const authenticators = [...(options.authenticators ?? []), tokens.authenticate];
  let rootCertificate = '';
  const pipeline = {
    env,
    authenticators,
    tokens,
    auditor: createAuditor(world, log, options.audit),
    limiter: createLimiter(world.clock, { ...DEFAULT_LIMITS, ...options.limits }),
    log,
    opened: (stream: WatchStream, storeName: string) => watches.add(stream, storeName),
  };
  const loops = startLoops({ env, log, rootCertificate: () => rootCertificate, endWatches: (storeName) => watches.endOf(storeName) }, [
    bootstrapLoop,
    ...workloadLoops(options.simulateWorkloads ?? 'status'),
  ]);
  const fill = async (): Promise<void> => {
    await bootstrap(env);
    await bootstrapRoles(env);
  };
  await fill().catch(async (error: unknown) => {
    loops.stop();
    await store.close();
    throw error;
  });
  let isClosed = false;
  const answer = withFaults(options.intercept, (request) => handleRequest(pipeline, request));
  const handleRemote: Handle = (request) => (isClosed ? Promise.reject(lost()) : answer(request));
  return {
    handle: (request) => handleRemote(isLocalAdmin(request) ? { ...request, user: ADMIN } : request),
    handleRemote,
    store,
    addAuthenticator: (authenticator) => void authenticators.push(authenticator),
    setServerUrl: (url) => tokens.setServerUrl(url),
    setRootCertificate: (pem) => {
      rootCertificate = pem;
      loops.refresh();
    },
    endWatches: () => watches.endOf(),
    dropWatches: (resource) => watches.drop(lost(), resource),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      loops.stop();
      watches.endOf();
      await store.close();
      options.audit?.sink.close?.();
    },
  };
}

function journalFor(databasePath: string, from: Snapshot | undefined): Journal {
  if (databasePath !== ':memory:') return fileJournal(databasePath);
  return from === undefined ? memoryJournal() : snapshotJournal(from);
}

/** In process, who says nothing is the administrator. */
function isLocalAdmin({ user, headers }: ApiRequest): boolean {
  return user === undefined && headers['authorization'] === undefined;
}

/** A handle whose connections break, or are answered by somebody else, where the injector says so. */
function withFaults(intercept: ClusterOptions['intercept'], handle: Handle): Handle {
  return async (request) => {
    const verdict = intercept?.(request) ?? 'pass';
    if (verdict === 'drop') throw lost();
    if (typeof verdict !== 'string') return verdict;
    const response = await handle(request);
    if (verdict === 'drop-response') throw lost();
    return response;
  };
}
