import type { ApiRequest } from '../../kube/client/index.ts';
import { pinnedName } from '../registry/index.ts';

/** What a request is about (apiserver:pkg/endpoints/request/requestinfo.go). */
export interface RequestInfo {
  /** False for documents such as `/version` and discovery. */
  readonly isResource: boolean;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for documents the method in lower case. */
  readonly verb: string;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  /** '' for cluster scope and for all namespaces. */
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
}

const VERBS: Readonly<Record<ApiRequest['method'], string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  OPTIONS: 'options',
};
/** What follows `namespaces/NAME` and still belongs to the namespace itself. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** Parses method, path and query (REST-01). */
export function parseRequestInfo(method: ApiRequest['method'], path: string, query: URLSearchParams): RequestInfo {
  const document = {
    isResource: false,
    verb: method.toLowerCase(),
    path,
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
  };
  const segments = path.split('/').filter((segment) => segment !== '');
  const isCore = segments[0] === 'api';
  if (!isCore && segments[0] !== 'apis') return document;
  const [group, version, ...rest] = isCore ? ['', ...segments.slice(1)] : segments.slice(1);
  if (group === undefined || version === undefined || rest.length === 0) return document;
  const target = parseTarget(rest);
  const verb = verbOf(method, target.name, query);
  const pinned = target.name === '' && (verb === 'list' || verb === 'watch') ? pinnedIn(query) : undefined;
  return { isResource: true, verb, path, group, version, ...target, ...(pinned === undefined ? {} : { name: pinned }) };
}

function parseTarget(rest: readonly string[]): Pick<RequestInfo, 'namespace' | 'resource' | 'name' | 'subresource'> {
  const [first = '', second = '', third = ''] = rest;
  const isInNamespace = first === 'namespaces' && rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(third);
  if (isInNamespace) return { namespace: second, resource: third, name: rest[3] ?? '', subresource: rest.slice(4).join('/') };
  return { namespace: first === 'namespaces' ? second : '', resource: first, name: second, subresource: rest.slice(2).join('/') };
}

function verbOf(method: ApiRequest['method'], name: string, query: URLSearchParams): string {
  if (method === 'DELETE' && name === '') return 'deletecollection';
  if (method !== 'GET' && method !== 'HEAD') return VERBS[method];
  if (isTrue(query.get('watch'))) return 'watch';
  return name === '' ? 'list' : 'get';
}

/** `true`, `1`, or the bare word. */
export function isTrue(value: string | null): boolean {
  return value !== null && !['false', '0', 'f', 'F', 'FALSE', 'False'].includes(value);
}

function pinnedIn(query: URLSearchParams): string | undefined {
  try {
    return pinnedName(query.get('fieldSelector') ?? '');
  } catch {
    // The verb refuses a selector that can't be parsed, with the right answer.
    return undefined;
  }
}
