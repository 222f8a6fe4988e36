import { createHash } from 'node:crypto';

import { compareVersions, type Catalog, type Resource, type Version } from '../registry/index.ts';
import type { Answer } from './answer.ts';
import { wantsAggregated } from './negotiate.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const STORED_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** The verbs that discovery lists for a resource. */
export function verbsOf(resource: Resource): string[] {
  if (resource.rules.virtual === true) return ['create'];
  return STORED_VERBS.filter((verb) => verb !== 'deletecollection' || resource.rules.noDeleteCollection !== true);
}

/** Verbs and kind of a subresource. */
function subresourceOf(
  resource: Resource,
  version: Version,
  name: string,
): { verbs: string[]; group: string; version: string; kind: string } {
  if (name === 'token') return { verbs: ['create'], group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
  const verbs = name === 'finalize' ? ['update'] : ['get', 'patch', 'update'];
  const isScale = name === 'scale';
  return isScale
    ? { verbs, group: 'autoscaling', version: 'v1', kind: 'Scale' }
    : { verbs, group: resource.group, version: version.name, kind: resource.kind };
}

/** The subresources that a version serves. */
export function subresourcesIn(resource: Resource, version: Version): string[] {
  return resource.subresources.filter((name) =>
    name === 'status' ? version.status : name === 'scale' ? version.scale !== undefined : true,
  );
}

interface Group {
  readonly name: string;
  /** Preferred first. */
  readonly versions: readonly { readonly name: string; readonly resources: readonly { resource: Resource; version: Version }[] }[];
}

function groupsOf(catalog: Catalog): Group[] {
  const groups = Map.groupBy(catalog.all(), (resource) => resource.group);
  return [...groups].map(([name, resources]) => {
    const entries = resources.flatMap((resource) => resource.versions.map((version) => ({ resource, version })));
    const versions = Map.groupBy(entries, ({ version }) => version.name);
    return {
      name,
      versions: [...versions]
        .map(([version, served]) => ({ name: version, resources: served }))
        .toSorted((a, b) => compareVersions(a.name, b.name)),
    };
  });
}

/** Discovery documents (DISC-01 … DISC-05); undefined for other paths. */
export function discovery(catalog: Catalog, path: string, headers: Readonly<Record<string, string>>): Answer | undefined {
  const [, root = '', first, second, ...more] = path.split('/');
  if ((root !== 'api' && root !== 'apis') || more.length > 0) return undefined;
  const groups = groupsOf(catalog);
  if (first === undefined) {
    const wanted = groups.filter((group) => (group.name === '') === (root === 'api'));
    if (wantsAggregated(headers['accept'])) return aggregated(wanted, headers);
    return { kind: 'document', body: root === 'api' ? coreVersions() : groupList(wanted) };
  }
  const group = groups.find(({ name }) => name === (root === 'api' ? '' : first));
  const versionName = root === 'api' ? first : second;
  if (group === undefined || (root === 'api' && second !== undefined)) return undefined;
  if (versionName === undefined) return { kind: 'document', body: { kind: 'APIGroup', apiVersion: 'v1', ...classicGroup(group) } };
  const version = group.versions.find(({ name }) => name === versionName);
  return version === undefined ? undefined : { kind: 'document', body: resourceList(group, version) };
}

function coreVersions(): unknown {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }] };
}

function groupList(groups: readonly Group[]): unknown {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(classicGroup) };
}

function classicGroup({ name, versions }: Group): object {
  const shown = versions.map((version) => ({ groupVersion: `${name}/${version.name}`, version: version.name }));
  return { name, versions: shown, preferredVersion: shown[0] };
}

function resourceList({ name, versions: _ }: Group, version: Group['versions'][number]): unknown {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: name === '' ? version.name : `${name}/${version.name}`,
    resources: version.resources.flatMap(({ resource, version: served }) => [
      {
        name: resource.plural,
        singularName: resource.singular,
        namespaced: resource.namespaced,
        kind: resource.kind,
        verbs: verbsOf(resource),
        ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
        ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
        ...(resource.rules.virtual === true
          ? {}
          : { storageVersionHash: hashOf([resource.group, resource.storageVersion, resource.kind]).slice(0, 12) }),
      },
      ...subresourcesIn(resource, served).map((subresource) => classicSubresource(resource, served, subresource)),
    ]),
  };
}

function classicSubresource(resource: Resource, version: Version, subresource: string): unknown {
  const { verbs, group, version: name, kind } = subresourceOf(resource, version, subresource);
  const own = group === resource.group && name === version.name;
  return {
    name: `${resource.plural}/${subresource}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(own ? {} : { group, version: name }),
    kind,
    verbs,
  };
}

function aggregated(groups: readonly Group[], headers: Readonly<Record<string, string>>): Answer {
  const body = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items: groups.map(aggregatedGroup) };
  const etag = `"${hashOf(body).toUpperCase()}"`;
  const common = { etag, vary: 'Accept', 'cache-control': 'public' };
  if (headers['if-none-match'] === etag) return { kind: 'document', status: 304, body: undefined, headers: common };
  return { kind: 'document', body, headers: { ...common, 'content-type': AGGREGATED } };
}

function aggregatedGroup({ name, versions }: Group): unknown {
  return {
    metadata: name === '' ? { creationTimestamp: null } : { name, creationTimestamp: null },
    versions: versions.map((version) => ({
      version: version.name,
      resources: version.resources.map(({ resource, version: served }) => aggregatedResource(resource, served)),
      freshness: 'Current',
    })),
  };
}

function aggregatedResource(resource: Resource, version: Version): unknown {
  const subresources = subresourcesIn(resource, version).map((name) => {
    const { verbs, kind, group, version: kindVersion } = subresourceOf(resource, version, name);
    return { subresource: name, responseKind: { group, version: kindVersion, kind }, verbs };
  });
  return {
    resource: resource.plural,
    responseKind: { group: resource.group, version: version.name, kind: resource.kind },
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: verbsOf(resource),
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}

/** A stable hash of a document. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
