import type { JWTPayload } from 'jose';

import type { UserInfo } from '../../../kube/client/index.ts';
import { accountUsername, parseClaims, type KubernetesClaims, type NamedObject } from './claims.ts';
import { ALGORITHM } from './key.ts';
import type { TokenContext } from './types.ts';

/** Clocks may differ by so much. */
const LEEWAY_SECONDS = 60;
/** Objects that are being deleted longer than this count as gone. */
const DELETION_MS = 60_000;
const PREFIX = 'authentication.kubernetes.io/';

/** Whose token it is and the audiences that it is good for, or why it is none. */
export type Verified = { readonly user: UserInfo; readonly audiences: readonly string[] } | { readonly problem: string };

/**
 * Checks signature, times, audience, and that the account and what the token is bound to are still there (TOK-02).
 * Never throws for a token.
 */
export async function verifyToken(context: TokenContext, token: string, audiences: readonly string[]): Promise<Verified> {
  const payload = await checkSignature(context, token);
  if (typeof payload === 'string') return { problem: payload };
  const wanted = audiences.length === 0 ? [context.issuer] : audiences;
  const good = wanted.filter((audience) => [payload.aud ?? []].flat().includes(audience));
  if (good.length === 0) return { problem: 'token audiences are not among those that are expected' };
  const claims = parseClaims(payload['kubernetes.io']);
  if (claims === undefined || payload.sub !== accountUsername(claims.namespace, claims.serviceaccount.name)) {
    return { problem: 'the claims of the token are not those of a service account' };
  }
  const gone = missing(context, claims);
  return gone === undefined ? { user: userOf(claims, payload.jti), audiences: good } : { problem: gone };
}

/** The payload, or what is wrong. */
async function checkSignature({ world, issuer, key }: TokenContext, token: string): Promise<JWTPayload | string> {
  // Most bearer tokens that aren't ours aren't JWTs either.
  if (token.split('.').length !== 3) return 'the token is not a JWT';
  const { public: publicKey } = await key();
  return world.outside(async () => {
    const { errors, jwtVerify } = await import('jose');
    try {
      const { payload } = await jwtVerify(token, publicKey, {
        issuer,
        algorithms: [ALGORITHM],
        clockTolerance: LEEWAY_SECONDS,
        currentDate: new Date(world.clock.now()),
        requiredClaims: ['exp', 'sub', 'aud'],
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'service account token has expired';
      // The library's message may quote claims of a token that isn't ours.
      return 'the token was not issued by this cluster, or is not valid now';
    }
  });
}

/** The first object that the token needs and that is gone. */
function missing(context: TokenContext, { namespace, serviceaccount, pod, secret, node }: KubernetesClaims): string | undefined {
  const needed: readonly (readonly [resource: string, namespace: string, object: NamedObject | undefined])[] = [
    ['serviceaccounts', namespace, serviceaccount],
    ['secrets', namespace, secret],
    ['pods', namespace, pod],
    // The node of a Pod only informs.
    ['nodes', '', pod === undefined ? node : undefined],
  ];
  const gone = needed.find(([resource, home, object]) => object !== undefined && !isThere(context, resource, home, object));
  return gone === undefined ? undefined : `service account token has been invalidated: its object in ${gone[0]} is gone`;
}

function isThere({ store, world }: TokenContext, resource: string, namespace: string, { name, uid }: NamedObject): boolean {
  const object = store.get({ resource, namespace, name });
  if (object === undefined || object.metadata.uid !== uid) return false;
  const { deletionTimestamp } = object.metadata;
  return deletionTimestamp === undefined || Date.parse(deletionTimestamp) + DELETION_MS > world.clock.now();
}

function userOf({ namespace, serviceaccount, pod, node }: KubernetesClaims, jti: string | undefined): UserInfo {
  const extra = Object.fromEntries([
    ...(jti === undefined ? [] : [[`${PREFIX}credential-id`, [`JTI=${jti}`]]]),
    ...described('pod', pod),
    ...described('node', node),
  ]) as Record<string, string[]>;
  return {
    username: accountUsername(namespace, serviceaccount.name),
    ...(serviceaccount.uid === undefined ? {} : { uid: serviceaccount.uid }),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra,
  };
}

function described(kind: string, object: NamedObject | undefined): [string, string[]][] {
  if (object === undefined) return [];
  return [
    [`${PREFIX}${kind}-name`, [object.name]],
    ...(object.uid === undefined ? [] : [[`${PREFIX}${kind}-uid`, [object.uid]] as [string, string[]]]),
  ];
}
