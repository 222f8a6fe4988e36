import { apiErrors, isJsonObject, type KubeObject, type StatusCause } from '../../../kube/objects/index.ts';
import { rfc3339 } from '../../registry/index.ts';
import { accountUsername, type KubernetesClaims, type NamedObject } from './claims.ts';
import { ALGORITHM } from './key.ts';
import type { TokenContext } from './types.ts';

const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;

/** The service account of a request. */
export interface Target {
  readonly namespace: string;
  readonly name: string;
}

interface Spec {
  readonly audiences: readonly string[];
  readonly seconds: number;
  readonly bound: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Answers a TokenRequest with a token (TOK-01; kubernetes:pkg/registry/core/serviceaccount/storage/token.go).
 *
 * @throws ApiError 400, 404, 409, 422
 */
export async function tokenRequest(context: TokenContext, target: Target, body: unknown): Promise<KubeObject> {
  const { store, world, issuer } = context;
  const { namespace, name } = target;
  if (!isJsonObject(body)) throw apiErrors.badRequest('the body of a token request must be an object');
  checkName(body['metadata'], target);
  const account = store.get({ resource: 'serviceaccounts', namespace, name });
  if (account === undefined) throw apiErrors.notFound({ group: '', plural: 'serviceaccounts' }, name);
  const spec = parseSpec(body['spec'], issuer);
  const claims: KubernetesClaims = { namespace, serviceaccount: identityOf(account), ...boundClaims(context, target, spec.bound) };
  const issued = Math.floor(world.clock.now() / 1000);
  const token = await sign(context, { claims, audiences: spec.audiences, issued, expires: issued + spec.seconds });
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { name, namespace, creationTimestamp: rfc3339(world.clock.now()) },
    spec: { audiences: [...spec.audiences], expirationSeconds: spec.seconds, boundObjectRef: spec.bound ?? null },
    status: { token, expirationTimestamp: rfc3339((issued + spec.seconds) * 1000) },
  };
}

function checkName(metadata: unknown, target: Target): void {
  if (!isJsonObject(metadata)) return;
  for (const field of ['name', 'namespace'] as const) {
    const given = metadata[field];
    if (typeof given !== 'string' || given === '' || given === target[field]) continue;
    throw apiErrors.badRequest(
      `${field} in URL does not match ${field} in TokenRequest object: ${JSON.stringify(target[field])}, ${JSON.stringify(given)}`,
    );
  }
}

/** @throws ApiError 422 */
function parseSpec(value: unknown, issuer: string): Spec {
  const spec = isJsonObject(value) ? value : {};
  const { expirationSeconds = null, audiences = null, boundObjectRef = null } = spec;
  const seconds = expirationSeconds === null ? DEFAULT_SECONDS : expirationSeconds;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds)) throw apiErrors.badRequest('spec.expirationSeconds: expected an integer');
  const cause = (message: string): StatusCause => ({
    reason: 'FieldValueInvalid',
    field: 'spec.expirationSeconds',
    message: `Invalid value: ${seconds}: ${message}`,
  });
  const causes = [
    ...(seconds < MIN_SECONDS ? [cause('may not specify a duration less than 10 minutes')] : []),
    ...(seconds > MAX_SECONDS ? [cause('may not specify a duration larger than 2^32 seconds')] : []),
  ];
  if (causes.length > 0) throw apiErrors.invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', causes);
  const wanted = Array.isArray(audiences) ? audiences.filter((each) => typeof each === 'string') : [];
  return { seconds, audiences: wanted.length === 0 ? [issuer] : wanted, bound: isJsonObject(boundObjectRef) ? boundObjectRef : undefined };
}

function identityOf({ metadata }: KubeObject): NamedObject {
  return { name: metadata.name ?? '', ...(metadata.uid === undefined ? {} : { uid: metadata.uid }) };
}

type Bind = (context: TokenContext, target: Target, name: string) => { object: KubeObject; claims: Partial<KubernetesClaims> };

/** The kinds that a token can be bound to. */
const BINDABLE: Readonly<Record<string, Bind>> = {
  Pod: (context, { namespace, name: account }, name) => {
    const object = existing(context, 'pods', namespace, name);
    const { serviceAccountName = 'default', nodeName = '' } = (object['spec'] ?? {}) as { serviceAccountName?: string; nodeName?: string };
    if (serviceAccountName !== account) {
      throw apiErrors.badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
      );
    }
    const pod = identityOf(object);
    if (nodeName === '') return { object, claims: { pod } };
    const node = context.store.get({ resource: 'nodes', namespace: '', name: nodeName });
    return { object, claims: { pod, node: node === undefined ? { name: nodeName } : identityOf(node) } };
  },
  Secret: (context, { namespace }, name) => {
    const object = existing(context, 'secrets', namespace, name);
    return { object, claims: { secret: identityOf(object) } };
  },
  Node: (context, _target, name) => {
    const object = existing(context, 'nodes', '', name);
    return { object, claims: { node: identityOf(object) } };
  },
};

function existing({ store }: TokenContext, plural: string, namespace: string, name: string): KubeObject {
  const object = store.get({ resource: plural, namespace, name });
  if (object === undefined) throw apiErrors.notFound({ group: '', plural }, name);
  return object;
}

/** @throws ApiError 400, 404, 409 */
function boundClaims(context: TokenContext, target: Target, bound: Spec['bound']): Partial<KubernetesClaims> {
  if (bound === undefined) return {};
  const text = (field: string): string => (typeof bound[field] === 'string' ? bound[field] : '');
  const kind = text('kind');
  const bind = text('apiVersion') === 'v1' && Object.hasOwn(BINDABLE, kind) ? BINDABLE[kind] : undefined;
  if (bind === undefined) {
    const slash = text('apiVersion').includes('/') ? '' : '/';
    throw apiErrors.badRequest(`cannot bind token to object of type ${slash}${text('apiVersion')}, Kind=${kind}`);
  }
  const { object, claims } = bind(context, target, text('name'));
  if (text('uid') === '' || text('uid') === object.metadata.uid) return claims;
  throw apiErrors.conflict(
    { group: '', plural: kind },
    text('name'),
    `the UID in the bound object reference (${text('uid')}) does not match the UID in record. The object might have been deleted and then recreated`,
  );
}

interface Content {
  readonly claims: KubernetesClaims;
  readonly audiences: readonly string[];
  /** Seconds since the epoch. */
  readonly issued: number;
  readonly expires: number;
}

async function sign({ world, issuer, key }: TokenContext, { claims, audiences, issued, expires }: Content): Promise<string> {
  const { id, private: privateKey } = await key();
  const { namespace, serviceaccount } = claims;
  const tokenId = world.random.uuid();
  return world.outside(async () => {
    const { SignJWT } = await import('jose');
    return new SignJWT({ 'kubernetes.io': claims })
      .setProtectedHeader({ alg: ALGORITHM, kid: id })
      .setIssuer(issuer)
      .setSubject(accountUsername(namespace, serviceaccount.name))
      .setAudience([...audiences])
      .setIssuedAt(issued)
      .setNotBefore(issued)
      .setExpirationTime(expires)
      .setJti(tokenId)
      .sign(privateKey);
  });
}
