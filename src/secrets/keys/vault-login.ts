import { Sensitive } from '../../base/sensitive/index.ts';
import type { VaultCredentials, VaultTls } from './credentials.ts';
import { decodeBase64, recordOf, serviceError, textOf, withDeadline, type ServiceCall } from './key-service.ts';
import type { KeyContext } from './types.ts';
import { answerField, vaultWrite } from './vault-http.ts';

/** A Vault that may be logged in to with a ServiceAccount token. */
export interface VaultInstance {
  readonly address: string;
  /** Path of the login below `/v1/`, `auth/kubernetes/login` say. */
  readonly loginPath: string;
}

export interface KubernetesLoginOptions {
  /** Only these addresses are contacted. */
  readonly instances: readonly VaultInstance[];
  /** A ServiceAccount token for an audience: the Vault's address. */
  readonly serviceAccountToken: (audience: string, signal?: AbortSignal) => Promise<Sensitive<string>>;
  readonly context: KeyContext;
  readonly namespace?: string;
  readonly tls?: VaultTls;
}

/**
 * Kubernetes login at listed addresses, one login per address for the life of the returned function: make a new one for
 * every reconcile. The role is `<namespace>_<serviceaccount>` of the token (flux/DEC-10).
 *
 * @returns `tokenFor` of {@link VaultCredentials}; it gives undefined for addresses that are not listed
 */
export function kubernetesVaultLogin(options: KubernetesLoginOptions): NonNullable<VaultCredentials['tokenFor']> {
  const logins = new Map<string, Promise<Sensitive<string>>>();
  return (address, signal) => {
    const instance = options.instances.find((known) => withoutSlash(known.address) === withoutSlash(address));
    if (instance === undefined) return Promise.resolve(undefined);
    const known = logins.get(instance.address) ?? login(instance, options, signal);
    logins.set(instance.address, known);
    known.catch(() => logins.delete(instance.address));
    return known;
  };
}

function withoutSlash(address: string): string {
  return address.replace(/\/+$/, '');
}

async function login(instance: VaultInstance, options: KubernetesLoginOptions, signal?: AbortSignal): Promise<Sensitive<string>> {
  const jwt = await options.serviceAccountToken(instance.address, signal);
  const call: ServiceCall = { service: 'Vault login', key: instance.address, secrets: [jwt] };
  const { context, namespace, tls } = options;
  const vault: VaultCredentials = {
    allowList: [instance.address],
    ...(namespace === undefined ? {} : { namespace }),
    ...(tls === undefined ? {} : { tls }),
  };
  const path = instance.loginPath.replaceAll(/^\/+|\/+$/g, '').replace(/^v1\//, '');
  const request = { address: withoutSlash(instance.address), path, body: { role: roleOf(jwt, call), jwt: jwt.reveal() } };
  const bounded = signal === undefined ? context : { ...context, signal };
  const answer = await withDeadline(bounded, call, (limit) => vaultWrite(request, vault, call, context.world, limit));
  const token = answerField(answer, 'auth', 'client_token');
  if (token === '') throw serviceError(call, 'failed', 'the answer has no client_token');
  return new Sensitive(token);
}

/** Who a ServiceAccount token speaks for. Its signature is Vault's business. */
function roleOf(jwt: Sensitive<string>, call: ServiceCall): string {
  const payload = decodeBase64(jwt.reveal().split('.')[1] ?? '', 'url');
  const claims = recordOf(recordOf(parse(payload))['kubernetes.io']);
  const [namespace, name] = [textOf(claims, 'namespace'), textOf(recordOf(claims['serviceaccount']), 'name')];
  if (namespace === '' || name === '') throw serviceError(call, 'failed', 'the token is not that of a ServiceAccount');
  return `${namespace}_${name}`;
}

function parse(payload: Uint8Array | undefined): unknown {
  if (payload === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    // the parser's message quotes the token; "not that of a ServiceAccount" says enough
    return undefined;
  }
}
