import type { ApiRequest, UserInfo } from '../../kube/client/index.ts';
import { apiErrors } from '../../kube/objects/index.ts';

/** Tries to tell who is calling. Undefined: this authenticator knows nothing of the credential. */
export type Authenticator = (token: string) => UserInfo | undefined | Promise<UserInfo | undefined>;

const AUTHENTICATED = 'system:authenticated';
const UNAUTHENTICATED = 'system:unauthenticated';

/** Who a request without credentials is. */
const ANONYMOUS: UserInfo = { username: 'system:anonymous', groups: [UNAUTHENTICATED] };

/**
 * The caller: as the transport says, else by bearer token, else anonymous (AUTHN-01 … AUTHN-03).
 *
 * @throws ApiError 401 for a credential that nobody knows
 */
export async function authenticate(request: ApiRequest, authenticators: readonly Authenticator[]): Promise<UserInfo> {
  if (request.user !== undefined) return withAuthenticated(request.user);
  const header = request.headers['authorization'];
  if (header === undefined || header === '') return ANONYMOUS;
  const token = /^Bearer\s+(\S+)\s*$/i.exec(header)?.[1];
  if (token === undefined) throw apiErrors.unauthorized();
  for (const authenticator of authenticators) {
    const user = await authenticator(token);
    if (user !== undefined) return withAuthenticated(user);
  }
  throw apiErrors.unauthorized();
}

/** Everybody who was authenticated is in the group that says so, unless already told (AUTHN-03). */
export function withAuthenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED) || user.groups.includes(UNAUTHENTICATED)) return user;
  return { ...user, groups: [...user.groups, AUTHENTICATED] };
}
