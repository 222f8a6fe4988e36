import type { GroupVersionKind, Json } from '../objects/index.ts';
import { definitionFacts, definitionOfKind, fullName, parseField, type DefinitionFacts, type FieldFacts } from './table.ts';
import type { Schema } from './types.ts';

const cache = new Map<string, Schema>();

/**
 * The schema of a built-in kind, undefined for any other. Nested definitions are resolved when they are
 * looked at, and every definition exists once, so recursive ones are cyclic values.
 */
export function schemaOf(gvk: GroupVersionKind): Schema | undefined {
  const name = definitionOfKind(gvk);
  return name === undefined ? undefined : definition(name);
}

/** The schema of ObjectMeta, shared by all kinds. */
export function objectMetaSchema(): Schema {
  return definition('~apis.meta.v1.ObjectMeta');
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const SCALARS: Readonly<Record<string, Schema>> = {
  '~api.resource.Quantity': { type: 'string', scalar: 'quantity' },
  '~util.intstr.IntOrString': { intOrString: true, scalar: 'int-or-string' },
  '~apis.meta.v1.Time': { type: 'string', format: 'date-time', scalar: 'time', nullable: true },
  '~apis.meta.v1.MicroTime': { type: 'string', format: 'date-time', scalar: 'micro-time', nullable: true },
  '~apis.meta.v1.FieldsV1': { type: 'object', preserveUnknownFields: true, scalar: 'json' },
  '~runtime.RawExtension': { type: 'object', preserveUnknownFields: true, scalar: 'json' },
  '^apiextensions.v1.JSON': { preserveUnknownFields: true, scalar: 'json', nullable: true },
  '^apiextensions.v1.CustomResourceSubresourceStatus': { type: 'object', preserveUnknownFields: true },
};

function definition(name: string): Schema {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const facts = definitionFacts(name);
  const schema = SCALARS[name] ?? unionOf(name) ?? objectSchema(name, facts ?? {});
  cache.set(name, schema);
  return schema;
}

const SCHEMA_PROPS = '^apiextensions.v1.JSONSchemaProps';

/** A schema, or something else: `additionalProperties`, `items` and `dependencies` of a CRD's schema. */
function unionOf(name: string): Schema | undefined {
  if (!name.startsWith(`${SCHEMA_PROPS}Or`)) return undefined;
  const schema: Mutable<Schema> = decorated(definition(SCHEMA_PROPS), {});
  delete schema.type;
  return schema;
}

function objectSchema(name: string, facts: DefinitionFacts): Schema {
  if (facts.fields === undefined) return { type: 'object', title: fullName(name) };
  const node: Mutable<Schema> = { type: 'object', title: fullName(name) };
  if (facts.required !== undefined) node.required = facts.required;
  if (facts.map === 'atomic') node.mapType = 'atomic';
  const { fields } = facts;
  return lazily(node, () => Object.fromEntries(Object.entries(fields).map(([field, text]) => [field, fieldSchema(parseField(text))])));
}

/** Adds `properties`, worked out on first use. */
function lazily(node: Schema, make: () => Readonly<Record<string, Schema>>): Schema {
  let made: Readonly<Record<string, Schema>> | undefined;
  return Object.defineProperty(node, 'properties', { enumerable: true, get: () => (made ??= make()) });
}

function fieldSchema(facts: FieldFacts): Schema {
  const base = typeSchema(facts.type);
  const markers: Mutable<Schema> = {};
  if (facts.patch !== undefined) markers.patchStrategy = facts.patch;
  if (facts.patchKey !== undefined) markers.patchMergeKey = facts.patchKey;
  if (facts.map !== undefined) markers.mapType = facts.map === 'atomic' ? 'atomic' : 'granular';
  if (facts.list === 'set' || facts.list === 'map') markers.listType = facts.list;
  if (facts.keys !== undefined) {
    markers.listMapKeys = facts.keys;
    markers.listMapKeyDefaults = keyDefaults(facts.keys, base.items);
  }
  return Object.keys(markers).length === 0 ? base : decorated(base, markers);
}

/** A copy with markers that keeps `properties` lazy. */
function decorated(base: Schema, markers: Schema): Schema {
  const { properties: _, ...own } = Object.getOwnPropertyDescriptors(base);
  const node = Object.defineProperties({}, own) as Schema;
  Object.assign(node, markers);
  if (!Object.hasOwn(base, 'properties')) return node;
  return lazily(node, () => base.properties ?? {});
}

/** Protocols default to TCP; any other key field counts as its zero value. */
function keyDefaults(keys: readonly string[], items: Schema | undefined): Readonly<Record<string, Json>> {
  const zero = (key: string): Json => {
    if (key === 'protocol') return 'TCP';
    const type = items?.properties?.[key]?.type;
    if (type === 'integer') return 0;
    return '';
  };
  return Object.fromEntries(keys.map((key) => [key, zero(key)]));
}

function typeSchema(type: string): Schema {
  if (type.startsWith('[]')) return { type: 'array', items: typeSchema(type.slice(2)) };
  if (type.startsWith('{}')) return { type: 'object', additionalProperties: typeSchema(type.slice(2)) };
  const [simple = '', format] = type.split(':');
  switch (simple) {
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return format === undefined ? { type: simple } : { type: simple, format };
    default:
      return definition(type);
  }
}
