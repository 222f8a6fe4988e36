import { compileRegExp } from '../../text/regexp/index.ts';
import { cloneJson, gvkOf, isJsonObject, type JsonObject, type KubeObject } from '../objects/index.ts';
import { matchesSelector } from './selector.ts';

/** Fields that drift detection passes over (flux/SSA-13, `spec.ignore[]`). */
export interface IgnoreRule {
  /** JSON pointers, RFC 6901. */
  readonly paths: readonly string[];
  /** Which objects: anchored regular expressions and selectors. Absent: all. */
  readonly target?: IgnoreTarget;
}

/** Selects objects as the `target` of a kustomize patch does. */
export interface IgnoreTarget {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

type Path = readonly string[];

/** The ignored pointers of one object, as unescaped segments. @throws SottoError for a bad expression or selector */
export function ignoredPointers(object: KubeObject, rules: readonly IgnoreRule[]): Path[] {
  return rules.filter((rule) => isTarget(object, rule.target)).flatMap((rule) => rule.paths.map(parsePointer));
}

function isTarget(object: KubeObject, target: IgnoreTarget | undefined): boolean {
  if (target === undefined) return true;
  const { group, version, kind } = gvkOf(object);
  const { name = '', namespace = '', labels = {}, annotations = {} } = object.metadata;
  const pairs: readonly (readonly [pattern: string | undefined, text: string])[] = [
    [target.group, group],
    [target.version, version],
    [target.kind, kind],
    [target.name, name],
    [target.namespace, namespace],
  ];
  const isNamed = pairs.every(([pattern, text]) => (pattern ?? '') === '' || compileRegExp(pattern ?? '', { anchored: true }).test(text));
  return isNamed && matchesSelector(target.labelSelector ?? '', labels) && matchesSelector(target.annotationSelector ?? '', annotations);
}

function parsePointer(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A copy without what the pointers name. */
export function withoutPointers(object: KubeObject, paths: readonly Path[]): KubeObject {
  if (paths.length === 0) return object;
  const copy = cloneJson(object);
  for (const path of paths) removeAt(copy, path);
  return copy;
}

/**
 * A copy of the desired object that leaves ignored fields alone: what another Apply manager owns is left out of the
 * patch, anything else takes the live value.
 */
export function adoptIgnored(desired: KubeObject, live: KubeObject, paths: readonly Path[], own: string): KubeObject {
  const copy = cloneJson(desired);
  const others = (live.metadata.managedFields ?? []).filter(
    (entry) => entry.operation === 'Apply' && entry.manager !== own && (entry.subresource ?? '') === '',
  );
  for (const path of paths) {
    const value = valueAt(live, path);
    if (others.some((entry) => ownsPath(entry.fieldsV1, live, path))) removeAt(copy, path);
    else if (value !== undefined && valueAt(copy, path) !== undefined) replaceAt(copy, path, cloneJson(value));
  }
  return copy;
}

function childOf(parent: unknown, segment: string): unknown {
  if (Array.isArray(parent)) return /^\d+$/.test(segment) ? parent[Number(segment)] : undefined;
  return isJsonObject(parent) && Object.hasOwn(parent, segment) ? parent[segment] : undefined;
}

function valueAt(object: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, segment) => childOf(at, segment), object);
}

function removeAt(object: KubeObject, path: Path): void {
  const last = path.at(-1);
  const parent = valueAt(object, path.slice(0, -1));
  if (last === undefined || childOf(parent, last) === undefined) return;
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isJsonObject(parent)) delete parent[last];
}

function replaceAt(object: KubeObject, path: Path, value: unknown): void {
  const last = path.at(-1);
  const parent = valueAt(object, path.slice(0, -1)) as Record<string, unknown> | undefined;
  if (last !== undefined && parent !== undefined) parent[last] = value;
}

/** True when a field set in FieldsV1 form holds the path of a live object, or anything below it. */
function ownsPath(fields: JsonObject, live: unknown, path: Path): boolean {
  let at: unknown = fields;
  let value: unknown = live;
  for (const segment of path) {
    if (!isJsonObject(at)) return false;
    const child = childOf(value, segment);
    const key = Array.isArray(value) ? elementKey(at, child) : `f:${segment}`;
    if (key === undefined || !Object.hasOwn(at, key)) return false;
    at = at[key];
    value = child;
  }
  return true;
}

/** The `k:` or `v:` key under which a field set keeps this list element. */
function elementKey(fields: JsonObject, element: unknown): string | undefined {
  return Object.keys(fields).find((key) => {
    if (!key.startsWith('k:') && !key.startsWith('v:')) return false;
    const named: unknown = JSON.parse(key.slice(2));
    if (key.startsWith('v:')) return named === element;
    return isJsonObject(named) && isJsonObject(element) && Object.entries(named).every(([field, value]) => element[field] === value);
  });
}
