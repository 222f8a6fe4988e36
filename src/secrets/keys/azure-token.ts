import type { TokenCredential } from '@azure/identity';

import { SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import type { World } from '../../base/world/index.ts';
import { azureHttpClient } from './azure-http.ts';
import type { AzureCredentials } from './credentials.ts';
import { serviceError, type ServiceCall } from './key-service.ts';

/** The SDK's credential objects cache tokens; one per credentials. */
const credentialObjects = new WeakMap<AzureCredentials, TokenCredential>();

/**
 * A bearer token for a scope. Undefined when the ambient chain finds no identity at all.
 *
 * @throws SottoError KEY_SERVICE_DENIED (Entra ID refused), KEY_SERVICE_UNREACHABLE
 */
export async function azureToken(
  azure: AzureCredentials,
  scope: string,
  call: ServiceCall,
  world: World,
  signal: AbortSignal,
): Promise<Sensitive<string> | undefined> {
  const { identity } = azure;
  if (identity.kind === 'token') return identity.token(scope, signal);
  try {
    const credential = credentialObjects.get(azure) ?? (await makeCredential(azure, world));
    credentialObjects.set(azure, credential);
    const ask = () => credential.getToken(scope, { abortSignal: signal });
    // all but the ambient chain only ask the network, which is the world's already
    const token = await (identity.kind === 'ambient' ? world.outside(ask) : ask());
    if (token === null) throw serviceError(call, 'denied', 'no token was given');
    return new Sensitive(token.token);
  } catch (error) {
    if (error instanceof SottoError || signal.aborted) throw error;
    const message = error instanceof Error ? error.message : '';
    if (identity.kind === 'ambient' && isUnavailable(error)) return undefined;
    throw serviceError(call, 'denied', `cannot get a token: ${message}`);
  }
}

/** No way of the chain is set up on this machine; one that is and fails is another matter. */
function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'CredentialUnavailableError') return true;
  const { errors } = error as { readonly errors?: unknown };
  return Array.isArray(errors) && errors.length > 0 && errors.every(isUnavailable);
}

/** The texts of an identity that a message must never show. */
export function azureSecrets({ identity }: AzureCredentials): ServiceCall['secrets'] {
  if (identity.kind === 'secret') return [identity.clientSecret];
  return identity.kind === 'certificate' ? [identity.certificate, identity.password] : [];
}

async function makeCredential({ identity, authorityHost }: AzureCredentials, world: World): Promise<TokenCredential> {
  const sdk = await world.outside(() => import('@azure/identity'));
  const options = {
    httpClient: azureHttpClient(world),
    retryOptions: { maxRetries: 0 },
    ...(authorityHost === undefined ? {} : { authorityHost, disableInstanceDiscovery: true }),
  };
  switch (identity.kind) {
    case 'secret':
      return new sdk.ClientSecretCredential(identity.tenantId, identity.clientId, identity.clientSecret.reveal(), options);
    case 'certificate': {
      const source = {
        certificate: identity.certificate.reveal(),
        ...(identity.password === undefined ? {} : { certificatePassword: identity.password.reveal() }),
      };
      return new sdk.ClientCertificateCredential(identity.tenantId, identity.clientId, source, {
        ...options,
        sendCertificateChain: identity.sendChain === true,
      });
    }
    case 'managed':
      return new sdk.ManagedIdentityCredential({ ...options, ...(identity.clientId === undefined ? {} : { clientId: identity.clientId }) });
    case 'ambient':
      return new sdk.DefaultAzureCredential(options);
    default:
      throw new SottoError('INTERNAL', 'an identity without a credential object');
  }
}
