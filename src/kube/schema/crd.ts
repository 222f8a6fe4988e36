import { checkDepth, isJsonObject, ownValue, setOwn, type Json, type JsonObject } from '../objects/index.ts';
import { objectMetaSchema } from './definitions.ts';
import { fieldErrors } from './errors.ts';
import { checkStructural } from './structural.ts';
import type { FieldError, Schema } from './types.ts';

/** What a CRD version's schema became. With errors the schema must not be used. */
export interface CompiledCrdSchema {
  readonly schema: Schema;
  readonly errors: readonly FieldError[];
}

const ROOT_PATH = 'openAPIV3Schema';

/**
 * Turns the `openAPIV3Schema` of a CRD version into a {@link Schema} and checks that it is structural (CRD-01). CEL
 * rules that cannot be evaluated here are errors that name the rule. apiVersion, kind and metadata are added
 * to the root and to embedded resources.
 *
 * @param path where the schema stands in the CRD, the prefix of all error paths
 */
export function compileCrdSchema(openAPIV3Schema: Json, path: string = ROOT_PATH): CompiledCrdSchema {
  checkDepth(openAPIV3Schema);
  if (!isJsonObject(openAPIV3Schema)) return { schema: {}, errors: [fieldErrors.required(path, 'schemas are required')] };
  const schema = convert(openAPIV3Schema, true);
  return { schema, errors: checkStructural(openAPIV3Schema, schema, path) };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Keywords whose value is taken as it is. */
const COPIED = (
  'type format description nullable default enum pattern minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength ' +
  'minItems maxItems uniqueItems minProperties maxProperties required'
).split(' ');

const EXTENSIONS: Readonly<Record<string, keyof Schema>> = {
  'x-kubernetes-list-type': 'listType',
  'x-kubernetes-list-map-keys': 'listMapKeys',
  'x-kubernetes-map-type': 'mapType',
  'x-kubernetes-preserve-unknown-fields': 'preserveUnknownFields',
  'x-kubernetes-int-or-string': 'intOrString',
  'x-kubernetes-embedded-resource': 'embeddedResource',
  'x-kubernetes-validations': 'validations',
};

const NESTED_LISTS = ['allOf', 'anyOf', 'oneOf'] as const;

function convert(source: JsonObject, isResource: boolean): Schema {
  const node: JsonObject = {};
  for (const keyword of COPIED) {
    const value = ownValue(source, keyword);
    if (value !== undefined && (value !== null || keyword === 'default')) node[keyword] = value;
  }
  for (const [keyword, name] of Object.entries(EXTENSIONS)) {
    const value = ownValue(source, keyword);
    if (value !== undefined && value !== null) node[name] = value;
  }
  const schema = node as Mutable<Schema>;
  if (isJsonObject(source.properties)) schema.properties = convertMap(source.properties);
  if (isJsonObject(source.items)) schema.items = convert(source.items, false);
  if (isJsonObject(source.not)) schema.not = convert(source.not, false);
  if (isJsonObject(source.additionalProperties)) schema.additionalProperties = convert(source.additionalProperties, false);
  else if (typeof source.additionalProperties === 'boolean') schema.additionalProperties = source.additionalProperties;
  for (const keyword of NESTED_LISTS) {
    const parts = source[keyword];
    if (Array.isArray(parts)) schema[keyword] = parts.filter(isJsonObject).map((part) => convert(part, false));
  }
  return isResource || schema.embeddedResource === true ? asResource(schema) : schema;
}

function convertMap(source: JsonObject): Readonly<Record<string, Schema>> {
  const result: Record<string, Schema> = {};
  for (const [name, value] of Object.entries(source)) {
    if (isJsonObject(value)) setOwn(result as unknown as JsonObject, name, convert(value, false) as unknown as Json);
  }
  return result;
}

/** Adds what every resource has; a schema may only restrict the name. */
function asResource(schema: Schema): Schema {
  const { apiVersion, kind, metadata } = schema.properties ?? {};
  const restricted = { ...metadata?.properties };
  const known = objectMetaSchema();
  const isRestricted = Object.keys(restricted).length > 0;
  return {
    ...schema,
    properties: {
      ...schema.properties,
      apiVersion: { type: 'string', ...apiVersion },
      kind: { type: 'string', ...kind },
      metadata: isRestricted ? { type: 'object', properties: { ...known.properties, ...restricted } } : known,
    },
  };
}
