import { apiErrors, cloneJson, deepEqual, deepFreeze, type ApiError, type JsonObject, type KubeObject } from '../objects/index.ts';
import type { ApiRequest, ApiResponse, Handle } from './types.ts';

/** A resource that {@link memoryServer} serves. */
export interface MemoryResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

export interface MemoryServer {
  readonly handle: Handle;
  readonly resources: MemoryResource[];
  /** Every request that came in. */
  readonly requests: ApiRequest[];
  /** Ends all watches, as a load balancer does. */
  dropWatches(): void;
  /** Forgets history: watches from older versions answer 410. */
  compact(): void;
  /** Answers the next requests for which `matches` holds with this error. */
  failNext(error: ApiError, matches?: (request: ApiRequest) => boolean): void;
}

interface Change {
  readonly version: number;
  readonly plural: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

interface Listener {
  readonly push: (frame: unknown) => void;
  readonly end: () => void;
  readonly wants: (change: Change) => boolean;
}

/**
 * A tiny API server for unit tests of clients and controllers: objects in a map, a history, watches, optimistic
 * locking, the status subresource, merge patches. No validation, no access control.
 */
export function memoryServer(resources: MemoryResource[]): MemoryServer {
  const objects = new Map<string, KubeObject>();
  let history: Change[] = [];
  let version = 100;
  let oldest = 0;
  const listeners = new Set<Listener>();
  const requests: ApiRequest[] = [];
  const failures: { error: ApiError; matches: (request: ApiRequest) => boolean }[] = [];

  const store = (plural: string, type: Change['type'], object: KubeObject): KubeObject => {
    version += 1;
    const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    const key = keyOf(plural, stored.metadata.namespace, stored.metadata.name);
    if (type === 'DELETED') objects.delete(key);
    else objects.set(key, stored);
    const change = { version, plural, type, object: stored };
    history.push(change);
    for (const listener of listeners) if (listener.wants(change)) listener.push({ type, object: stored });
    return stored;
  };

  const watch = (request: ApiRequest, target: Target): ApiResponse => {
    const from = Number(request.query.get('resourceVersion') ?? '0');
    const matches = selectorOf(request.query);
    const wants = (change: Change): boolean => change.plural === target.plural && inScope(change.object, target) && matches(change.object);
    if (from !== 0 && from < oldest) {
      const { status } = apiErrors.expired(`too old resource version: ${from} (${oldest})`);
      return stream(request.signal, [{ type: 'ERROR', object: status }], () => {});
    }
    const missed = history.filter((change) => change.version > from && wants(change));
    return stream(request.signal, missed, (listener) => {
      const full = { ...listener, wants };
      listeners.add(full);
      request.signal.addEventListener('abort', () => {
        listeners.delete(full);
        full.end();
      });
    });
  };

  const list = (request: ApiRequest, target: Target): ApiResponse => {
    const matches = selectorOf(request.query);
    const items = [...objects]
      .filter(([key, object]) => key.startsWith(`${target.plural}|`) && inScope(object, target) && matches(object))
      .map(([, object]) => object);
    return json(200, {
      apiVersion: target.resource.apiVersion,
      kind: `${target.resource.kind}List`,
      metadata: { resourceVersion: String(version) },
      items,
    });
  };

  const create = (target: Target, body: KubeObject): ApiResponse => {
    const name = body.metadata.name ?? `${body.metadata.generateName ?? ''}${version}`;
    const namespace = target.namespace;
    if (objects.has(keyOf(target.plural, namespace, name))) throw apiErrors.alreadyExists(nameOf(target), name);
    const metadata = {
      ...body.metadata,
      name,
      uid: `uid-${version + 1}`,
      generation: 1,
      ...(namespace === undefined ? {} : { namespace }),
    };
    return json(201, store(target.plural, 'ADDED', { ...cloneJson(body), metadata }));
  };

  const write = (target: Target, old: KubeObject, next: KubeObject): ApiResponse => {
    const sent = next.metadata.resourceVersion;
    if (sent !== undefined && sent !== old.metadata.resourceVersion) {
      throw apiErrors.conflict(
        nameOf(target),
        target.name,
        'the object has been modified; please apply your changes to the latest version',
      );
    }
    const merged: KubeObject = target.subresource === 'status' ? { ...old, status: next['status'] } : { ...next, status: old['status'] };
    const metadata = { ...(target.subresource === 'status' ? old.metadata : next.metadata), uid: old.metadata.uid };
    const generation = (old.metadata.generation ?? 1) + (deepEqual(merged['spec'], old['spec']) ? 0 : 1);
    const { resourceVersion: _, ...rest } = metadata;
    const result = cloneJson({ ...merged, metadata: { ...rest, generation } }) as KubeObject;
    return json(200, store(target.plural, 'MODIFIED', result));
  };

  const route = (request: ApiRequest): ApiResponse => {
    const failure = failures.findIndex(({ matches }) => matches(request));
    if (failure >= 0) throw failures.splice(failure, 1)[0]?.error ?? apiErrors.internal('no failure');
    const discovered = discoveryOf(resources, request.path);
    if (discovered !== undefined) return json(200, discovered);
    const target = targetOf(resources, request.path);
    if (target.name === '') {
      if (request.method === 'POST') return create(target, bodyOf(request) as KubeObject);
      return request.query.get('watch') === 'true' ? watch(request, target) : list(request, target);
    }
    const old = objects.get(keyOf(target.plural, target.namespace, target.name));
    const isApply = request.headers['content-type'] === 'application/apply-patch+yaml';
    if (old === undefined && isApply) return create(target, bodyOf(request) as KubeObject);
    if (old === undefined) throw apiErrors.notFound(nameOf(target), target.name);
    if (request.method === 'GET') return json(200, old);
    if (request.method === 'DELETE') return json(200, store(target.plural, 'DELETED', cloneJson(old)));
    const body = bodyOf(request);
    const next = request.method === 'PUT' ? body : mergePatch(withoutVersion(old), Array.isArray(body) ? {} : body);
    return write(target, old, next as KubeObject);
  };

  return {
    resources,
    requests,
    handle: async (request) => {
      requests.push(request);
      try {
        return route(request);
      } catch (error) {
        const { status } = error as ApiError;
        return json(status.code ?? 500, status);
      }
    },
    dropWatches: () => {
      for (const listener of listeners) listener.end();
      listeners.clear();
    },
    compact: () => {
      history = [];
      oldest = version;
    },
    failNext: (error, matches = () => true) => failures.push({ error, matches }),
  };
}

interface Target {
  readonly resource: MemoryResource;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource: string | undefined;
}

function targetOf(resources: readonly MemoryResource[], path: string): Target {
  const parts = path.split('/').slice(1);
  const apiVersion = parts[0] === 'api' ? (parts[1] ?? '') : `${parts[1]}/${parts[2]}`;
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const isScoped = rest[0] === 'namespaces' && rest.length > 2;
  const [plural = '', name = '', subresource] = isScoped ? rest.slice(2) : rest;
  const resource = resources.find((candidate) => candidate.apiVersion === apiVersion && candidate.plural === plural);
  if (resource === undefined) throw apiErrors.of(404, 'NotFound', 'the server could not find the requested resource', {});
  return { resource, plural, namespace: isScoped ? rest[1] : undefined, name, subresource };
}

function discoveryOf(resources: readonly MemoryResource[], path: string): JsonObject | undefined {
  const apiVersion = /^\/api\/([^/]+)$/.exec(path)?.[1] ?? /^\/apis\/([^/]+\/[^/]+)$/.exec(path)?.[1];
  const served = resources.filter((resource) => resource.apiVersion === apiVersion);
  if (apiVersion === undefined || served.length === 0) return undefined;
  const entries = served.flatMap(({ plural, kind, namespaced }) => [
    { name: plural, kind, namespaced, verbs: ['get', 'list', 'watch'] },
    { name: `${plural}/status`, kind, namespaced, verbs: ['get', 'patch', 'update'] },
  ]);
  return { kind: 'APIResourceList', groupVersion: apiVersion, resources: entries };
}

function stream(signal: AbortSignal, first: readonly unknown[], listen: (listener: Omit<Listener, 'wants'>) => void): ApiResponse {
  const queue = first.map((change) =>
    'version' in (change as Change) ? { type: (change as Change).type, object: (change as Change).object } : change,
  );
  let wake = (): void => {};
  let isOver = signal.aborted;
  listen({
    push: (frame) => {
      queue.push(frame);
      wake();
    },
    end: () => {
      isOver = true;
      wake();
    },
  });
  const frames = async function* (): AsyncGenerator<unknown> {
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else if (isOver) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return { status: 200, headers: {}, body: { kind: 'stream', frames: frames() } };
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as Record<string, unknown> | undefined) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

function withoutVersion(object: KubeObject): KubeObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function selectorOf(query: URLSearchParams): (object: KubeObject) => boolean {
  const pairs = (query.get('labelSelector') ?? '').split(',').filter((part) => part !== '');
  const field = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '')?.[1];
  return ({ metadata }) =>
    (field === undefined || metadata.name === field) &&
    pairs.every((pair) => {
      const [key = '', value = ''] = pair.split('=');
      return metadata.labels?.[key] === value;
    });
}

const inScope = (object: KubeObject, { namespace }: Target): boolean => namespace === undefined || object.metadata.namespace === namespace;
const keyOf = (plural: string, namespace: string | undefined, name: string | undefined): string => `${plural}|${namespace ?? ''}|${name}`;
const nameOf = ({ resource, plural }: Target) => ({
  plural,
  group: resource.apiVersion.includes('/') ? resource.apiVersion.replace(/\/.*/, '') : '',
});
const bodyOf = ({ body }: ApiRequest): unknown => (body?.kind === 'json' ? cloneJson(body.value) : {});
const json = (status: number, value: unknown): ApiResponse => ({ status, headers: {}, body: { kind: 'json', value } });
