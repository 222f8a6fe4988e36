import type { JsonObject, KubeObject, ObjectRef } from '../objects/index.ts';

/** Who makes a request, after authentication. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** In process bodies are values, over the wire they are bytes with a content type. */
export type ApiBody = { readonly kind: 'json'; readonly value: unknown } | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  /** Decoded by segment, without query: `/api/v1/namespaces/default/secrets/a`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. A header that is sent several times (`impersonate-group`) has its values joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: ApiBody;
  /** Set by whoever authenticated the caller (TLS client certificate, in-process caller); otherwise headers decide. */
  readonly user?: UserInfo;
  readonly signal: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body:
    | { readonly kind: 'none' }
    /** A JSON value; frozen when it is a stored object. */
    | { readonly kind: 'json'; readonly value: unknown }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
    /** A watch: one JSON value a frame, until the iterator ends or the request's signal fires. */
    | { readonly kind: 'stream'; readonly frames: AsyncIterable<unknown> };
}

/** An API server as a function. It answers errors as responses and throws only when it was not reached. */
export type Handle = (request: ApiRequest) => Promise<ApiResponse>;

/** One served resource, as discovery describes it. */
export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

export interface KubeList {
  readonly resourceVersion: string;
  readonly items: readonly KubeObject[];
  /** Set when there are more pages. */
  readonly continue?: string;
}

/** ERROR frames are thrown as ApiError by the iterator, never delivered. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubeObject;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
  readonly sendInitialEvents?: boolean;
}

export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly subresource?: string;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  readonly force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  readonly dryRun?: boolean;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export type PatchKind = 'json' | 'merge' | 'strategic';

/**
 * A Kubernetes API as controllers see it. Every call throws {@link ApiError} for an answer other than
 * success. Returned objects are frozen. A `kind` parameter needs only apiVersion and kind.
 */
export interface Cluster {
  /** Reads discovery (cached; read again once when the kind is unknown). Undefined when nothing serves it. */
  resourceFor(kind: { readonly apiVersion: string; readonly kind: string }): Promise<ResourceInfo | undefined>;
  get(ref: ObjectRef, options?: CallOptions & { readonly subresource?: string }): Promise<KubeObject>;
  /** Like {@link get}, but undefined when the object does not exist. */
  find(ref: ObjectRef, options?: CallOptions): Promise<KubeObject | undefined>;
  list(kind: { readonly apiVersion: string; readonly kind: string }, options?: ListOptions): Promise<KubeList>;
  /** Events from `options.resourceVersion` on. Ends when the server ends the stream. */
  watch(kind: { readonly apiVersion: string; readonly kind: string }, options: WatchOptions): AsyncIterable<WatchEvent>;
  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  update(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  patch(ref: ObjectRef, kind: PatchKind, patch: unknown, options?: WriteOptions): Promise<KubeObject>;
  /** Server-side apply. */
  apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /** The same cluster as another user (impersonation). */
  as(username: string, groups?: readonly string[]): Cluster;
  /** A raw request, for discovery documents and reviews. */
  request(method: ApiRequest['method'], path: string, body?: JsonObject, options?: CallOptions): Promise<JsonObject>;
}
