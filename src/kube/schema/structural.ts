import { messageOf } from '../../base/errors/index.ts';
import { compileRegExp } from '../../text/regexp/index.ts';
import { isJsonObject, ownValue, type Json, type JsonObject } from '../objects/index.ts';
import { textOf } from './access.ts';
import { fieldErrors } from './errors.ts';
import { prune } from './prune.ts';
import { checkRules } from './rules.ts';
import type { FieldError, Schema } from './types.ts';
import { validate } from './validate.ts';

/**
 * Why a CRD's schema is not structural or cannot be served: missing types, forbidden keywords, junctors that
 * specify more than values, patterns, rules and defaults that do not hold.
 */
export function checkStructural(source: JsonObject, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (source.type === undefined || source.type === '') errors.push(fieldErrors.required(`${path}.type`, 'must not be empty at the root'));
  else if (source.type !== 'object') errors.push(fieldErrors.invalid(`${path}.type`, source.type, 'must be object at the root'));
  errors.push(...checkRootMetadata(source, path), ...checkNode(withoutMetadata(source), schema, path));
  return errors;
}

/** The metadata of resources is known; what a schema says about it is checked apart. */
function withoutMetadata(source: JsonObject): JsonObject {
  if (!isJsonObject(source.properties)) return source;
  const { metadata: _, ...properties } = source.properties;
  return { ...source, properties };
}

const METADATA_MAY_RESTRICT = new Set(['name', 'generateName']);

function checkRootMetadata(source: JsonObject, path: string): FieldError[] {
  const metadata = isJsonObject(source.properties) ? ownValue(source.properties, 'metadata') : undefined;
  const fields = isJsonObject(metadata) && isJsonObject(metadata.properties) ? Object.keys(metadata.properties) : [];
  if (fields.every((field) => METADATA_MAY_RESTRICT.has(field))) return [];
  return [
    fieldErrors.forbidden(
      `${path}.properties[metadata]`,
      'must not specify anything other than name and generateName, but metadata is implicitly specified',
    ),
  ];
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];

/** Keywords that no structural schema may have, and why. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  $ref: '$ref is not supported',
  definitions: 'definitions is not supported',
  dependencies: 'dependencies is not supported',
  patternProperties: 'patternProperties is not supported',
  additionalItems: 'additionalItems is not supported',
  id: 'id is not supported',
};

type Check = (source: JsonObject, schema: Schema, path: string) => FieldError[];

const CHECKS: readonly Check[] = [
  checkKeywordsAllowed,
  checkTypeIsKnown,
  checkAdditionalProperties,
  checkIntOrString,
  checkListType,
  checkPattern,
  checkJunctors,
  checkDefault,
  (_, schema, path) => checkRules(schema, path),
  checkChildren,
];

function checkNode(node: JsonObject, schema: Schema, path: string): FieldError[] {
  const source = schema.embeddedResource === true ? withoutMetadata(node) : node;
  return CHECKS.flatMap((check) => check(source, schema, path));
}

function checkKeywordsAllowed(source: JsonObject, schema: Schema, path: string): FieldError[] {
  const errors = Object.entries(FORBIDDEN).flatMap(([keyword, why]) =>
    isPresent(ownValue(source, keyword)) ? [fieldErrors.forbidden(`${path}.${keyword}`, why)] : [],
  );
  if (source.uniqueItems === true) {
    errors.push(
      fieldErrors.forbidden(`${path}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'),
    );
  }
  if (source['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(fieldErrors.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  }
  if (schema.mapType !== undefined && !['atomic', 'granular'].includes(schema.mapType)) {
    errors.push(fieldErrors.notSupported(`${path}.x-kubernetes-map-type`, schema.mapType, ['atomic', 'granular']));
  }
  if (Array.isArray(source.items)) errors.push(fieldErrors.forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  return errors;
}

function isPresent(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== '';
}

function checkTypeIsKnown(source: JsonObject, _schema: Schema, path: string): FieldError[] {
  const { type } = source;
  return !isPresent(type) || TYPES.includes(textOf(type)) ? [] : [fieldErrors.notSupported(`${path}.type`, type, TYPES)];
}

function checkAdditionalProperties(source: JsonObject, _schema: Schema, path: string): FieldError[] {
  const { additionalProperties, properties } = source;
  if (additionalProperties === false) {
    return [fieldErrors.forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be set to false')];
  }
  if (!isPresent(additionalProperties) || !isJsonObject(properties) || Object.keys(properties).length === 0) return [];
  return [fieldErrors.forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')];
}

function checkIntOrString(source: JsonObject, schema: Schema, path: string): FieldError[] {
  if (schema.intOrString !== true || !isPresent(source.type)) return [];
  return [fieldErrors.invalid(`${path}.type`, source.type, 'must be empty if x-kubernetes-int-or-string is true')];
}

function checkListType(_source: JsonObject, schema: Schema, path: string): FieldError[] {
  const { listType, listMapKeys, items } = schema;
  const keysPath = `${path}.x-kubernetes-list-map-keys`;
  if (listType === undefined) return [];
  if (!['atomic', 'set', 'map'].includes(listType)) {
    return [fieldErrors.notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'map', 'set'])];
  }
  if (schema.type !== 'array')
    return [fieldErrors.invalid(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified')];
  if (listType !== 'map') return [];
  if (listMapKeys === undefined || listMapKeys.length === 0) {
    return [fieldErrors.required(keysPath, 'must not be empty if x-kubernetes-list-type is map')];
  }
  return listMapKeys.flatMap((key, i) => {
    const field = ownValue(items?.properties, key);
    if (field === undefined) return [fieldErrors.invalid(`${keysPath}[${i}]`, key, 'entries must all be names of item properties')];
    const isKnown = field.default !== undefined || items?.required?.includes(key) === true;
    const keyPath = `${path}.items.properties[${key}].default`;
    return isKnown
      ? []
      : [
          fieldErrors.required(
            keyPath,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        ];
  });
}

function checkPattern(_source: JsonObject, schema: Schema, path: string): FieldError[] {
  if (schema.pattern === undefined) return [];
  try {
    compileRegExp(schema.pattern);
    return [];
  } catch (error) {
    return [fieldErrors.invalid(`${path}.pattern`, schema.pattern, `must be a valid regular expression, but isn't: ${messageOf(error)}`)];
  }
}

/** Keywords that say what a field is, not which values it takes: they stand outside of junctors. */
const STRUCTURE = ['type', 'description', 'default', 'additionalProperties', 'nullable'] as const;

function checkJunctors(source: JsonObject, schema: Schema, path: string): FieldError[] {
  const parts = (['allOf', 'anyOf', 'oneOf'] as const).flatMap((junctor) => {
    const list = source[junctor];
    return Array.isArray(list) ? list.map((part, i) => ({ part, at: `${path}.${junctor}[${i}]` })) : [];
  });
  const all = source.not === undefined ? parts : [...parts, { part: source.not, at: `${path}.not` }];
  return all.flatMap(({ part, at }) => (isJsonObject(part) ? checkJunctorPart(part, schema, at, path) : []));
}

function checkJunctorPart(part: JsonObject, outer: Schema, at: string, outerPath: string): FieldError[] {
  const errors = STRUCTURE.filter(
    (keyword) => isPresent(ownValue(part, keyword)) && !(keyword === 'type' && outer.intOrString === true),
  ).map((keyword) => fieldErrors.forbidden(`${at}.${keyword}`, 'must be empty to be structural'));
  for (const [name, inner] of Object.entries(isJsonObject(part.properties) ? part.properties : {})) {
    const field =
      ownValue(outer.properties, name) ?? (typeof outer.additionalProperties === 'object' ? outer.additionalProperties : undefined);
    const fieldAt = `${outerPath}.properties[${name}]`;
    if (field === undefined) errors.push(fieldErrors.required(fieldAt, `because it is defined in ${at}.properties[${name}]`));
    else if (isJsonObject(inner)) errors.push(...checkJunctorPart(inner, field, `${at}.properties[${name}]`, fieldAt));
  }
  if (isJsonObject(part.items)) {
    if (outer.items === undefined) errors.push(fieldErrors.required(`${outerPath}.items`, `because it is defined in ${at}.items`));
    else errors.push(...checkJunctorPart(part.items, outer.items, `${at}.items`, `${outerPath}.items`));
  }
  return [...errors, ...checkJunctors(part, outer, at)];
}

/** A default must be valid and must not lose anything to pruning (CRD-04). */
function checkDefault(_source: JsonObject, schema: Schema, path: string): FieldError[] {
  if (schema.default === undefined) return [];
  const at = `${path}.default`;
  const lost = prune(schema, schema.default).pruned;
  const errors = validate(schema, schema.default).map((error) => ({ ...error, field: error.field === '' ? at : `${at}.${error.field}` }));
  return [...lost.map((field) => fieldErrors.invalid(at, schema.default, `must not have unknown fields: ${field}`)), ...errors];
}

function checkChildren(source: JsonObject, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [name, inner] of Object.entries(isJsonObject(source.properties) ? source.properties : {})) {
    const at = `${path}.properties[${name}]`;
    const field = ownValue(schema.properties, name);
    if (field === undefined || !isJsonObject(inner)) continue;
    errors.push(...checkHasType(inner, at, 'must not be empty for specified object fields'), ...checkNode(inner, field, at));
  }
  if (isJsonObject(source.items) && schema.items !== undefined) {
    const at = `${path}.items`;
    errors.push(
      ...checkHasType(source.items, at, 'must not be empty for specified array items'),
      ...checkNode(source.items, schema.items, at),
    );
  } else if (source.type === 'array' && !isPresent(source.items)) {
    errors.push(fieldErrors.required(`${path}.items`, 'must be specified'));
  }
  if (isJsonObject(source.additionalProperties) && typeof schema.additionalProperties === 'object') {
    const at = `${path}.additionalProperties`;
    errors.push(...checkHasType(source.additionalProperties, at, 'must not be empty for specified object fields'));
    errors.push(...checkNode(source.additionalProperties, schema.additionalProperties, at));
  }
  return errors;
}

function checkHasType(source: JsonObject, path: string, detail: string): FieldError[] {
  const isFree = source['x-kubernetes-int-or-string'] === true || source['x-kubernetes-preserve-unknown-fields'] === true;
  return isPresent(source.type) || isFree ? [] : [fieldErrors.required(`${path}.type`, detail)];
}
