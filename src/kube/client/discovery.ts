import { ApiError, isJsonObject, isNotFound, parseApiVersion, type JsonObject } from '../objects/index.ts';
import type { ResourceInfo } from './types.ts';

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface Discovery {
  /** The resource that serves a kind; undefined when there is none, after reading discovery afresh once. */
  find(kind: Kind): Promise<ResourceInfo | undefined>;
  /** Forgets one group version, because an answer showed that it is out of date. */
  forget(apiVersion: string): void;
}

type Resources = ReadonlyMap<string, ResourceInfo>;

/** Path of a group version: `/api/v1` or `/apis/apps/v1`. */
export function groupVersionPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/**
 * Discovery, read one group version at a time when it is first asked for. Concurrent questions share one read.
 *
 * @param read GET of an absolute path; throws ApiError
 */
export function discovery(read: (path: string) => Promise<JsonObject>): Discovery {
  const known = new Map<string, Promise<Resources>>();

  const load = (apiVersion: string): Promise<Resources> => {
    const loading = read(groupVersionPath(apiVersion)).then(
      (list) => resourcesOf(apiVersion, list),
      (error: unknown) => {
        if (isNotFound(error)) return new Map<string, ResourceInfo>();
        if (known.get(apiVersion) === loading) known.delete(apiVersion);
        throw error;
      },
    );
    known.set(apiVersion, loading);
    return loading;
  };

  const find = async ({ apiVersion, kind }: Kind): Promise<ResourceInfo | undefined> => {
    const cached = known.get(apiVersion);
    const found = (await (cached ?? load(apiVersion))).get(kind);
    if (found !== undefined || cached === undefined) return found;
    // Somebody else may have begun the fresh read while this call waited for the old one.
    const fresh = known.get(apiVersion);
    return (await (fresh === undefined || fresh === cached ? load(apiVersion) : fresh)).get(kind);
  };

  return { find, forget: (apiVersion) => void known.delete(apiVersion) };
}

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** Reads an APIResourceList. */
function resourcesOf(apiVersion: string, list: JsonObject): Resources {
  const entries = (Array.isArray(list['resources']) ? list['resources'] : []).filter(isJsonObject) as unknown as ApiResource[];
  const subresources = new Map<string, string[]>();
  for (const { name } of entries) {
    const [plural, sub] = splitOnce(name);
    if (sub !== undefined) subresources.set(plural, [...(subresources.get(plural) ?? []), sub]);
  }
  const resources = new Map<string, ResourceInfo>();
  for (const entry of entries) {
    const { name: plural, kind } = entry;
    if (plural.includes('/') || resources.has(kind)) continue;
    resources.set(kind, {
      ...parseApiVersion(apiVersion),
      kind,
      plural,
      namespaced: entry.namespaced,
      verbs: entry.verbs,
      subresources: subresources.get(plural) ?? [],
    });
  }
  return resources;
}

function splitOnce(name: string): [plural: string, subresource: string | undefined] {
  const slash = name.indexOf('/');
  return slash < 0 ? [name, undefined] : [name.slice(0, slash), name.slice(slash + 1)];
}

/** The error for a kind that nothing serves. It is a NotFound: an object of such a kind does not exist. */
export function kindNotServed({ apiVersion, kind }: Kind): ApiError {
  return new ApiError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `no matches for kind "${kind}" in version "${apiVersion}"`,
      reason: 'NotFound',
      details: { kind, group: parseApiVersion(apiVersion).group, causes: [{ reason: KIND_NOT_SERVED }] },
      code: 404,
    },
    { retry: true, hint: 'is the CustomResourceDefinition of this kind installed?' },
  );
}

const KIND_NOT_SERVED = 'KindNotServed';

/** True when a call failed because nothing serves the kind: its CRD is missing, or not established yet. */
export function isKindNotServed(error: unknown): boolean {
  return isNotFound(error) && error instanceof ApiError && error.status.details?.causes?.[0]?.reason === KIND_NOT_SERVED;
}
