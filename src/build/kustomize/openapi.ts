import { SottoError } from '../../base/errors/index.ts';
import { apiVersionOf, isJsonObject, type Json, type JsonObject } from '../../kube/objects/index.ts';
import { parseDocuments, toJson } from '../../text/yaml/index.ts';
import type { Loader } from './loader.ts';
import { schemaOfKind, typeSchema, type MergedList, type MergeType, type SchemaSource } from './mergeschema.ts';
import type { Session } from './session.ts';

const BUILT_IN_VERSION = 'v1.21.2';
const GVK = 'x-kubernetes-group-version-kind';

/**
 * Takes over the `openapi` field of a kustomization file. The first one of a build wins, the root's comes first. A schema
 * of the user's replaces the built-in one, or is laid over it when the caller keeps that.
 *
 * @throws SottoError KUSTOMIZE_OPENAPI, KUSTOMIZE_LOAD
 */
export function useOpenApi(session: Session, loader: Loader, field: Readonly<Record<string, string>> | undefined, file: string): void {
  if (field === undefined || session.hasSchema) return;
  const { path, version = '' } = field;
  if (path !== undefined && field['version'] !== undefined) {
    throw new SottoError('KUSTOMIZE_OPENAPI', 'builtin version and custom schema provided, cannot use both', { at: { file } });
  }
  if (path !== undefined) {
    const own = parseOpenApi(loader.text(path), loader.locate(path), session);
    session.useSchema(session.keepsBuiltinSchema ? (apiVersion, kind) => own(apiVersion, kind) ?? schemaOfKind(apiVersion, kind) : own);
  } else if (version === BUILT_IN_VERSION) {
    session.useSchema(schemaOfKind);
  } else if (version !== '') {
    throw new SottoError('KUSTOMIZE_OPENAPI', `the specified OpenAPI version is not built in: '${version}'`, {
      at: { file },
      hint: `only ${BUILT_IN_VERSION} is`,
    });
  }
}

function parseOpenApi(text: string, file: string, session: Session): SchemaSource {
  const root = parseDocuments(text, { profile: 'yaml11', file, duplicateKeys: 'last' })[0]?.root;
  const document = root === undefined ? {} : toJson(root, { profile: 'yaml11', file });
  if (!isJsonObject(document)) throw new SottoError('KUSTOMIZE_OPENAPI', 'invalid schema file: expected a map', { at: { file } });
  if (isJsonObject(document['paths']) && Object.keys(document['paths']).length > 0) {
    session.warn({ message: 'paths of an openapi file do not change which kinds are cluster-scoped', file });
  }
  const definitions = isJsonObject(document['definitions']) ? document['definitions'] : {};
  return new Definitions(definitions).source();
}

/** OpenAPI v2 definitions as merge types. */
class Definitions {
  readonly #types: Record<string, MergeType> = {};
  readonly #kinds = new Map<string, string>();

  constructor(definitions: JsonObject) {
    for (const [name, definition] of Object.entries(definitions)) {
      if (!isJsonObject(definition)) continue;
      this.#addType(name, definition);
      for (const kind of kindsOf(definition)) this.#kinds.set(kind, name);
    }
  }

  source(): SchemaSource {
    return (apiVersion, kind) => typeSchema(this.#types, this.#kinds.get(`${apiVersion} ${kind}`));
  }

  #addType(name: string, schema: JsonObject): void {
    const lists: Record<string, MergedList> = {};
    const maps: Record<string, string> = {};
    for (const [field, property] of Object.entries(isJsonObject(schema['properties']) ? schema['properties'] : {})) {
      if (!isJsonObject(property)) continue;
      const inner = `${name}/${field}`;
      if (property['type'] === 'array') {
        const list = this.#listOf(property, inner);
        if (list !== undefined) define(lists, field, list);
      } else {
        define(maps, field, this.#typeOf(property, inner));
      }
    }
    const others = schema['additionalProperties'];
    const values = isJsonObject(others) ? { values: this.#typeOf(others, `${name}/*`) } : {};
    define(this.#types, name, { lists, maps, ...values });
  }

  #typeOf(schema: JsonObject, name: string): string {
    const reference = schema['$ref'];
    if (typeof reference === 'string') return reference.replace('#/definitions/', '');
    this.#addType(name, schema);
    return name;
  }

  #listOf(schema: JsonObject, name: string): MergedList | undefined {
    const strategy = schema['x-kubernetes-patch-strategy'];
    if (typeof strategy !== 'string' || !strategy.split(',').includes('merge')) return undefined;
    const mapKeys = schema['x-kubernetes-list-map-keys'];
    const mergeKey = schema['x-kubernetes-patch-merge-key'];
    const keys = Array.isArray(mapKeys) ? mapKeys.map(String) : typeof mergeKey === 'string' ? [mergeKey] : [];
    return isJsonObject(schema['items']) ? { keys, element: this.#typeOf(schema['items'], name) } : { keys };
  }
}

function kindsOf(definition: JsonObject): string[] {
  const kinds = definition[GVK];
  if (!Array.isArray(kinds)) return [];
  return kinds.filter(isJsonObject).map((gvk) => {
    const { group, version, kind } = { group: text(gvk['group']), version: text(gvk['version']), kind: text(gvk['kind']) };
    return `${apiVersionOf({ group, version })} ${kind}`;
  });
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Sets an own key even when it is called `__proto__`. */
function define<T>(target: Record<string, T>, key: string, value: T): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}
