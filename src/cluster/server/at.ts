import type { ApiRequest } from '../../kube/client/index.ts';
import { apiErrors } from '../../kube/objects/index.ts';
import { futureRevision, type Environment } from '../registry/index.ts';
import type { Store } from '../store/index.ts';
import { parseRequestInfo } from './requestInfo.ts';

const PREFIX = /^\/at\/(\d{1,15})(\/.*)?$/;

/**
 * The cluster as it was, for requests below `/at/REVISION/`: read-only, by today's access rules and kinds. Other
 * requests see the cluster as it is.
 *
 * @throws ApiError 405 for anything but GET and LIST, 504 for a revision to come
 */
export function viewAt(env: Environment, request: ApiRequest): { readonly env: Environment; readonly request: ApiRequest } {
  const [, text, path = '/'] = PREFIX.exec(request.path) ?? [];
  if (text === undefined) return { env, request };
  const revision = Number(text);
  if (revision > env.store.revision) throw futureRevision(revision, env.store.revision);
  const inner = { ...request, path };
  const { verb } = parseRequestInfo(inner.method, path, inner.query);
  const isReading = inner.method === 'GET' || inner.method === 'HEAD';
  if (!isReading || verb === 'watch') {
    throw apiErrors.of(405, 'MethodNotAllowed', `the cluster at revision ${revision} can only be read, by get and list`, {});
  }
  return { env: { ...env, store: storeAt(env.store, revision) }, request: inner };
}

function storeAt(store: Store, revision: number): Store {
  const refuse = (): never => {
    throw apiErrors.of(405, 'MethodNotAllowed', `the cluster at revision ${revision} can only be read, by get and list`, {});
  };
  const list = (resource: string, namespace?: string): ReturnType<Store['list']> => store.listAt(resource, revision, namespace);
  return {
    revision,
    get: ({ resource, namespace, name }) => list(resource, namespace).find(({ metadata }) => metadata.name === name),
    list,
    listAt: (resource, older, namespace) => store.listAt(resource, Math.min(older, revision), namespace),
    resources: () => store.resources(),
    put: refuse,
    remove: refuse,
    committed: () => store.committed(),
    since: () => undefined,
    oldest: (resource) => store.oldest(resource),
    subscribe: () => () => {},
    close: () => Promise.resolve(),
  };
}
