import { deepEqual, parseJson, type Json, type JsonObject, type KubeObject } from '../objects/index.ts';
import { objectAt, textOf } from './access.ts';
import { fieldErrors } from './errors.ts';
import { configKey } from './names.ts';
import { itemPath } from './path.ts';
import type { FieldError } from './types.ts';

const MAX_BYTES = 1_048_576;
/** Stands for every value of a Secret in error texts. */
const REDACTED = '<secret contents redacted>';
const BASE64 = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/;

/** The checks of a Secret (SEC-01, SEC-02). No text contains a value. */
export function checkSecret(secret: JsonObject, old?: KubeObject): FieldError[] {
  const data = objectAt(secret, 'data') ?? {};
  const type = typeof secret.type === 'string' ? secret.type : '';
  return [
    ...checkKeys(data, 'data'),
    ...checkSize(decodedSize(data), 'data'),
    ...checkType(type, data, secret),
    ...(old === undefined ? [] : checkSecretChange(secret, old as unknown as JsonObject)),
  ];
}

function checkKeys(data: JsonObject, path: string): FieldError[] {
  return Object.keys(data).flatMap((key) => {
    const problem = configKey(key);
    return problem === undefined ? [] : [fieldErrors.invalid(itemPath(path, key), key, problem)];
  });
}

function decodedSize(data: JsonObject): number {
  return Object.values(data).reduce<number>((sum, value) => sum + (typeof value === 'string' ? Buffer.byteLength(value, 'base64') : 0), 0);
}

function checkSize(size: number, path: string): FieldError[] {
  return size > MAX_BYTES ? [fieldErrors.tooLong(path, MAX_BYTES)] : [];
}

function required(data: JsonObject, key: string): FieldError[] {
  return Object.hasOwn(data, key) ? [] : [fieldErrors.required(itemPath('data', key))];
}

type TypeCheck = (data: JsonObject, secret: JsonObject) => FieldError[];

const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

/** What a Secret's type asks of it; other types are free. */
const TYPES: Readonly<Record<string, TypeCheck>> = {
  'kubernetes.io/service-account-token': (_, secret) => {
    const name = objectAt(objectAt(secret, 'metadata'), 'annotations')?.[SERVICE_ACCOUNT_NAME];
    return typeof name === 'string' && name !== '' ? [] : [fieldErrors.required(itemPath('metadata.annotations', SERVICE_ACCOUNT_NAME))];
  },
  'kubernetes.io/dockercfg': (data) => checkJson(data, '.dockercfg'),
  'kubernetes.io/dockerconfigjson': (data) => checkJson(data, '.dockerconfigjson'),
  'kubernetes.io/basic-auth': (data) =>
    Object.hasOwn(data, 'username') || Object.hasOwn(data, 'password')
      ? []
      : [...required(data, 'username'), ...required(data, 'password')],
  'kubernetes.io/ssh-auth': (data) => (isEmpty(data, 'ssh-privatekey') ? [fieldErrors.required(itemPath('data', 'ssh-privatekey'))] : []),
  'kubernetes.io/tls': (data) => [...required(data, 'tls.crt'), ...required(data, 'tls.key')],
};

function isEmpty(data: JsonObject, key: string): boolean {
  return !Object.hasOwn(data, key) || data[key] === '';
}

function checkType(type: string, data: JsonObject, secret: JsonObject): FieldError[] {
  return Object.hasOwn(TYPES, type) ? (TYPES[type]?.(data, secret) ?? []) : [];
}

function checkJson(data: JsonObject, key: string): FieldError[] {
  const value = Object.hasOwn(data, key) ? data[key] : undefined;
  if (value === undefined) return required(data, key);
  try {
    parseJson(Buffer.from(textOf(value), 'base64').toString('utf8'));
    return [];
  } catch {
    return [fieldErrors.invalid(itemPath('data', key), REDACTED, 'must be valid JSON')];
  }
}

const FROZEN = 'field is immutable when `immutable` is set';

function checkSecretChange(secret: JsonObject, old: JsonObject): FieldError[] {
  const type = deepEqual(secret.type, old.type) ? [] : [fieldErrors.invalid('type', secret.type ?? '', 'field is immutable')];
  return [...type, ...checkFrozen(secret, old, ['data'])];
}

/** The flag cannot be taken back, and what it protects cannot change. */
function checkFrozen(object: JsonObject, old: JsonObject, fields: readonly string[]): FieldError[] {
  if (old.immutable !== true) return [];
  const flag = object.immutable === true ? [] : [fieldErrors.forbidden('immutable', FROZEN)];
  const changed = fields.filter((field) => !deepEqual(object[field] ?? {}, old[field] ?? {}));
  return [...flag, ...changed.map((field) => fieldErrors.forbidden(field, FROZEN))];
}

/** The checks of a ConfigMap (CM-01). */
export function checkConfigMap(configMap: JsonObject, old?: KubeObject): FieldError[] {
  const data = objectAt(configMap, 'data') ?? {};
  const binary = objectAt(configMap, 'binaryData') ?? {};
  const texts = Object.values(data).reduce<number>((sum, value) => sum + Buffer.byteLength(textOf(value)), 0);
  const twice = Object.keys(binary).filter((key) => Object.hasOwn(data, key));
  return [
    ...checkKeys(data, 'data'),
    ...checkKeys(binary, 'binaryData'),
    ...twice.map((key) => fieldErrors.invalid(itemPath('data', key), key, 'duplicate of key present in binaryData')),
    // An empty root path is written like this.
    ...checkSize(texts + decodedSize(binary), '[]'),
    ...(old === undefined ? [] : checkFrozen(configMap, old as unknown as JsonObject, ['data', 'binaryData'])),
  ];
}

/** True for what Go's decoder takes as base64: whole groups of four, padded, line breaks ignored. */
export function isBase64(value: Json): boolean {
  return typeof value === 'string' && BASE64.test(value) && value.replaceAll(/[\r\n]/g, '').length % 4 === 0;
}
