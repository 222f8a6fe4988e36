import type { UserInfo } from '../../kube/client/index.ts';
import { apiErrors } from '../../kube/objects/index.ts';
import type { Attributes, Authorize } from '../registry/index.ts';
import { refuse } from './authorize.ts';

const EXTRA = 'impersonate-extra-';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

interface Wanted {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/**
 * The user that a request acts as: the caller, or whoever its Impersonate headers name, when the caller may
 * (AUTHN-04; apiserver:pkg/endpoints/filters/impersonation).
 *
 * @throws ApiError 400, 403
 */
export async function impersonate(headers: Readonly<Record<string, string>>, caller: UserInfo, authorize: Authorize): Promise<UserInfo> {
  const wanted = wantedUser(headers);
  if (wanted === undefined) return caller;
  for (const attributes of questions(caller, wanted)) {
    const decision = await authorize(attributes);
    if (!decision.allowed) throw refuse(attributes, decision);
  }
  return {
    username: wanted.username,
    groups: completeGroups(wanted),
    ...(wanted.uid === '' ? {} : { uid: wanted.uid }),
    ...(Object.keys(wanted.extra).length === 0 ? {} : { extra: wanted.extra }),
  };
}

function wantedUser(headers: Readonly<Record<string, string>>): Wanted | undefined {
  const username = headers['impersonate-user'] ?? '';
  const uid = headers['impersonate-uid'] ?? '';
  const groups = valuesOf(headers['impersonate-group']);
  const extra: Record<string, readonly string[]> = Object.create(null) as Record<string, readonly string[]>;
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(EXTRA)) extra[decodeKey(name.slice(EXTRA.length))] = valuesOf(value);
  }
  if (username !== '') return { username, uid, groups, extra };
  if (uid !== '' || groups.length > 0 || Object.keys(extra).length > 0) {
    throw apiErrors.badRequest('requested impersonation without impersonating a user');
  }
  return undefined;
}

/** Repeated headers arrive joined by commas. */
function valuesOf(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key).toLowerCase();
  } catch {
    return key;
  }
}

/** Each piece is a permission of its own. */
function questions(user: UserInfo, wanted: Wanted): Attributes[] {
  const base = { user, verb: 'impersonate', group: '', version: 'v1', namespace: '', subresource: '' };
  const account = SERVICE_ACCOUNT.exec(wanted.username);
  const authentication = { ...base, group: 'authentication.k8s.io' };
  return [
    account === null
      ? { ...base, resource: 'users', name: wanted.username }
      : { ...base, resource: 'serviceaccounts', namespace: account[1] ?? '', name: account[2] ?? '' },
    ...wanted.groups.map((name) => ({ ...base, resource: 'groups', name })),
    ...(wanted.uid === '' ? [] : [{ ...authentication, resource: 'uids', name: wanted.uid }]),
    ...Object.entries(wanted.extra).flatMap(([key, values]) =>
      values.map((name) => ({ ...authentication, resource: 'userextras', subresource: key, name })),
    ),
  ];
}

function completeGroups({ username, groups }: Wanted): string[] {
  const account = SERVICE_ACCOUNT.exec(username);
  const given =
    account !== null && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`] : [...groups];
  if (given.includes('system:authenticated') || given.includes('system:unauthenticated')) return given;
  return [...given, username === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'];
}
