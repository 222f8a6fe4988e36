import { existsSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';

import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { execLogin, type Login } from './exec.ts';
import { parseKubeconfig, readNamedFile, type KubeconfigContext, type KubeconfigText, type KubeconfigUser } from './kubeconfig.ts';

/** Where the credentials of a cluster come from. */
export type KubeconfigSource =
  /** The caller's own file, or several joined by `:`. Everything they name may be used. */
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
 * Reads where a cluster is and how to log in there.
 *
 * @throws SottoError KUBECONFIG_INVALID, KUBECONFIG_REFUSED, KUBECONFIG_CONTEXT_UNKNOWN, KUBECONFIG_FILE,
 *   KUBECONFIG_UNSUPPORTED, KUBECONFIG_NOT_IN_CLUSTER
 */
export function readAccess({ kubeconfig, context, allow = {} }: KubeconfigOptions, world: World): Access {
  if (kubeconfig === 'in-cluster') return inClusterAccess(world);
  if ('path' in kubeconfig) return accessOf(parseKubeconfig(readFiles(kubeconfig.path, world.cwd), context), world);
  const parsed = parseKubeconfig([{ text: kubeconfig.text, folder: world.cwd }], context);
  refuseUnlessAllowed(parsed, allow);
  return accessOf(parsed, world);
}

/** Of a list, as `$KUBECONFIG` may be one, files that do not exist are left out. */
function readFiles(path: string, cwd: string): KubeconfigText[] {
  const all = path
    .split(delimiter)
    .filter((part) => part !== '')
    .map((part) => resolve(cwd, part));
  const present = all.length > 1 ? all.filter((file) => existsSync(file)) : all;
  return present.map((file) => ({ text: readNamedFile(file), file, folder: dirname(file) }));
}

function refuseUnlessAllowed({ cluster, user }: KubeconfigContext, allow: KubeconfigAllowances): void {
  const files = [cluster['certificate-authority'], user['client-certificate'], user['client-key'], user.tokenFile];
  const findings: [allowed: boolean | undefined, found: boolean, what: string][] = [
    [allow.exec, user.exec !== undefined, 'runs a credential plugin'],
    [allow.files, files.some((file) => (file ?? '') !== ''), 'names local files'],
    [allow.insecureTls, cluster['insecure-skip-tls-verify'] === true, 'skips the verification of the server certificate'],
  ];
  const refused = findings.find(([allowed, found]) => found && allowed !== true);
  if (refused !== undefined) throw new SottoError('KUBECONFIG_REFUSED', `the kubeconfig ${refused[2]}, which is not allowed here`);
}

function accessOf({ cluster, user, namespace }: KubeconfigContext, world: World): Access {
  const login = loginOf(user, cluster.server, world);
  const ca = material(cluster['certificate-authority-data'], cluster['certificate-authority']);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace,
    proxy: cluster['proxy-url'],
    credentials: async () => {
      const fresh = await login();
      const cert = fresh.cert ?? material(user['client-certificate-data'], user['client-certificate']);
      const key = fresh.key ?? material(user['client-key-data'], user['client-key']);
      return {
        tls: {
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
          ...(cluster['tls-server-name'] === undefined ? {} : { servername: cluster['tls-server-name'] }),
          ...(cluster['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
        },
        headers: { ...impersonationOf(user), ...fresh.headers },
      };
    },
  };
}

/** Inline data wins over a file, as in client-go. */
function material(base64: string | undefined, file: string | undefined): string | Buffer | undefined {
  if (base64 !== undefined && base64 !== '') return Buffer.from(base64, 'base64');
  return file === undefined || file === '' ? undefined : readNamedFile(file);
}

function impersonationOf(user: KubeconfigUser): Record<string, string> {
  const groups = user['as-groups'] ?? [];
  return {
    ...(user.as === undefined ? {} : { 'impersonate-user': user.as }),
    ...(groups.length === 0 ? {} : { 'impersonate-group': groups.join(', ') }),
  };
}

/** The order of client-go: a token file beats a token, then basic authentication, then a plugin. */
function loginOf(user: KubeconfigUser, server: string, world: World): () => Promise<Login> {
  if (user['auth-provider'] !== undefined) {
    throw new SottoError('KUBECONFIG_UNSUPPORTED', `the kubeconfig uses the auth provider "${user['auth-provider'].name ?? ''}"`, {
      hint: 'auth providers were removed from Kubernetes: use a credential plugin (exec) instead',
    });
  }
  if (user.exec !== undefined) return execLogin(user.exec, server, world);
  if ((user.tokenFile ?? '') !== '') return fileLogin(user.tokenFile ?? '', world);
  const { token, username, password = '' } = user;
  if ((token ?? '') !== '') return async () => ({ headers: { authorization: `Bearer ${token}` } });
  if ((username ?? '') === '') return async () => ({ headers: {} });
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return async () => ({ headers: { authorization: `Basic ${basic}` } });
}

function fileLogin(file: string, world: World): () => Promise<Login> {
  let token: { readonly text: string; readonly readAt: number } | undefined;
  return async () => {
    const now = world.clock.now();
    if (token === undefined || now - token.readAt >= TOKEN_LIFETIME_MS) token = { text: readNamedFile(file).trim(), readAt: now };
    return { headers: { authorization: `Bearer ${token.text}` } };
  };
}

function inClusterAccess(world: World): Access {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = world.env;
  if (host === undefined) {
    throw new SottoError('KUBECONFIG_NOT_IN_CLUSTER', 'no kubeconfig was given and this is not a Pod', { hint: 'pass --kubeconfig' });
  }
  const login = fileLogin(`${ACCOUNT}/token`, world);
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: readNamedFile(`${ACCOUNT}/namespace`).trim(),
    proxy: undefined,
    credentials: async () => ({ ...(await login()), tls: { ca: readNamedFile(`${ACCOUNT}/ca.crt`) } }),
  };
}
