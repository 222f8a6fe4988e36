import type { Json, JsonObject } from './json.ts';
import { checkDepth, ownValue, setOwn } from './record.ts';
import { apiErrors } from './status.ts';
import { cloneJson, deepEqual, isJsonObject } from './values.ts';

/** Most operations of one JSON patch that an API server takes. */
export const MAX_PATCH_OPERATIONS = 10_000;
/** Most characters that all `copy` operations of one patch may add, so that copies of copies cannot fill the memory. */
const MAX_COPIED = 3 * 1024 * 1024;

type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: readonly string[]; readonly value: Json }
  | { readonly op: 'remove'; readonly path: readonly string[] }
  | { readonly op: 'move' | 'copy'; readonly path: readonly string[]; readonly from: readonly string[] };

/**
 * Applies a JSON patch (RFC 6902) to a copy of a document.
 *
 * @throws ApiError 400 when the patch is malformed, 413 when it has too many operations, 422 with a fixed
 *   text (never a value) when an operation, `test` included, fails
 */
export function applyJsonPatch(document: Json, patch: unknown): Json {
  checkDepth(patch);
  const operations = parseJsonPatch(patch);
  const root: { value: Json } = { value: cloneJson(document) };
  const budget = { left: MAX_COPIED };
  for (const operation of operations) run(root, operation, budget);
  checkDepth(root.value);
  return root.value;
}

/** Reads the operations without running them. @throws ApiError 400, 413 */
function parseJsonPatch(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw apiErrors.badRequest('a JSON patch must be a list of operations');
  if (patch.length > MAX_PATCH_OPERATIONS) {
    throw apiErrors.of(
      413,
      'RequestEntityTooLarge',
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_PATCH_OPERATIONS}, got ${patch.length}`,
    );
  }
  return patch.map(parseOperation);
}

function parseOperation(operation: unknown, index: number): Operation {
  const malformed = (problem: string): Error => apiErrors.badRequest(`operation ${index} of the JSON patch ${problem}`);
  if (!isJsonObject(operation)) throw malformed('is not an object');
  const pointer = (field: 'path' | 'from'): string[] => {
    const text = ownValue(operation, field);
    if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) throw malformed(`has no valid ${field}`);
    return text
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  };
  const { op } = operation;
  switch (op) {
    case 'add':
    case 'replace':
    case 'test': {
      const value = ownValue(operation, 'value');
      if (value === undefined) throw malformed('has no value');
      return { op, path: pointer('path'), value };
    }
    case 'remove':
      return { op, path: pointer('path') };
    case 'move':
    case 'copy':
      return { op, path: pointer('path'), from: pointer('from') };
    default:
      throw malformed('has an unknown op');
  }
}

function run(root: { value: Json }, operation: Operation, budget: { left: number }): void {
  switch (operation.op) {
    case 'add':
      return add(root, operation.path, cloneJson(operation.value));
    case 'remove':
      remove(root, operation.path);
      return;
    case 'replace':
      remove(root, operation.path);
      return add(root, operation.path, cloneJson(operation.value));
    case 'test':
      if (!deepEqual(find(root.value, operation.path), operation.value)) throw failed();
      return;
    case 'move':
      if (isInside(operation.path, operation.from)) throw failed();
      return add(root, operation.path, remove(root, operation.from));
    case 'copy': {
      const value = find(root.value, operation.from);
      budget.left -= sizeOf(value, budget.left);
      if (budget.left <= 0) throw failed();
      return add(root, operation.path, cloneJson(value));
    }
  }
}

function failed(): Error {
  return apiErrors.of(422, 'Invalid', 'the server rejected our request due to an error in our request');
}

function isInside(path: readonly string[], from: readonly string[]): boolean {
  return path.length > from.length && from.every((part, i) => part === path[i]);
}

/** Roughly the characters of a value; stops counting at `limit`. */
function sizeOf(value: Json, limit: number): number {
  let size = 1;
  const queue: Json[] = [value];
  for (let item = queue.pop(); item !== undefined && size < limit; item = queue.pop()) {
    if (typeof item === 'string') size += item.length;
    else if (Array.isArray(item)) for (const child of item) queue.push(child);
    else if (isJsonObject(item)) for (const [key, child] of Object.entries(item)) queue.push(key, child);
    size++;
  }
  return size;
}

/** The value at a path. @throws ApiError 422 when there is none */
function find(value: Json, path: readonly string[]): Json {
  let at = value;
  for (const part of path) {
    const next = Array.isArray(at) ? at[indexOf(part, at.length - 1)] : isJsonObject(at) ? ownValue(at, part) : undefined;
    if (next === undefined) throw failed();
    at = next;
  }
  return at;
}

const INDEX = /^(?:0|[1-9]\d{0,9})$/;

function indexOf(part: string, max: number): number {
  const index = INDEX.test(part) ? Number(part) : -1;
  if (index < 0 || index > max) throw failed();
  return index;
}

function add(root: { value: Json }, path: readonly string[], value: Json): void {
  const last = path.at(-1);
  if (last === undefined) {
    root.value = value;
    return;
  }
  const parent = find(root.value, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(last === '-' ? parent.length : indexOf(last, parent.length), 0, value);
  else if (isJsonObject(parent)) setOwn(parent, last, value);
  else throw failed();
}

function remove(root: { value: Json }, path: readonly string[]): Json {
  const removed = find(root.value, path);
  const last = path.at(-1);
  const parent = find(root.value, path.slice(0, -1));
  if (last === undefined) root.value = null;
  else if (Array.isArray(parent)) parent.splice(indexOf(last, parent.length - 1), 1);
  else if (isJsonObject(parent)) delete parent[last];
  return removed;
}

/**
 * Applies a JSON merge patch (RFC 7386): null deletes, objects merge, everything else replaces. The document
 * is not changed; parts that the patch does not touch are shared with it.
 *
 * @throws ApiError 400 when the patch is not an object
 */
export function applyMergePatch(document: Json, patch: unknown): Json {
  if (!isJsonObject(patch)) throw apiErrors.badRequest('a merge patch must be an object');
  checkDepth(patch);
  return merge(document, patch);
}

function merge(document: Json, patch: Json): Json {
  if (!isJsonObject(patch)) return cloneJson(patch);
  const result: JsonObject = {};
  const base = isJsonObject(document) ? document : {};
  for (const [key, value] of Object.entries(base)) if (ownValue(patch, key) !== null) setOwn(result, key, value);
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null) setOwn(result, key, merge(ownValue(base, key) ?? null, value));
  }
  return result;
}
