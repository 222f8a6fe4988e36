import { aborted } from '../../base/errors/index.ts';
import { isNotFound, type JsonObject, type KubeObject, type ObjectRef, type Status } from '../objects/index.ts';
import { discovery, kindNotServed, type Discovery, type Kind } from './discovery.ts';
import { collectionPath, creationPath, listQuery, objectPath, splitPath, watchQuery, writeQuery } from './paths.ts';
import { errorOf, objectOf } from './responses.ts';
import type {
  ApiRequest,
  ApiResponse,
  ApplyOptions,
  Cluster,
  DeleteOptions,
  Handle,
  KubeList,
  ListOptions,
  PatchKind,
  ResourceInfo,
  UserInfo,
  WatchOptions,
  WriteOptions,
} from './types.ts';
import { watchEvents } from './watch.ts';

const JSON_TYPE = 'application/json';
const APPLY_TYPE = 'application/apply-patch+yaml';
const PATCH_TYPES: Readonly<Record<PatchKind, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

export interface ConnectOptions {
  /** Who asks, for a handle that trusts its caller (in process). Over the wire the credentials of the handle decide. */
  readonly user?: UserInfo;
  /** Sent as User-Agent; default `sotto`. The API server names a write without field manager after it. */
  readonly userAgent?: string;
}

/**
 * A {@link Cluster} over any {@link Handle}. Discovery is cached per returned value and shared by its `as()`.
 *
 * @example
 * ```ts
 * const cluster = connect(handle, { user: { username: 'admin', groups: ['system:masters'] } });
 * const secret = await cluster.get({ apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'a' });
 * ```
 */
export function connect(handle: Handle, options: ConnectOptions = {}): Cluster {
  const send = sender(handle, options);
  const kinds = discovery(async (path) => objectOf(await send({ method: 'GET', path })));
  return clusterOver(send, kinds);
}

interface Call {
  readonly method: ApiRequest['method'];
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

type Send = (call: Call) => Promise<ApiResponse>;

function sender(handle: Handle, { user, userAgent = 'sotto' }: ConnectOptions): Send {
  return async ({ method, path, query = new URLSearchParams(), body, contentType = JSON_TYPE, headers = {}, signal }) => {
    if (signal?.aborted === true) throw aborted();
    return handle({
      method,
      path,
      query,
      headers: {
        accept: JSON_TYPE,
        'user-agent': userAgent,
        ...(body === undefined ? {} : { 'content-type': contentType }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: { kind: 'json', value: body } }),
      ...(user === undefined ? {} : { user }),
      signal: signal ?? new AbortController().signal,
    });
  };
}

/** Sends as somebody else. Several groups travel joined by `, `, as HTTP joins repeated headers. */
function impersonating(send: Send, username: string, groups: readonly string[]): Send {
  const headers = { 'impersonate-user': username, ...(groups.length === 0 ? {} : { 'impersonate-group': groups.join(', ') }) };
  return (call) => send({ ...call, headers: { ...call.headers, ...headers } });
}

function clusterOver(send: Send, kinds: Discovery): Cluster {
  /** Sends a call about a kind; an answer that the whole resource is unknown drops the stale discovery. */
  const call = async (kind: Kind, make: (resource: ResourceInfo) => Call): Promise<ApiResponse> => {
    const resource = await kinds.find(kind);
    if (resource === undefined) throw kindNotServed(kind);
    const response = await send(make(resource));
    if (response.status !== 404 || namesAnObject(errorOf(response).status)) return response;
    kinds.forget(kind.apiVersion);
    return response;
  };
  const objectCall = async (kind: Kind, make: (resource: ResourceInfo) => Call): Promise<KubeObject> =>
    objectOf(await call(kind, make)) as unknown as KubeObject;

  const get: Cluster['get'] = (ref, { signal, subresource } = {}) =>
    objectCall(ref, (resource) => ({ method: 'GET', path: objectPath(resource, ref.namespace, ref.name, subresource), signal }));

  const patch = (ref: ObjectRef, contentType: string, body: unknown, options: WriteOptions, force?: boolean): Promise<KubeObject> =>
    objectCall(ref, (resource) => ({
      method: 'PATCH',
      path: objectPath(resource, ref.namespace, ref.name, options.subresource),
      query: writeQuery(options, force),
      body,
      contentType,
      signal: options.signal,
    }));

  return {
    resourceFor: (kind) => kinds.find(kind),
    get,
    find: async (ref, options) => {
      try {
        return await get(ref, options);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    list: async (kind, options = {}) =>
      listOf(kind, objectOf(await call(kind, (resource) => listCall(resource, options, listQuery(options))))),
    watch: (kind, options) =>
      watchEvents((signal) => call(kind, (resource) => ({ ...listCall(resource, options, watchQuery(options)), signal })), options.signal),
    create: (object, options = {}) => objectCall(object, (resource) => creationCall(resource, object, options)),
    update: (object, options = {}) => objectCall(object, (resource) => updateCall(resource, object, options)),
    patch: (ref, kind, body, options = {}) => patch(ref, PATCH_TYPES[kind], body, options),
    apply: (object, options: ApplyOptions) => {
      const { namespace, name = '' } = object.metadata;
      const ref = { apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace === undefined ? {} : { namespace }) };
      return patch(ref, APPLY_TYPE, object, options, options.force);
    },
    delete: async (ref, options = {}) => {
      const response = await call(ref, (resource) => deletionCall(resource, ref, options));
      if (response.status >= 400) throw errorOf(response);
    },
    as: (username, groups = []) => clusterOver(impersonating(send, username, groups), kinds),
    request: async (method, path, body, { signal } = {}) =>
      objectOf(await send({ method, ...splitPath(path), ...(body === undefined ? {} : { body }), signal })),
  };
}

function listCall(resource: ResourceInfo, options: ListOptions | WatchOptions, query: URLSearchParams): Call {
  return { method: 'GET', path: collectionPath(resource, options.namespace), query, signal: options.signal };
}

function creationCall(resource: ResourceInfo, object: KubeObject, options: WriteOptions): Call {
  const { namespace, name = '' } = object.metadata;
  const path =
    options.subresource === undefined ? creationPath(resource, namespace) : objectPath(resource, namespace, name, options.subresource);
  return { method: 'POST', path, query: writeQuery(options), body: object, signal: options.signal };
}

function updateCall(resource: ResourceInfo, object: KubeObject, options: WriteOptions): Call {
  const { namespace, name = '' } = object.metadata;
  const path = objectPath(resource, namespace, name, options.subresource);
  return { method: 'PUT', path, query: writeQuery(options), body: object, signal: options.signal };
}

function deletionCall(resource: ResourceInfo, ref: ObjectRef, options: DeleteOptions): Call {
  const { dryRun, propagationPolicy, gracePeriodSeconds, preconditions, signal } = options;
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
  return { method: 'DELETE', path: objectPath(resource, ref.namespace, ref.name), body, signal };
}

/** A 404 about an object names it; one about an unknown path does not. */
function namesAnObject(status: Status): boolean {
  return (status.details?.name ?? '') !== '';
}

/** Items of built-in lists come without apiVersion and kind: the list says them once. */
function listOf(kind: Kind, list: JsonObject): KubeList {
  const metadata = (list['metadata'] ?? {}) as { resourceVersion?: string; continue?: string };
  const items = (Array.isArray(list['items']) ? list['items'] : []) as unknown as KubeObject[];
  return {
    resourceVersion: metadata.resourceVersion ?? '',
    items: items.map((item) =>
      item.apiVersion !== undefined && item.kind !== undefined
        ? item
        : Object.freeze({ ...item, apiVersion: kind.apiVersion, kind: kind.kind }),
    ),
    ...(metadata.continue === undefined || metadata.continue === '' ? {} : { continue: metadata.continue }),
  };
}
