import { SottoError } from '../../base/errors/index.ts';
import type { YamlMap, YamlNode, YamlScalar } from '../../text/yaml/index.ts';
import { splitPath } from './fieldpath.ts';
import { compareGvk, isSelected, type GvkSelector } from './gvk.ts';
import type { FieldSpec } from './kustomization.ts';
import { isNull, itemOf, newMap, newSequence, newString } from './node.ts';
import type { Resource } from './resource.ts';
import { formatId } from './resourceid.ts';

/** What to make at the end of a path when nothing is there and the field spec says `create`. */
export type Creation = 'none' | 'scalar' | 'map';

/** Called with each node found, which it may change in place. */
export type Visit = (node: YamlNode) => void;

/**
 * Visits the nodes of an object that a field spec names. A path part goes into every element of a list it meets; a
 * missing or null part ends the walk unless the spec creates it (k:api/filters/fieldspec/fieldspec.go).
 *
 * @throws SottoError KUSTOMIZE_FIELD when a scalar stands in the way
 */
export function visitField(resource: Resource, spec: FieldSpec, creation: Creation, visit: Visit): void {
  if (isSelected(resource.gvk, spec)) visitPath(resource, spec, creation, visit);
}

/** {@link visitField} whatever the object's group, version and kind. */
export function visitPath(resource: Resource, spec: FieldSpec, creation: Creation, visit: Visit): void {
  const path = splitPath(spec.path ?? '', '/');
  descend({ resource, spec, path, creation: spec.create === true ? creation : 'none', visit }, resource.root, 0);
}

interface Walk {
  readonly resource: Resource;
  readonly spec: FieldSpec;
  readonly path: readonly string[];
  readonly creation: Creation;
  readonly visit: Visit;
}

function descend(walk: Walk, node: YamlNode, depth: number): void {
  const part = walk.path[depth];
  if (part === undefined) {
    walk.visit(node);
    return;
  }
  if (isNull(node)) return;
  if (node.kind === 'sequence') {
    for (const item of node.items) descend(walk, item, depth);
    return;
  }
  if (node.kind === 'scalar') throw blocked(walk, node);
  const isList = part.endsWith('[]');
  const name = isList ? part.slice(0, -2) : part;
  const create = walk.creation !== 'none' && !isList;
  const found = create ? created(walk, node, name, depth) : existing(node, name, isList);
  if (found === undefined) return;
  descend(walk, found, depth + 1);
}

/** The field as it is; a null that the path calls a list becomes an empty one. */
function existing(map: YamlMap, name: string, isList: boolean): YamlNode | undefined {
  const item = itemOf(map, name);
  if (item !== undefined && isList && isNull(item.value)) item.value = newSequence();
  return item?.value;
}

/** The field, made when it is missing or null: a map on the way, what the caller wants at the end. */
function created(walk: Walk, map: YamlMap, name: string, depth: number): YamlNode {
  const item = itemOf(map, name);
  if (item !== undefined && !isNull(item.value)) return item.value;
  const isLast = depth === walk.path.length - 1;
  const made = isLast && walk.creation === 'scalar' ? emptyScalar(item?.value) : newMap();
  if (item === undefined) map.items.push({ key: newString(name), value: made });
  else item.value = made;
  return made;
}

function emptyScalar(old: YamlNode | undefined): YamlScalar {
  return { kind: 'scalar', tag: '!!str', style: 'plain', text: '', line: old?.line ?? 0, column: old?.column ?? 0 };
}

function blocked({ resource, spec }: Walk, node: YamlNode): SottoError {
  return new SottoError(
    'KUSTOMIZE_FIELD',
    `considering field '${spec.path ?? ''}' of object ${formatId(resource.id)}: expected sequence or mapping node`,
    { at: { file: resource.source.file, ...(node.line > 0 ? { line: node.line, column: node.column } : {}) } },
  );
}

/**
 * Adds a field spec to a list: dropped when a spec there has the same path and the group, version and kind that
 * the new one gives.
 *
 * @throws SottoError KUSTOMIZE_FIELD_SPECS when such a spec differs in `create`
 */
export function mergeFieldSpec(list: readonly FieldSpec[], spec: FieldSpec): readonly FieldSpec[] {
  const known = list.find((other) => (other.path ?? '') === (spec.path ?? '') && isSelected(other, spec));
  if (known === undefined) return [...list, spec];
  if ((known.create ?? false) === (spec.create ?? false)) return list;
  throw new SottoError('KUSTOMIZE_FIELD_SPECS', `conflicting fieldspecs: path '${spec.path ?? ''}' with and without create`);
}

export function mergeFieldSpecs(list: readonly FieldSpec[], added: readonly FieldSpec[]): readonly FieldSpec[] {
  return added.reduce(mergeFieldSpec, list);
}

/** Sorted by kind, as merged configurations are. Stable. */
export function sortByGvk<T extends GvkSelector>(list: readonly T[]): readonly T[] {
  return list.toSorted(compareGvk);
}
