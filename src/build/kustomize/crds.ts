import { isJsonObject, type Json, type JsonObject } from '../../kube/objects/index.ts';
import { SottoError } from '../../base/errors/index.ts';
import { parseDocuments, toJson } from '../../text/yaml/index.ts';
import { mergeFieldSpec } from './fieldspec.ts';
import type { FieldSpec } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { EMPTY_CONFIG, mergeConfigs, type NameReference, type TransformerConfig } from './transformerconfig.ts';

/** Extensions of properties, and what they add to. */
const EXTENSIONS = [
  ['x-kubernetes-annotation', 'commonAnnotations'],
  ['x-kubernetes-label-selector', 'commonLabels'],
  ['x-kubernetes-identity', 'namePrefix'],
] as const;
const REFERENCE_VERSION = 'x-kubernetes-object-ref-api-version';
const REFERENCE_KIND = 'x-kubernetes-object-ref-kind';
const REFERENCE_NAME = 'x-kubernetes-object-ref-name-key';

/**
 * Field specs that Go OpenAPI definitions imply: a map from type name to `{Schema: {properties}}`
 * (k:api/internal/accumulator/loadconfigfromcrds.go).
 *
 * @throws SottoError KUSTOMIZE_INVALID_FILE, KUSTOMIZE_LOAD, YAML_SYNTAX
 */
export function loadCrds(loader: Loader, paths: readonly string[]): TransformerConfig {
  return paths.map((path) => configOf(parse(loader.text(path), loader.locate(path)))).reduce(mergeConfigs, EMPTY_CONFIG);
}

function parse(text: string, file: string): JsonObject {
  const root = parseDocuments(text, { profile: 'yaml11', file, duplicateKeys: 'last' })[0]?.root;
  const value = root === undefined ? {} : toJson(root, { profile: 'yaml11', file });
  if (isJsonObject(value)) return value;
  throw new SottoError('KUSTOMIZE_INVALID_FILE', `unable to parse open API definition from '${file}'`, { at: { file } });
}

function configOf(definitions: JsonObject): TransformerConfig {
  const builder = new ConfigBuilder(definitions);
  for (const [name, definition] of Object.entries(definitions)) {
    const properties = propertiesOf(definition);
    const isObject = ['kind', 'apiVersion', 'metadata'].every((field) => Object.hasOwn(properties, field));
    if (isObject) builder.add(name, name.slice(name.lastIndexOf('.') + 1), []);
  }
  return builder.config;
}

function propertiesOf(definition: Json | undefined): JsonObject {
  const schema = isJsonObject(definition) ? (definition['Schema'] ?? definition['schema']) : undefined;
  const properties = isJsonObject(schema) ? schema['properties'] : undefined;
  return isJsonObject(properties) ? properties : {};
}

class ConfigBuilder {
  config: TransformerConfig = EMPTY_CONFIG;
  readonly #definitions: JsonObject;
  readonly #open = new Set<string>();

  constructor(definitions: JsonObject) {
    this.#definitions = definitions;
  }

  /** Adds what the properties of a type say, at a path of objects of the kind. */
  add(type: string, kind: string, path: readonly string[]): void {
    if (this.#open.has(type) || !Object.hasOwn(this.#definitions, type)) return;
    this.#open.add(type);
    for (const [name, property] of Object.entries(propertiesOf(this.#definitions[type]))) {
      if (isJsonObject(property)) this.#addProperty(property, kind, [...path, name]);
    }
    this.#open.delete(type);
  }

  #addProperty(property: JsonObject, kind: string, path: readonly string[]): void {
    for (const [extension, list] of EXTENSIONS) {
      if (textIn(property, extension) !== undefined) {
        this.config = { ...this.config, [list]: mergeFieldSpec(this.config[list], specFor(kind, path)) };
      }
    }
    const version = textIn(property, REFERENCE_VERSION);
    const referred = textIn(property, REFERENCE_KIND);
    if (version !== undefined && referred !== undefined) {
      const spec = specFor(kind, [...path, textIn(property, REFERENCE_NAME) ?? 'name']);
      this.#addReference({ version, kind: referred, fieldSpecs: [spec] });
    }
    const reference = textIn(property, '$ref');
    if (reference !== undefined) this.add(reference, kind, path);
  }

  #addReference(reference: NameReference): void {
    this.config = mergeConfigs(this.config, { ...EMPTY_CONFIG, nameReference: [reference] });
  }
}

function specFor(kind: string, path: readonly string[]): FieldSpec {
  return { kind, path: path.join('/') };
}

function textIn(object: JsonObject, key: string): string | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}
