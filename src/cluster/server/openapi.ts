import type { ApiRequest } from '../../kube/client/index.ts';
import { openApiDocument, type OpenApiResource, type Schema } from '../../kube/schema/index.ts';
import type { Catalog, Resource, Version } from '../registry/index.ts';
import type { Answer } from './answer.ts';
import { hashOf, subresourcesIn, verbsOf } from './discovery.ts';

const ROOT = '/openapi/v3';

interface Document {
  readonly body: unknown;
  readonly hash: string;
}

/** Documents by path (`api/v1`, `apis/apps/v1`), made when asked for and kept while the catalogue stays the same. */
const caches = new WeakMap<Catalog, { generation: number; readonly documents: Map<string, Document> }>();

function cacheOf(catalog: Catalog): Map<string, Document> {
  const cache = caches.get(catalog);
  if (cache?.generation === catalog.generation) return cache.documents;
  const documents = new Map<string, Document>();
  caches.set(catalog, { generation: catalog.generation, documents });
  return documents;
}

interface Served {
  readonly resource: Resource;
  readonly version: Version;
}

/** `api/v1`, `apis/G/V` → what is served there. */
function groupVersions(catalog: Catalog): Map<string, Served[]> {
  const all = catalog.all().flatMap((resource) => resource.versions.map((version) => ({ resource, version })));
  return Map.groupBy(all, ({ resource, version }) =>
    resource.group === '' ? `api/${version.name}` : `apis/${resource.group}/${version.name}`,
  );
}

/** OpenAPI v3 documents (OAPI-01, OAPI-02); undefined for other paths. */
export function openApi(catalog: Catalog, path: string, request: ApiRequest): Answer | undefined {
  if (path === ROOT) return { kind: 'document', body: indexOf(catalog) };
  if (!path.startsWith(`${ROOT}/`)) return undefined;
  const name = path.slice(ROOT.length + 1);
  const document = documentOf(catalog, name);
  if (document === undefined) return undefined;
  const wanted = request.query.get('hash');
  const location = `${path}?hash=${document.hash}`;
  if (wanted !== null && wanted !== document.hash) return { kind: 'document', status: 301, body: undefined, headers: { location } };
  const cached = { 'cache-control': 'public, immutable', expires: 'Fri, 01 Jan 2100 00:00:00 GMT' };
  return { kind: 'document', body: document.body, headers: { etag: `"${document.hash}"`, ...(wanted === null ? {} : cached) } };
}

/** Hashes of the index name what a document is made of, so that the documents themselves are made when asked for. */
function indexOf(catalog: Catalog): unknown {
  const paths = Object.fromEntries(
    [...groupVersions(catalog)].map(([name, served]) => [name, { serverRelativeURL: `${ROOT}/${name}?hash=${hashFor(catalog, served)}` }]),
  );
  return { paths };
}

function hashFor(catalog: Catalog, served: readonly Served[]): string {
  // Built-in documents are the same for ever; those of CRDs change with the schema.
  const parts = served.map(({ resource, version }) => [
    resource.kind,
    resource.plural,
    version.name,
    resource.custom ? schemaHash(version) : null,
  ]);
  return hashOf(parts).slice(0, 64).toUpperCase();
}

const schemaHashes = new WeakMap<Version, string>();

/** Schemas of CRDs can be large: each is hashed once. */
function schemaHash(version: Version): string {
  const known = schemaHashes.get(version);
  if (known !== undefined) return known;
  const hash = hashOf(version.schema ?? {});
  schemaHashes.set(version, hash);
  return hash;
}

function documentOf(catalog: Catalog, name: string): Document | undefined {
  const documents = cacheOf(catalog);
  const known = documents.get(name);
  if (known !== undefined) return known;
  const served = groupVersions(catalog).get(name);
  if (served === undefined) return undefined;
  const resources = served.map(({ resource, version }): OpenApiResource => ({
    group: resource.group,
    version: version.name,
    kind: resource.kind,
    plural: resource.plural,
    namespaced: resource.namespaced,
    verbs: verbsOf(resource),
    subresources: subresourcesIn(resource, version),
  }));
  const schemas = new Map(
    served.flatMap(({ resource, version }): [string, Schema][] => (version.schema === undefined ? [] : [[resource.kind, version.schema]])),
  );
  const document = { body: openApiDocument(name.replace(/^apis?\//, ''), resources, schemas), hash: hashFor(catalog, served) };
  documents.set(name, document);
  return document;
}
