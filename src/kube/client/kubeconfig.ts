import { readFileSync } from 'node:fs';

import type { KubeConfig, User } from '@kubernetes/client-node';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';

/** Where the credentials of a cluster come from. */
export type KubeconfigSource =
  /** The caller's own file: everything it names may be used. */
  | { readonly path: string }
  /** A kubeconfig's content. It may come from a tenant: see {@link KubeconfigAllowances}. */
  | { readonly text: string }
  /** The ServiceAccount that Kubernetes mounts into every Pod. */
  | 'in-cluster';

/** What a kubeconfig given as text may do besides carrying inline credentials; all false by default. */
export interface KubeconfigAllowances {
  /** Run credential plugins. */
  readonly exec?: boolean;
  /** Read certificates, keys and tokens from local files. */
  readonly files?: boolean;
  /** Skip the verification of the server's certificate. */
  readonly insecureTls?: boolean;
}

export interface KubeconfigOptions {
  readonly kubeconfig: KubeconfigSource;
  /** Default: the current context. */
  readonly context?: string;
  readonly allow?: KubeconfigAllowances;
}

/** TLS material and headers for one request. */
export interface Credentials {
  readonly tls: {
    readonly ca?: string | Buffer;
    readonly cert?: string | Buffer;
    readonly key?: string | Buffer;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  readonly headers: Readonly<Record<string, string>>;
}

/** One server and how to log in there. */
export interface Access {
  /** Base URL, without a slash at the end. */
  readonly server: string;
  /** Namespace of the context. */
  readonly namespace: string;
  readonly proxy: string | undefined;
  credentials(): Promise<Credentials>;
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** client-go reads token files again after a minute. */
const TOKEN_LIFETIME_MS = 60_000;

/**
 * Reads a kubeconfig.
 *
 * @throws SottoError KUBECONFIG_INVALID, KUBECONFIG_REFUSED, KUBECONFIG_CONTEXT_UNKNOWN, KUBECONFIG_FILE
 */
export async function readAccess({ kubeconfig, context, allow }: KubeconfigOptions, world: World): Promise<Access> {
  if (kubeconfig === 'in-cluster') return inClusterAccess(world);
  const config = await load(kubeconfig);
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new SottoError(
      'KUBECONFIG_CONTEXT_UNKNOWN',
      `the kubeconfig has no usable context "${context ?? config.getCurrentContext() ?? ''}"`,
      {
        hint: `contexts: ${
          config
            .getContexts()
            .map(({ name }) => name)
            .join(', ') || 'none'
        }`,
      },
    );
  }
  const user = config.getCurrentUser() ?? undefined;
  if (!('path' in kubeconfig)) refuseUnlessAllowed(cluster, user, allow ?? {});
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    proxy: cluster.proxyUrl,
    credentials: async () => {
      const fresh = user === undefined ? { headers: {} } : await login(config, user, world);
      const ca = material(cluster.caData, cluster.caFile);
      const cert = fresh.cert ?? material(user?.certData, user?.certFile);
      const key = fresh.key ?? material(user?.keyData, user?.keyFile);
      return {
        tls: {
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
          ...(cluster.tlsServerName === undefined ? {} : { servername: cluster.tlsServerName }),
          ...(cluster.skipTLSVerify ? { rejectUnauthorized: false } : {}),
        },
        headers: fresh.headers,
      };
    },
  };
}

/** Parser errors quote the text, which holds credentials: nothing of them is kept. */
async function load(source: Exclude<KubeconfigSource, 'in-cluster'>): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const text = 'path' in source ? readOwnFile(source.path) : source.text;
  try {
    config.loadFromString(text);
    if (config.clusters.some(({ server }) => URL.canParse(server) === false)) throw new TypeError('a server is no URL');
  } catch {
    throw new SottoError('KUBECONFIG_INVALID', 'the kubeconfig cannot be parsed', 'path' in source ? { at: { file: source.path } } : {});
  }
  if ('path' in source) config.makePathsAbsolute(source.path.replace(/[^/]*$/, '') || '.');
  return config;
}

function refuseUnlessAllowed(
  cluster: { caFile?: string; skipTLSVerify: boolean },
  user: User | undefined,
  allow: KubeconfigAllowances,
): void {
  const tokenFile = (user?.authProvider as { config?: { tokenFile?: string } } | undefined)?.config?.tokenFile;
  const refuse = (what: string): never => {
    throw new SottoError('KUBECONFIG_REFUSED', `the kubeconfig ${what}, which is not allowed here`);
  };
  if (allow.exec !== true && (user?.exec !== undefined || (user?.authProvider !== undefined && tokenFile === undefined))) {
    refuse('runs a credential plugin');
  }
  const files = [cluster.caFile, user?.certFile, user?.keyFile, tokenFile];
  if (allow.files !== true && files.some((file) => file !== undefined)) refuse('names local files');
  if (allow.insecureTls !== true && cluster.skipTLSVerify) refuse('skips the verification of the server certificate');
}

interface Login {
  readonly headers: Readonly<Record<string, string>>;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
}

async function login(config: KubeConfig, user: User, world: World): Promise<Login> {
  const impersonation = user.impersonateUser === undefined ? {} : { 'impersonate-user': user.impersonateUser };
  if (user.exec === undefined && user.authProvider === undefined) return { headers: { ...impersonation, ...staticHeaders(user) } };
  const options: { headers: Record<string, string>; cert?: string; key?: string } = { headers: {} };
  try {
    await world.outside(() => config.applyToHTTPSOptions(options));
  } catch (error) {
    // What a plugin prints may hold a token: only the kind of failure is told.
    throw new SottoError('KUBECONFIG_PLUGIN', `the credentials of kubeconfig user "${user.name}" cannot be got: ${codeOf(error)}`, {
      hint: 'run the credential plugin by hand to see why',
      retry: true,
    });
  }
  const { Authorization } = options.headers;
  return {
    headers: { ...impersonation, ...(Authorization === undefined ? {} : { authorization: Authorization.trim() }) },
    ...(user.exec === undefined || options.cert === undefined ? {} : { cert: options.cert }),
    ...(user.exec === undefined || options.key === undefined ? {} : { key: options.key }),
  };
}

function staticHeaders(user: User): Record<string, string> {
  if (user.token !== undefined) return { authorization: `Bearer ${user.token}` };
  if (user.username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}` };
}

/** Inline data wins over a file, as in client-go. */
function material(base64: string | undefined, file: string | undefined): string | Buffer | undefined {
  if (base64 !== undefined && base64 !== '') return Buffer.from(base64, 'base64');
  return file === undefined || file === '' ? undefined : readOwnFile(file);
}

function readOwnFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SottoError('KUBECONFIG_FILE', `cannot read ${file}: ${codeOf(error)}`);
  }
}

function inClusterAccess(world: World): Access {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = world.env;
  if (host === undefined) {
    throw new SottoError('KUBECONFIG_NOT_IN_CLUSTER', 'no kubeconfig was given and this is not a Pod', { hint: 'pass --kubeconfig' });
  }
  let token: { readonly text: string; readonly readAt: number } | undefined;
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: readOwnFile(`${ACCOUNT}/namespace`).trim(),
    proxy: undefined,
    credentials: async () => {
      const now = world.clock.now();
      if (token === undefined || now - token.readAt >= TOKEN_LIFETIME_MS) {
        token = { text: readOwnFile(`${ACCOUNT}/token`).trim(), readAt: now };
      }
      return { tls: { ca: readOwnFile(`${ACCOUNT}/ca.crt`) }, headers: { authorization: `Bearer ${token.text}` } };
    },
  };
}
