import {
  apiErrors,
  checkDepth,
  isJsonObject,
  MAX_DEPTH,
  parseApiVersion,
  parseJson,
  setOwn,
  type Json,
  type JsonObject,
  type KubeObject,
} from '../objects/index.ts';
import { DROPPED_WHEN_ZERO } from './default-values.ts';
import { definitionOfKind, fullName, protoFacts, shortTitle, type ProtoFacts } from './table.ts';
import { malformed, wireFields, type WireField } from './wire.ts';

const MAGIC = [0x6b, 0x38, 0x73, 0x00];

/**
 * Decodes a request in Kubernetes' protobuf encoding (`application/vnd.kubernetes.protobuf`) into the object
 * that its JSON encoding would give (ENC-02). Zero values count as absent, unknown fields are skipped.
 *
 * @throws ApiError 400 for malformed bytes, 415 for a kind whose message is not known
 */
export function decodeProtobuf(bytes: Uint8Array): KubeObject {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw malformed();
  const envelope = decodeEnvelope(bytes.subarray(MAGIC.length));
  const { apiVersion, kind } = envelope;
  const name = messageOfKind(apiVersion, kind);
  if (name === undefined) throw unknownKind(apiVersion, kind);
  const object = decodeMessage(name, envelope.raw, 0);
  checkDepth(object);
  return { apiVersion, kind, ...object } as unknown as KubeObject;
}

/** DeleteOptions is sent in the version of whatever is deleted. */
function messageOfKind(apiVersion: string, kind: string): string | undefined {
  if (kind === 'DeleteOptions') return '~apis.meta.v1.DeleteOptions';
  return definitionOfKind({ ...parseApiVersion(apiVersion), kind });
}

function unknownKind(apiVersion: string, kind: string): Error {
  return apiErrors.unsupportedMediaType(
    `${apiVersion}, Kind=${kind} is not known in protobuf encoding; send JSON instead, with kubectl: --dry-run=client -o yaml | kubectl apply -f -`,
  );
}

interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

function decodeEnvelope(bytes: Uint8Array): Envelope {
  let raw = new Uint8Array();
  const typeMeta = new Map<number, string>();
  for (const field of wireFields(bytes)) {
    if (field.kind !== 'bytes') continue;
    if (field.number === 1)
      for (const part of wireFields(field.bytes)) if (part.kind === 'bytes') typeMeta.set(part.number, text(part.bytes));
    if (field.number === 2) raw = new Uint8Array(field.bytes);
  }
  return { apiVersion: typeMeta.get(1) ?? '', kind: typeMeta.get(2) ?? '', raw };
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw malformed();
  }
}

/** Messages whose JSON is not an object with their fields. */
const SPECIAL: Readonly<Record<string, (bytes: Uint8Array, depth: number) => Json | undefined>> = {
  '~api.resource.Quantity': (bytes) => text(bytesOf(bytes, 1) ?? new Uint8Array()),
  '~util.intstr.IntOrString': intOrString,
  '~apis.meta.v1.Time': (bytes) => timeText(bytes, 0),
  '~apis.meta.v1.MicroTime': (bytes) => timeText(bytes, 6),
  '~apis.meta.v1.FieldsV1': (bytes) => rawJson(bytesOf(bytes, 1)),
  '~runtime.RawExtension': (bytes) => rawJson(bytesOf(bytes, 1)),
  '^apiextensions.v1.JSON': (bytes) => rawJson(bytesOf(bytes, 1)),
  '^apiextensions.v1.JSONSchemaPropsOrBool': (bytes, depth) => firstOf(bytes, 2, depth) ?? numberOf(bytes, 1) === 1,
  '^apiextensions.v1.JSONSchemaPropsOrArray': (bytes, depth) => firstOf(bytes, 1, depth),
  '^apiextensions.v1.JSONSchemaPropsOrStringArray': (bytes, depth) => firstOf(bytes, 1, depth) ?? stringItems(bytes, 2),
  'authentication.v1.ExtraValue': (bytes) => stringItems(bytes, 1),
  'authorization.v1.ExtraValue': (bytes) => stringItems(bytes, 1),
  'certificates.v1.ExtraValue': (bytes) => stringItems(bytes, 1),
};

function bytesOf(bytes: Uint8Array, number: number): Uint8Array | undefined {
  for (const field of wireFields(bytes)) if (field.number === number && field.kind === 'bytes') return field.bytes;
  return undefined;
}

function numberOf(bytes: Uint8Array, number: number): number {
  for (const field of wireFields(bytes))
    if (field.number === number && field.kind === 'varint') return Number(BigInt.asIntN(64, field.value));
  return 0;
}

function firstOf(bytes: Uint8Array, number: number, depth: number): Json | undefined {
  const found = bytesOf(bytes, number);
  return found === undefined ? undefined : decodeMessage('^apiextensions.v1.JSONSchemaProps', found, depth);
}

function stringItems(bytes: Uint8Array, number: number): Json[] {
  return [...wireFields(bytes)].flatMap((field) => (field.number === number && field.kind === 'bytes' ? [text(field.bytes)] : []));
}

function intOrString(bytes: Uint8Array): Json {
  return numberOf(bytes, 1) === 1 ? text(bytesOf(bytes, 3) ?? new Uint8Array()) : numberOf(bytes, 2);
}

/** An empty message is the zero time, which JSON writes as null. */
function timeText(bytes: Uint8Array, decimals: number): Json | undefined {
  const [seconds, nanos] = [numberOf(bytes, 1), numberOf(bytes, 2)];
  if (bytes.length === 0) return undefined;
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 0) throw malformed();
  const whole = date.toISOString().slice(0, 19);
  return decimals === 0 ? `${whole}Z` : `${whole}.${String(Math.floor(nanos / 1000)).padStart(decimals, '0')}Z`;
}

function rawJson(bytes: Uint8Array | undefined): Json | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const source = text(bytes);
  try {
    return parseJson(source);
  } catch {
    throw malformed();
  }
}

const indexes = new Map<string, ReadonlyMap<number, ProtoFacts>>();

function fieldIndex(name: string): ReadonlyMap<number, ProtoFacts> {
  const known = indexes.get(name);
  if (known !== undefined) return known;
  const index = new Map((protoFacts(name) ?? []).map((facts) => [facts[0], facts]));
  indexes.set(name, index);
  return index;
}

function decodeMessage(name: string, bytes: Uint8Array, depth: number): JsonObject {
  if (depth > MAX_DEPTH) throw malformed();
  const object: JsonObject = {};
  for (const field of wireFields(bytes)) {
    const facts = fieldIndex(name).get(field.number);
    if (facts === undefined) continue;
    const [, key, type, inline] = facts;
    if (inline === 1) Object.assign(object, field.kind === 'bytes' ? decodeMessage(type, field.bytes, depth + 1) : {});
    else decodeField(object, name, key, type, field, depth);
  }
  return object;
}

function decodeField(object: JsonObject, message: string, key: string, type: string, field: WireField, depth: number): void {
  if (type.startsWith('[]')) return append(object, key, type.slice(2), field, depth);
  if (type.startsWith('{}')) return addEntry(object, key, type.slice(2), field, depth);
  const value = decodeValue(type, field, depth);
  if (value !== undefined && !isZero(value, type, `${shortTitle(fullName(message))}.${key}`)) setOwn(object, key, value);
}

/** Fields that are no pointers are always written; a pointer to zero means something. */
function isZero(value: Json, type: string, field: string): boolean {
  if (value === 0 || value === false) return DROPPED_WHEN_ZERO.has(field);
  return value === '' && (type === 'string' || type === 'bytes' || type === '~api.resource.Quantity');
}

function append(object: JsonObject, key: string, type: string, field: WireField, depth: number): void {
  const value = decodeValue(type, field, depth);
  const list = object[key];
  if (Array.isArray(list)) list.push(value ?? null);
  else setOwn(object, key, [value ?? null]);
}

function addEntry(object: JsonObject, key: string, type: string, field: WireField, depth: number): void {
  if (field.kind !== 'bytes') throw malformed();
  let name = '';
  let value: Json | undefined;
  for (const part of wireFields(field.bytes)) {
    if (part.number === 1 && part.kind === 'bytes') name = text(part.bytes);
    if (part.number === 2) value = decodeValue(type, part, depth);
  }
  const known = object[key];
  const map = isJsonObject(known) ? known : {};
  if (map !== known) setOwn(object, key, map);
  setOwn(map, name, value ?? zeroOf(type));
}

function zeroOf(type: string): Json {
  if (type === 'string' || type === 'bytes') return '';
  return type.startsWith('[]') || type.endsWith('ExtraValue') ? [] : {};
}

function decodeValue(type: string, field: WireField, depth: number): Json | undefined {
  switch (type) {
    case 'string':
      return text(blob(field));
    case 'bytes':
      return Buffer.from(blob(field)).toString('base64');
    case 'bool':
      return integer(field) !== 0n;
    case 'int32':
      return Number(BigInt.asIntN(32, integer(field)));
    case 'int64': {
      const value = BigInt.asIntN(64, integer(field));
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case 'double':
      if (field.kind !== 'fixed' || field.bytes.length !== 8) throw malformed();
      return new DataView(field.bytes.buffer, field.bytes.byteOffset, 8).getFloat64(0, true);
    default: {
      const special = Object.hasOwn(SPECIAL, type) ? SPECIAL[type] : undefined;
      return special === undefined ? decodeMessage(type, blob(field), depth + 1) : special(blob(field), depth + 1);
    }
  }
}

function blob(field: WireField): Uint8Array {
  if (field.kind !== 'bytes') throw malformed();
  return field.bytes;
}

function integer(field: WireField): bigint {
  if (field.kind !== 'varint') throw malformed();
  return field.value;
}
