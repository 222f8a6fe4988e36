/**
 * JSON Patch as evanphx/json-patch 4.13 applies it: RFC 6902 with a few lenient points, which users' patches depend
 * on (c12).
 */
import { SottoError } from '../../base/errors/index.ts';
import { deepEqual, cloneJson, isJsonObject, parseJson, type Json, type JsonObject } from '../../kube/objects/index.ts';
import { parseDocuments, toJson } from '../../text/yaml/index.ts';

export interface PatchOperation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  /** Undefined when the operation has none. */
  readonly value: Json | undefined;
}

const FAILED = 'KUSTOMIZE_JSON_PATCH';

/**
 * Reads a patch: JSON when the text starts with `[`, else YAML 1.1. Undefined when the text is no list of operations;
 * an empty list for an empty text.
 *
 * @throws SottoError YAML_SYNTAX, JSON_SYNTAX
 */
export function parseJsonPatch(text: string, file: string): readonly PatchOperation[] | undefined {
  const value = text.startsWith('[') ? parseJson(text) : firstDocument(text, file);
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((item) => isJsonObject(item))) return undefined;
  return value.map((item) => ({
    op: textIn(item, 'op') ?? '',
    path: textIn(item, 'path'),
    from: textIn(item, 'from'),
    value: Object.hasOwn(item, 'value') ? item['value'] : undefined,
  }));
}

function firstDocument(text: string, file: string): Json | undefined {
  const root = parseDocuments(text, { profile: 'yaml11', file, duplicateKeys: 'last' })[0]?.root;
  return root === undefined ? undefined : toJson(root, { profile: 'yaml11', file });
}

function textIn(item: JsonObject, key: string): string | undefined {
  const value = Object.hasOwn(item, key) ? item[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

type Container = JsonObject | Json[];

/**
 * Applies a patch and returns the changed document; the input is changed. `countCopied` is told how many values each copy
 * operation copies, and may throw.
 *
 * @throws SottoError KUSTOMIZE_JSON_PATCH naming operation and path, never a value
 */
export function applyJsonPatch(
  document: Json,
  operations: readonly PatchOperation[],
  countCopied: (values: number) => void = () => undefined,
): Json {
  let root = document;
  for (const operation of operations) {
    if (operation.op === 'copy') countCopied(sizeOf(copiedBy(root, operation)));
    root = applyOne(root, operation);
  }
  return root;
}

function applyOne(root: Json, operation: PatchOperation): Json {
  switch (operation.op) {
    case 'add':
      return add(root, operation, cloneJson(operation.value ?? null));
    case 'remove':
      remove(root, pathOf(operation));
      return root;
    case 'replace':
      return replace(root, operation);
    case 'move':
      return move(root, operation);
    case 'copy':
      return copy(root, operation);
    case 'test':
      test(root, operation);
      return root;
    default:
      throw failure(`Unexpected kind: ${operation.op || 'unknown'}`);
  }
}

function pathOf({ op, path }: PatchOperation): string {
  if (path === undefined) throw failure(`${op} operation failed to decode path: missing field`);
  return path;
}

function add(root: Json, operation: PatchOperation, value: Json): Json {
  const path = pathOf(operation);
  const { parent, key } = locate(root, path);
  if (parent === undefined) throw failure(`add operation does not apply: doc is missing path: "${path}": missing value`);
  if (!Array.isArray(parent)) {
    setOwn(parent, key, value);
    return root;
  }
  if (key === '-') {
    parent.push(value);
    return root;
  }
  const index = indexFor(key, parent.length + 1, 'add', path);
  parent.splice(index, 0, value);
  return root;
}

function remove(root: Json, path: string): void {
  const { parent, key } = locate(root, path);
  if (parent === undefined) throw failure(`remove operation does not apply: doc is missing path: "${path}": missing value`);
  if (Array.isArray(parent)) {
    parent.splice(indexFor(key, parent.length, 'remove', path), 1);
    return;
  }
  if (!Object.hasOwn(parent, key)) {
    throw failure(`error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`);
  }
  delete parent[key];
}

function replace(root: Json, operation: PatchOperation): Json {
  const path = pathOf(operation);
  const value = cloneJson(operation.value ?? null);
  if (path === '') {
    if (isJsonObject(value) || Array.isArray(value)) return value;
    throw failure('replace operation hit unexpected end of path');
  }
  const { parent, key } = locate(root, path);
  if (parent === undefined) throw failure(`replace operation does not apply: doc is missing path: ${path}: missing value`);
  if (Array.isArray(parent)) {
    const index = Number(key);
    if (!/^[+-]?\d+$/.test(key)) throw failure(`replace operation does not apply: doc is missing key: ${path}: not an index`);
    const at = index < 0 ? index + parent.length : index;
    if (at < 0 || at >= parent.length) throw failure(`replace operation does not apply: doc is missing key: ${path}: missing value`);
    parent[at] = value;
    return root;
  }
  setOwn(parent, key, value);
  return root;
}

function move(root: Json, operation: PatchOperation): Json {
  const from = fromOf(operation);
  const value = valueAt(root, from, 'move') ?? null;
  remove(root, from);
  return add(root, operation, value);
}

function copy(root: Json, operation: PatchOperation): Json {
  // What is missing is copied as null.
  return add(root, operation, cloneJson(valueAt(root, fromOf(operation), 'copy') ?? null));
}

function copiedBy(root: Json, { from }: PatchOperation): Json | undefined {
  const { parent, key } = locate(root, from ?? '');
  return parent === undefined ? undefined : childOf(parent, key);
}

function sizeOf(value: Json | undefined): number {
  if (Array.isArray(value)) return value.reduce<number>((size, item) => size + sizeOf(item), 1);
  if (!isJsonObject(value)) return 1;
  return Object.values(value).reduce<number>((size, item) => size + sizeOf(item), 1);
}

function fromOf({ op, from }: PatchOperation): string {
  if (from === undefined) throw failure(`${op} operation failed to decode from: missing field`);
  return from;
}

function valueAt(root: Json, path: string, operation: string): Json | undefined {
  const { parent, key } = locate(root, path);
  if (parent === undefined) throw failure(`${operation} operation does not apply: doc is missing from path: ${path}: missing value`);
  if (!Array.isArray(parent)) return childOf(parent, key);
  return parent[indexFor(key, parent.length, operation, path)];
}

function test(root: Json, operation: PatchOperation): void {
  const path = pathOf(operation);
  const { parent, key } = locate(root, path);
  if (path === '') {
    if (!deepEqual(root, operation.value ?? null)) throw testFailure(path);
    return;
  }
  if (parent === undefined) throw failure(`test operation does not apply: is missing path: ${path}: missing value`);
  const found = Array.isArray(parent) ? parent[indexFor(key, parent.length, 'test', path)] : childOf(parent, key);
  // A missing key equals null, and so does an operation without value.
  if (!deepEqual(found ?? null, operation.value ?? null)) throw testFailure(path);
}

function testFailure(path: string): SottoError {
  return failure(`testing value ${path} failed: test failed`);
}

interface Location {
  /** Undefined when a part on the way is missing, or is no container. */
  readonly parent: Container | undefined;
  readonly key: string;
}

function locate(root: Json, path: string): Location {
  const parts = path.split('/');
  if (parts.length < 2) return { parent: undefined, key: '' };
  const keys = parts.slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = keys.pop() ?? '';
  let parent: Json | undefined = root;
  for (const step of keys) {
    if (!isContainer(parent)) return { parent: undefined, key };
    parent = childOf(parent, step);
  }
  return { parent: isContainer(parent) ? parent : undefined, key };
}

function isContainer(value: Json | undefined): value is Container {
  return Array.isArray(value) || isJsonObject(value);
}

function childOf(container: Container, key: string): Json | undefined {
  if (!Array.isArray(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  if (!/^[+-]?\d+$/.test(key)) return undefined;
  const index = Number(key);
  return container[index < 0 ? index + container.length : index];
}

/** A list index below `size`; negative ones count from the end. */
function indexFor(key: string, size: number, operation: string, path: string): number {
  if (!/^[+-]?\d+$/.test(key)) throw failure(`error in ${operation} for path: '${path}': '${key}' is not an index`);
  const index = Number(key);
  if (index >= size || index < -size) {
    throw failure(`error in ${operation} for path: '${path}': Unable to access invalid index: ${index}: invalid index referenced`);
  }
  return index < 0 ? index + size : index;
}

function failure(message: string): SottoError {
  return new SottoError(FAILED, message);
}

function setOwn(target: JsonObject, key: string, value: Json): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}
