import { apiErrors, isJsonObject, type KubeObject, type StatusCause } from '../../kube/objects/index.ts';
import type { UserInfo } from '../../kube/client/index.ts';
import { timestamp, type Attributes, type Environment } from '../registry/index.ts';
import { withAuthenticated } from './authenticate.ts';
import type { Call } from './call.ts';

type Fields = Readonly<Record<string, unknown>>;

const text = (fields: Fields, name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
const object = (value: unknown): Fields => (isJsonObject(value) ? value : {});

/**
 * The answer to a review: an object that is computed, never stored (TOK-04, RBAC-05). Undefined for resources
 * that are stored.
 *
 * @throws ApiError 400
 */
export async function reviewFor(call: Call, body: unknown): Promise<KubeObject | undefined> {
  const { resource, user, env, info } = call;
  if (resource.rules.virtual !== true) return undefined;
  if (!isJsonObject(body)) throw apiErrors.badRequest('the body of a review must be an object');
  const base = { apiVersion: `${resource.group}/v1`, kind: resource.kind, metadata: { creationTimestamp: timestamp(env) } };
  if (resource.kind === 'SelfSubjectReview') return { ...base, status: { userInfo: shown(user) } };
  const spec = object(body['spec']);
  if (resource.kind === 'TokenReview') return { ...base, spec, status: await tokenStatus(call, spec) };
  if (resource.kind === 'SelfSubjectRulesReview')
    return { ...base, metadata: {}, spec, status: await rulesOf(call, text(spec, 'namespace')) };
  checkAttributes(call, spec);
  const subject = resource.kind === 'SelfSubjectAccessReview' ? user : subjectOf(spec);
  const decision = await env.authorize(attributesOf(spec, subject, info.namespace));
  return {
    ...base,
    metadata: {},
    spec,
    status: { allowed: decision.allowed, ...(decision.reason === undefined ? {} : { reason: decision.reason }) },
  };
}

/** Whose a token is (TOK-03); a bad one is an answer, no error. @throws ApiError 400 */
async function tokenStatus({ tokens, authenticators }: Call, spec: Fields): Promise<Fields> {
  const token = text(spec, 'token');
  if (token === '') throw apiErrors.badRequest('token is required for TokenReview in authentication');
  const audiences = textsIn(spec['audiences']);
  const verified = await tokens.verify(token, audiences);
  if ('user' in verified) return { authenticated: true, user: shown(withAuthenticated(verified.user)), audiences: verified.audiences };
  // Tokens of other kinds are good for the API only.
  if (audiences.length === 0 || audiences.includes(tokens.issuer)) {
    for (const authenticator of authenticators) {
      const user = await authenticator(token);
      if (user !== undefined) return { authenticated: true, user: shown(withAuthenticated(user)), audiences: [tokens.issuer] };
    }
  }
  return { authenticated: false, user: {}, error: `[invalid bearer token, ${verified.problem}]` };
}

/** All that the caller may do, when the authorizer can list it (RBAC-05). */
async function rulesOf({ env, user }: Call, namespace: string): Promise<Fields> {
  const { rulesFor } = env.authorize;
  if (namespace === '') throw apiErrors.badRequest('no namespace on request');
  if (rulesFor === undefined) return guessedRules(env, user, namespace);
  const { rules, problem } = rulesFor(user, namespace);
  return {
    resourceRules: rules
      .filter(({ resources = [] }) => resources.length > 0)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, ...(resourceNames && { resourceNames }) })),
    nonResourceRules: rules
      .filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: problem !== undefined,
    ...(problem === undefined ? {} : { evaluationError: problem }),
  };
}

/** Whoever may do everything has one rule; anybody else's rules can't be listed by asking an authorizer. */
async function guessedRules(env: Environment, user: UserInfo, namespace: string): Promise<Fields> {
  const everything = { user, verb: '*', group: '*', version: '*', resource: '*', subresource: '', namespace, name: '' };
  const { allowed } = await env.authorize(everything);
  return {
    resourceRules: allowed ? [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] : [],
    nonResourceRules: allowed ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : [],
    incomplete: !allowed,
  };
}

function shown(user: UserInfo): Fields {
  return {
    username: user.username,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}

/** @throws ApiError 400 when nobody is named */
function subjectOf(spec: Fields): UserInfo {
  const groups = textsIn(spec['groups']);
  const username = text(spec, 'user');
  const uid = text(spec, 'uid');
  const extra = Object.entries(object(spec['extra'])).map(([key, values]): [string, string[]] => [key, textsIn(values)]);
  if (username === '' && groups.length === 0) throw apiErrors.badRequest('at least one of user or group must be specified');
  return { username, groups, ...(uid === '' ? {} : { uid }), ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }) };
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** @throws ApiError 422 unless exactly one kind of attributes is given, and for another namespace than the path's */
function checkAttributes({ resource, info }: Call, spec: Fields): void {
  const isResource = isJsonObject(spec['resourceAttributes']);
  const isPath = isJsonObject(spec['nonResourceAttributes']);
  const causes: StatusCause[] = [];
  if (isResource === isPath) {
    const message = isResource
      ? 'Invalid value: cannot be specified in combination with resourceAttributes'
      : 'Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified';
    causes.push({ reason: 'FieldValueInvalid', field: isResource ? 'spec.nonResourceAttributes' : 'spec.resourceAttributes', message });
  }
  const namespace = text(object(spec['resourceAttributes']), 'namespace');
  if (resource.namespaced && isResource && namespace !== info.namespace) {
    const message = `Invalid value: ${JSON.stringify(namespace)}: must match metadata.namespace`;
    causes.push({ reason: 'FieldValueInvalid', field: 'spec.resourceAttributes.namespace', message });
  }
  if (causes.length > 0) throw apiErrors.invalid(resource, '', causes);
}

function attributesOf(spec: Fields, user: UserInfo, namespace: string): Attributes {
  const nothing = { user, group: '', version: '', resource: '', subresource: '', namespace: '', name: '' };
  if (isJsonObject(spec['nonResourceAttributes'])) {
    const asked = object(spec['nonResourceAttributes']);
    return { ...nothing, verb: text(asked, 'verb'), path: text(asked, 'path') };
  }
  const asked = object(spec['resourceAttributes']);
  return {
    ...nothing,
    verb: text(asked, 'verb'),
    group: text(asked, 'group'),
    version: text(asked, 'version'),
    resource: text(asked, 'resource'),
    subresource: text(asked, 'subresource'),
    namespace: namespace === '' ? text(asked, 'namespace') : namespace,
    name: text(asked, 'name'),
  };
}
