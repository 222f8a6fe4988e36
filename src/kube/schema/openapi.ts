import { isJsonObject, setOwn, type GroupVersionKind, type Json, type JsonObject } from '../objects/index.ts';
import type { Schema } from './types.ts';

/** What an OpenAPI document says about one resource. */
export interface OpenApiResource extends GroupVersionKind {
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources?: readonly (string | { readonly name: string })[];
}

const JSON_PATCHES = ['application/json-patch+json', 'application/merge-patch+json'];
const APPLY_PATCH = 'application/apply-patch+yaml';
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';

/**
 * The OpenAPI v3 document of one group version (OAPI-02, 03, 05): a path for every resource with the
 * `fieldValidation` parameter and patch media types, and the schemas of all kinds with their extensions.
 *
 * @param groupVersion `v1` or `apps/v1`
 * @param schemas by kind; those with a title are built-in and offer strategic merge patches
 */
export function openApiDocument(
  groupVersion: string,
  resources: readonly OpenApiResource[],
  schemas: ReadonlyMap<string, Schema>,
): JsonObject {
  const components = new Components();
  const paths: JsonObject = {};
  for (const resource of resources) {
    const schema = schemas.get(resource.kind);
    const ref = schema === undefined ? { type: 'object' } : components.root(resource, schema);
    const media = schema?.title === undefined ? JSON_PATCHES : [...JSON_PATCHES, STRATEGIC_PATCH];
    const base = `${groupVersion.includes('/') ? '/apis' : '/api'}/${groupVersion}`;
    const collection = `${base}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}`;
    paths[collection] = pathItem(resource, ref, [...media, APPLY_PATCH], COLLECTION);
    paths[`${collection}/{name}`] = pathItem(resource, ref, [...media, APPLY_PATCH], ITEM);
    for (const subresource of resource.subresources ?? []) {
      const name = typeof subresource === 'string' ? subresource : subresource.name;
      if (name === 'status') paths[`${collection}/{name}/status`] = pathItem(resource, ref, [...media, APPLY_PATCH], STATUS);
    }
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths,
    components: { schemas: components.all() },
  };
}

interface Method {
  readonly method: string;
  readonly verb: string;
  readonly action: string;
  readonly isWrite: boolean;
}

const COLLECTION: readonly Method[] = [
  { method: 'get', verb: 'list', action: 'list', isWrite: false },
  { method: 'post', verb: 'create', action: 'post', isWrite: true },
  { method: 'delete', verb: 'deletecollection', action: 'deletecollection', isWrite: false },
];
const ITEM: readonly Method[] = [
  { method: 'get', verb: 'get', action: 'get', isWrite: false },
  { method: 'put', verb: 'update', action: 'put', isWrite: true },
  { method: 'patch', verb: 'patch', action: 'patch', isWrite: true },
  { method: 'delete', verb: 'delete', action: 'delete', isWrite: false },
];
const STATUS = ITEM.filter(({ verb }) => verb !== 'delete');

function pathItem(resource: OpenApiResource, ref: JsonObject, patchMedia: readonly string[], methods: readonly Method[]): JsonObject {
  const gvk: JsonObject = { group: resource.group, version: resource.version, kind: resource.kind };
  const item: JsonObject = {};
  for (const { method, verb, action, isWrite } of methods) {
    if (!resource.verbs.includes(verb)) continue;
    const media = method === 'patch' ? patchMedia : ['application/json', 'application/yaml'];
    item[method] = {
      ...(isWrite ? { parameters: WRITE_PARAMETERS.map(queryParameter), requestBody: { content: contentOf(media, ref) } } : {}),
      responses: { '200': { description: 'OK', content: contentOf(['application/json'], ref) } },
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': gvk,
    };
  }
  return item;
}

const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'];

function queryParameter(name: string): JsonObject {
  return { name, in: 'query', schema: { type: 'string', uniqueItems: true } };
}

function contentOf(media: readonly string[], ref: JsonObject): JsonObject {
  return Object.fromEntries(media.map((type) => [type, { schema: ref }]));
}

/** Collects definitions; those with a title are written once and referred to. */
class Components {
  readonly #schemas = new Map<string, JsonObject>();

  /** The schema of a kind, under its title or a name made of its group, version and kind. */
  root(gvk: GroupVersionKind, schema: Schema): JsonObject {
    const name = schema.title ?? [...gvk.group.split('.').toReversed(), gvk.version, gvk.kind].filter((part) => part !== '').join('.');
    const ref = this.#define(name, schema);
    const node = this.#schemas.get(name);
    if (node !== undefined) {
      const entry: JsonObject = { group: gvk.group, version: gvk.version, kind: gvk.kind };
      const known = node['x-kubernetes-group-version-kind'];
      node['x-kubernetes-group-version-kind'] = Array.isArray(known) ? [...known, entry] : [entry];
    }
    return ref;
  }

  all(): JsonObject {
    return Object.fromEntries([...this.#schemas].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #define(name: string, schema: Schema): JsonObject {
    const ref = { $ref: `#/components/schemas/${name}` };
    if (this.#schemas.has(name)) return ref;
    const node: JsonObject = {};
    this.#schemas.set(name, node);
    Object.assign(node, this.#node(schema));
    return ref;
  }

  /** A reference where the definition says it all, else the node itself; markers of a field stand beside `allOf`. */
  #field(schema: Schema): JsonObject {
    if (schema.title === undefined) return this.#node(schema);
    // A union of a definition and something else is published without a type.
    if (schema.type === undefined) return {};
    const ref = this.#define(schema.title, schema);
    const markers = patchMarkers(schema);
    return Object.keys(markers).length === 0 ? ref : { allOf: [ref], ...markers };
  }

  #node(schema: Schema): JsonObject {
    const node: JsonObject = { ...keywordsOf(schema), ...extensionsOf(schema), ...patchMarkers(schema) };
    if (schema.title !== undefined) delete node['x-kubernetes-patch-strategy'];
    if (schema.properties !== undefined) node.properties = this.#fields(schema.properties);
    if (schema.items !== undefined) node.items = this.#field(schema.items);
    if (schema.not !== undefined) node.not = this.#field(schema.not);
    const { additionalProperties } = schema;
    if (additionalProperties !== undefined) {
      node.additionalProperties = typeof additionalProperties === 'object' ? this.#field(additionalProperties) : additionalProperties;
    }
    for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const) {
      const parts = schema[junctor];
      if (parts !== undefined) node[junctor] = parts.map((part) => this.#field(part));
    }
    return node;
  }

  #fields(properties: Readonly<Record<string, Schema>>): JsonObject {
    const fields: JsonObject = {};
    for (const [name, field] of Object.entries(properties)) setOwn(fields, name, this.#field(field));
    return fields;
  }
}

const KEYWORDS = (
  'type format description required nullable default enum pattern minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength ' +
  'maxLength minItems maxItems minProperties maxProperties'
).split(' ');

/** Scalars whose published form differs from how they are stored here. */
const SCALAR_FORMS: Readonly<Record<NonNullable<Schema['scalar']>, JsonObject>> = {
  quantity: { type: 'string' },
  'int-or-string': { type: 'string', format: 'int-or-string' },
  time: { type: 'string', format: 'date-time' },
  'micro-time': { type: 'string', format: 'date-time' },
  json: {},
};

function keywordsOf(schema: Schema): JsonObject {
  if (schema.scalar !== undefined) return SCALAR_FORMS[schema.scalar];
  const node: JsonObject = {};
  for (const keyword of KEYWORDS) {
    const value = Object.hasOwn(schema, keyword) ? (schema as unknown as Record<string, Json>)[keyword] : undefined;
    if (value !== undefined) node[keyword] = value;
  }
  return node;
}

const EXTENSIONS: readonly (readonly [keyof Schema, string])[] = [
  ['listType', 'x-kubernetes-list-type'],
  ['listMapKeys', 'x-kubernetes-list-map-keys'],
  ['mapType', 'x-kubernetes-map-type'],
  ['preserveUnknownFields', 'x-kubernetes-preserve-unknown-fields'],
  ['intOrString', 'x-kubernetes-int-or-string'],
  ['embeddedResource', 'x-kubernetes-embedded-resource'],
  ['validations', 'x-kubernetes-validations'],
];

function extensionsOf(schema: Schema): JsonObject {
  if (schema.scalar !== undefined) return {};
  return Object.fromEntries(
    EXTENSIONS.flatMap(([key, name]) => {
      const value = schema[key] as Json | undefined;
      return value === undefined ? [] : [[name, isJsonObject(value) ? { ...value } : value]];
    }),
  );
}

function patchMarkers(schema: Schema): JsonObject {
  return {
    ...(schema.patchStrategy === undefined ? {} : { 'x-kubernetes-patch-strategy': schema.patchStrategy }),
    ...(schema.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': schema.patchMergeKey }),
  };
}
