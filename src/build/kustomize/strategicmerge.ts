/**
 * Strategic merge as kustomize does it (k:kyaml/yaml/merge2, k:kyaml/yaml/walk): both trees are walked together, and
 * the whole object is walked, also where the patch says nothing.
 */
import { SottoError } from '../../base/errors/index.ts';
import type { YamlMap, YamlNode, YamlSequence } from '../../text/yaml/index.ts';
import { compareText } from './gvk.ts';
import { mergeKeyedList } from './keyedlist.ts';
import { mergeKeysOf, schemaOfElements, schemaOfField, type MergeSchema, type SchemaSource } from './mergeschema.ts';
import { become, fieldOf, isMap, isMissing, isNull, itemOf, readsAsString, removeField, textOf } from './node.ts';
import { wrongNode } from './write.ts';

const DIRECTIVE = '$patch';
const DIRECTIVES = ['delete', 'replace', 'merge'] as const;
type Directive = (typeof DIRECTIVES)[number];

/**
 * Merges a patch into an object, which changes; the patch is used up. False when the patch deletes the object. A
 * `$patch: replace` at the root has no effect, as upstream.
 *
 * @throws SottoError KUSTOMIZE_MERGE
 */
export function strategicMerge(dest: YamlMap, patch: YamlMap, { schemas, warn }: MergeOptions): boolean {
  return merge(dest, patch, { schemas, warn, path: '' }) !== undefined;
}

export interface MergeOptions {
  readonly schemas: SchemaSource;
  /** Told of list elements that get lost. */
  readonly warn: (this: void, message: string) => void;
}

/** What is known about the place of two nodes. */
interface Place extends MergeOptions {
  readonly path: string;
  readonly schema?: MergeSchema | undefined;
}

/** The result of two nodes, either of which can be absent; undefined means that nothing stays. */
function merge(dest: YamlNode | undefined, patch: YamlNode | undefined, at: Place): YamlNode | undefined {
  const place: Place = { ...at, schema: at.schema ?? schemaOfNode(dest, at.schemas) ?? schemaOfNode(patch, at.schemas) };
  const kind = present(dest)?.kind ?? present(patch)?.kind ?? 'map';
  checkKind(dest, kind);
  checkKind(patch, kind);
  adoptFlow(dest, patch);
  if (kind === 'scalar') return patch ?? dest;
  if (kind === 'map') return mergeMaps(dest, patch, place);
  const keys = mergeKeysOf(place.schema);
  return keys === undefined ? (patch ?? dest) : mergeLists(dest, patch, keys, place);
}

function present(node: YamlNode | undefined): YamlNode | undefined {
  return isMissing(node) ? undefined : node;
}

/** A map that says itself which kind it is has that kind's schema, wherever it stands. */
function schemaOfNode(node: YamlNode | undefined, schemas: SchemaSource): MergeSchema | undefined {
  if (!isMap(node)) return undefined;
  return schemas(textOf(fieldOf(node, 'apiVersion')), textOf(fieldOf(node, 'kind')));
}

function checkKind(node: YamlNode | undefined, expected: YamlNode['kind']): void {
  if (node !== undefined && !isNull(node) && node.kind !== expected) throw wrongNode(node, expected);
}

/** An empty collection is written in the patch's way from now on. */
function adoptFlow(dest: YamlNode | undefined, patch: YamlNode | undefined): void {
  if (dest === undefined || patch === undefined || dest.kind === 'scalar' || dest.items.length > 0) return;
  dest.flow = flowOf(patch);
}

function mergeMaps(dest: YamlNode | undefined, patch: YamlNode | undefined, place: Place): YamlNode | undefined {
  const target = targetOf(dest, patch);
  if (!isMap(target)) return target;
  const source = isMap(patch) ? patch : undefined;
  for (const key of keysOf(target, source)) {
    const inner = { ...place, path: place.path === '' ? key : `${place.path}.${key}`, schema: schemaOfField(place.schema, key) };
    const merged = merge(fieldOf(target, key), source === undefined ? undefined : fieldOf(source, key), inner);
    putField(target, key, merged, source);
  }
  return target;
}

/** The node that the result is made in: the object's, or the patch's where the object has none. */
function targetOf(dest: YamlNode | undefined, patch: YamlNode | undefined): YamlNode | undefined {
  if (dest === undefined || isNull(dest)) {
    if (knownDirective(patch) === 'delete') return undefined;
    // An explicit null of the object survives, one that is only empty does not.
    return patch === undefined && textOf(dest) !== '' ? dest : patch;
  }
  if (patch === undefined) return dest;
  if (isNull(patch)) return undefined;
  const directive = takeDirective(patch);
  return directive === 'delete' ? undefined : directive === 'replace' ? patch : dest;
}

function knownDirective(patch: YamlNode | undefined): Directive | undefined {
  const text = isMap(patch) ? textOf(fieldOf(patch, DIRECTIVE)) : '';
  const directive = DIRECTIVES.find((known) => known === text);
  if (directive !== undefined && isMap(patch)) removeField(patch, DIRECTIVE);
  return directive;
}

/** The directive of a patch node, which is taken out of it. */
function takeDirective(patch: YamlNode): Directive | undefined {
  if (patch.kind === 'sequence') return takeListDirective(patch);
  const text = fieldOf(patch, DIRECTIVE);
  if (text === undefined) return undefined;
  const directive = DIRECTIVES.find((known) => known === textOf(text));
  if (directive === undefined) throw unknownDirective(textOf(text), text);
  if (patch.kind === 'map') removeField(patch, DIRECTIVE);
  return directive;
}

/** The first element with a directive counts, if it has nothing else. Nulls and empty maps go with it. */
function takeListDirective(list: YamlSequence): Directive | undefined {
  const element = list.items.find((item) => itemOf(item, DIRECTIVE) !== undefined);
  if (!isMap(element) || element.items.length > 1) return undefined;
  const value = fieldOf(element, DIRECTIVE);
  const directive = DIRECTIVES.find((known) => known === textOf(value));
  if (directive === undefined) throw unknownDirective(textOf(value), element);
  list.items = list.items.filter((item) => !isNull(item) && !isEmptyMap(item) && textOf(fieldOf(item, DIRECTIVE)) !== directive);
  return directive;
}

function unknownDirective(text: string, at: YamlNode): SottoError {
  return new SottoError('KUSTOMIZE_MERGE', `unknown patch strategy '${text}' (line ${at.line})`);
}

function isEmptyMap(node: YamlNode): boolean {
  return node.kind === 'map' && node.items.length === 0;
}

function keysOf(target: YamlMap, source: YamlMap | undefined): string[] {
  const keys = new Set<string>();
  for (const map of [target, source]) for (const { key } of map?.items ?? []) keys.add(textOf(key));
  return [...keys].toSorted(compareText);
}

/** Puts a merged value into its field. A value that takes the place of another takes over its style. */
function putField(target: YamlMap, key: string, value: YamlNode | undefined, source: YamlMap | undefined): void {
  const item = itemOf(target, key);
  const ofPatch = source !== undefined && fieldOf(source, key) === value;
  if (value === undefined || (isNull(value) && (value !== item?.value || ofPatch))) {
    removeField(target, key);
    return;
  }
  if (item === undefined) {
    const keyNode = source === undefined ? undefined : itemOf(source, key)?.key;
    if (keyNode !== undefined) target.items.push({ key: keyNode, value: quotedIfOld(value) });
    return;
  }
  if (item.value !== value) become(item.value, inStyleOf(value, item.value));
}

function inStyleOf(value: YamlNode, old: YamlNode): YamlNode {
  if (value.kind !== 'scalar') return { ...value, flow: flowOf(old) };
  const style = old.kind === 'scalar' ? old.style : 'plain';
  return { ...value, style, tag: style === 'plain' ? value.tag : '!!str' };
}

function flowOf(node: YamlNode): boolean {
  return node.kind !== 'scalar' && node.flow;
}

/** Words like `yes`, strings here but booleans of YAML 1.1, are quoted from now on. */
function quotedIfOld(value: YamlNode): YamlNode {
  if (value.kind !== 'scalar' || value.style !== 'plain' || value.tag !== '!!str') return value;
  return readsAsString(value.text) ? value : { ...value, style: 'double' };
}

function mergeLists(dest: YamlNode | undefined, patch: YamlNode | undefined, keys: readonly string[], place: Place): YamlNode | undefined {
  const target = listTargetOf(dest, patch);
  if (target?.kind !== 'sequence') return target;
  const source = patch?.kind === 'sequence' ? patch : undefined;
  const element = { ...place, schema: schemaOfElements(place.schema) };
  warnOfLosses(target, source, keys, place);
  return mergeKeyedList(target, source, keys, (d, s) => merge(d, s, element));
}

function listTargetOf(dest: YamlNode | undefined, patch: YamlNode | undefined): YamlNode | undefined {
  if (isMissing(dest)) return patch;
  if (patch === undefined) return dest;
  if (isNull(patch)) return undefined;
  const directive = takeDirective(patch);
  return directive === 'delete' ? undefined : directive === 'replace' ? patch : dest;
}

/** Elements that share their keys collapse; those that have only some of the keys of another one can get lost. */
function warnOfLosses(dest: YamlSequence, patch: YamlSequence | undefined, keys: readonly string[], { path, warn }: Place): void {
  if (keys.length === 0) return;
  const texts = (list: YamlSequence): string[][] =>
    list.items.filter((item) => isMap(item)).map((item) => keys.map((key) => textOf(fieldOf(item, key))));
  const own = texts(dest);
  const all = patch === undefined || patch === dest ? own : [...own, ...texts(patch)];
  if (new Set(own.map(String)).size < own.length) warn(`elements of ${path} with equal ${keys.join(' and ')} collapse into one`);
  const isPartial = keys.length > 1 && all.some((tuple) => tuple.includes('')) && all.some((tuple) => !tuple.includes(''));
  if (isPartial) warn(`some elements of ${path} lack one of ${keys.join(', ')}: they can get lost`);
}
