import { SottoError } from '../../../base/errors/index.ts';
import type { Json } from '../../../kube/objects/index.ts';
import { parseDocuments, toJson, type YamlNode } from '../../../text/yaml/index.ts';
import type { Collection } from '../collection.ts';
import { decode } from '../decode.ts';
import { lookupPath, matchPath, parsedText, splitFieldPath } from '../fieldpath.ts';
import { compareText, isSelected } from '../gvk.ts';
import { canonicalJson } from '../hash.ts';
import {
  REPLACEMENT,
  type FieldOptions,
  type Replacement,
  type ReplacementSource,
  type ReplacementTarget,
  type Selector,
} from '../kustomization.ts';
import { parseLabelSelector } from '../labelselector.ts';
import type { Loader } from '../loader.ts';
import { expandMergeKeys } from '../mergekeys.ts';
import { become, cloneNode, countNodes, isNull, newPlain, textOf, writeUntyped } from '../node.ts';
import type { Resource } from '../resource.ts';
import { formatId, type ResourceId } from '../resourceid.ts';
import { effectiveNamespace } from '../scope.ts';
import { anchored } from '../selector.ts';
import type { Session } from '../session.ts';
import { sourceText } from '../sourcetext.ts';

const NAME_PATH = 'metadata.name';

/** The replacements of a file, those behind `path` read in. Throws SottoError KUSTOMIZE_REPLACEMENT. */
export function loadReplacements(entries: readonly Replacement[], loader: Loader, file: string): Replacement[] {
  return entries.flatMap((entry) => {
    const { path = '' } = entry;
    if (path === '') return [entry];
    if (entry.source !== undefined || (entry.targets ?? []).length > 0) {
      throw failure('cannot specify both path and inline replacement', file);
    }
    return readReplacements(loader.text(path), loader.locate(path));
  });
}

function readReplacements(text: string, file: string): Replacement[] {
  const root = parseDocuments(text, { profile: 'yaml11', file })[0]?.root;
  if (root === undefined || root.kind === 'scalar') {
    throw failure('unsupported replacement type encountered within replacement path: expected a map or a list', file);
  }
  const expanded = expandMergeKeys(root, file);
  const place = { file, prefix: 'invalid replacement', struct: 'Replacement', path: '', lenient: true };
  const decoded = decode(expanded, root.kind === 'sequence' ? { list: REPLACEMENT } : REPLACEMENT, place);
  return root.kind === 'sequence' ? (decoded as Replacement[]) : [decoded as Replacement];
}

/**
 * Copies values from one object to fields of others (k:api/filters/replacement/replacement.go).
 *
 * @throws SottoError KUSTOMIZE_REPLACEMENT, KUSTOMIZE_SELECTOR
 */
export function applyReplacements(collection: Collection, replacements: readonly Replacement[], file: string, session: Session): void {
  for (const replacement of replacements) {
    const { targets, source, sourceValue } = replacement;
    if ((source === undefined && sourceValue === undefined) || targets === undefined) {
      throw failure('replacements must specify a source and at least one target', file);
    }
    const value = sourceOf(collection, replacement, file);
    for (const target of targets) applyTo(collection, value, target, file, session);
  }
  collection.idsChanged();
}

function sourceOf(collection: Collection, { source, sourceValue }: Replacement, file: string): YamlNode {
  if (source !== undefined && sourceValue !== undefined) throw failure('value and resource selectors are mutually exclusive', file);
  if (source === undefined) return newPlain(sourceValue ?? '');
  const resource = selectSource(collection, source, file);
  const fieldPath = source.fieldPath || NAME_PATH;
  const found = lookupPath(resource.root, splitFieldPath(fieldPath));
  if (found === undefined || isEmpty(found)) {
    throw failure(`fieldPath \`${fieldPath}\` is missing for replacement source ${formatSource(source)}`, file);
  }
  return refined(found, source.options, file);
}

function isEmpty(node: YamlNode): boolean {
  return node.kind === 'scalar' ? isNull(node) : node.items.length === 0;
}

function selectSource(collection: Collection, source: ReplacementSource, file: string): Resource {
  const found = collection.resources.filter((resource) => resource.allIds.some((id) => isSource(id, source)));
  const [first, second] = found;
  if (first === undefined) throw failure(`nothing selected by ${formatSource(source)}`, file);
  if (second !== undefined) throw failure(`multiple matches for selector ${formatSource(source)}`, file);
  return first;
}

function isSource(id: ResourceId, { name = '', namespace = '', ...gvk }: ReplacementSource): boolean {
  if (name !== '' && name !== id.name) return false;
  if (namespace !== '' && namespace !== effectiveNamespace(id, id.namespace)) return false;
  return isSelected(id, gvk);
}

function formatSource({ group = '', version = '', kind = '', name = '', namespace = '' }: Selector): string {
  return formatId({ group, version, kind, name, namespace });
}

/** One part of the source's text, when a delimiter says so. */
function refined(node: YamlNode, options: FieldOptions | undefined, file: string): YamlNode {
  const { delimiter = '', index = 0 } = options ?? {};
  if (delimiter === '') return node;
  if (node.kind !== 'scalar') throw failure('delimiter option can only be used with scalar nodes', file);
  const part = node.text.split(delimiter)[index];
  if (part === undefined) throw failure(`options.index ${index} is out of bounds for value of the source`, file);
  return { ...node, text: part };
}

function applyTo(collection: Collection, value: YamlNode, target: ReplacementTarget, file: string, session: Session): void {
  const { select, reject = [] } = target;
  if (select === undefined) throw failure('target must specify resources to select', file);
  const selects = selectorOf(select);
  const rejects = reject.map(selectorOf);
  let found = false;
  for (const resource of collection.resources) {
    if (!selects.byText(resource) || rejects.some((each) => each.hasText && each.byText(resource))) continue;
    const ids = resource.allIds;
    if (rejects.some((each) => each.hasId && ids.some(each.byId)) || !ids.some(selects.byId)) continue;
    found = true;
    copyTo(resource, value, target, file, session);
  }
  if (!found) session.warn({ message: `replacement: the target ${formatSource(select)} matches nothing`, file, unmatched: true });
  if ((target.options?.encoding ?? '') !== '') session.warn({ message: 'replacement: the option encoding has no effect', file });
}

interface TargetSelector {
  readonly hasText: boolean;
  readonly hasId: boolean;
  byText(this: void, resource: Resource): boolean;
  byId(this: void, id: ResourceId): boolean;
}

/** Namespaces are compared as they are written, unlike in patches. */
function selectorOf(selector: Selector): TargetSelector {
  const { labelSelector = '', annotationSelector = '' } = selector;
  const parts = (['group', 'version', 'kind', 'name', 'namespace'] as const).map((part) => [part, anchored(selector[part])] as const);
  const labels = parseLabelSelector(labelSelector);
  const annotations = parseLabelSelector(annotationSelector);
  return {
    hasText: labelSelector !== '' || annotationSelector !== '',
    hasId: parts.some(([, pattern]) => pattern !== undefined),
    byText: (resource) =>
      (labelSelector === '' || labels(resource.labels)) && (annotationSelector === '' || annotations(resource.annotations)),
    byId: (id) => parts.every(([part, pattern]) => pattern === undefined || pattern.test(id[part])),
  };
}

function copyTo(
  resource: Resource,
  value: YamlNode,
  { fieldPaths = [], options = {} }: ReplacementTarget,
  file: string,
  session: Session,
): void {
  const creation = options.create === true ? value.kind : undefined;
  for (const fieldPath of fieldPaths.length === 0 ? [NAME_PATH] : fieldPaths) {
    const path = splitFieldPath(fieldPath);
    if (setInsideText(resource, value, path, creation)) continue;
    const found = fieldsAt(resource, fieldPath, path, creation, file);
    for (const field of found) {
      if (field.tag === '') session.untyped.add(field);
      if (field.kind !== 'scalar') session.countCopied(countNodes(value));
      setValue(resource, field, value, options, file, session.untyped.has(field));
    }
  }
}

function fieldsAt(
  resource: Resource,
  fieldPath: string,
  path: readonly string[],
  creation: YamlNode['kind'] | undefined,
  file: string,
): YamlNode[] {
  const verb = creation === undefined ? 'find' : 'find or create';
  const message = `unable to ${verb} field "${fieldPath}" in replacement target`;
  try {
    const found = matchPath(resource.root, path, creation);
    if (found !== undefined && found.length > 0) return found;
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    throw failure(`${message} ${formatId(resource.id)}: ${error.message}`, file);
  }
  throw failure(`${message} ${formatId(resource.id)}`, file);
}

function setValue(
  resource: Resource,
  field: YamlNode,
  value: YamlNode,
  { delimiter = '', index = 0 }: FieldOptions,
  file: string,
  isUntyped: boolean,
): void {
  if (delimiter !== '' && field.kind !== 'scalar')
    throw failure(`delimiter option can only be used with scalar nodes (${formatId(resource.id)})`, file);
  if (field.kind === 'scalar') {
    const text = delimiter === '' ? textOf(value) : joined(field.text, isNull(value) ? '' : textOf(value), delimiter, index);
    if (isUntyped) writeUntyped(field, text);
    else field.text = text;
    return;
  }
  become(field, cloneNode(value));
}

/** Puts a part into a delimited text: before, in place of one, or behind. */
function joined(text: string, part: string, delimiter: string, index: number): string {
  const parts = text.split(delimiter);
  if (index < 0) parts.unshift(part);
  else if (index >= parts.length) parts.push(part);
  else parts[index] = part;
  return parts.join(delimiter);
}

/** Sets a value inside of a text that is JSON or YAML itself. False when the path does not lead through such a text. */
function setInsideText(resource: Resource, value: YamlNode, path: readonly string[], creation: YamlNode['kind'] | undefined): boolean {
  try {
    for (let length = 1; length < path.length; length++) {
      const scalar = exactly(resource.root, path.slice(0, length));
      if (scalar?.kind !== 'scalar' || isNull(scalar)) continue;
      const document = parsedText(scalar.text);
      const found = matchPath(document, path.slice(length), creation) ?? [];
      for (const field of found) {
        if (field.kind !== 'scalar') become(field, cloneNode(value));
        else if (field.tag === '') writeUntyped(field, textOf(value));
        else field.text = textOf(value);
      }
      if (found.length > 0) scalar.text = /^\s*[[{]/.test(scalar.text) ? jsonText(document, scalar.text) : sourceText(document).trim();
      return found.length > 0;
    }
    return false;
  } catch (error) {
    if (error instanceof SottoError) return false; // not structured after all: the ordinary way decides, as upstream
    throw error;
  }
}

function exactly(root: YamlNode, path: readonly string[]): YamlNode | undefined {
  try {
    return lookupPath(root, path);
  } catch (error) {
    if (error instanceof SottoError) return undefined; // a longer path may still lead to a text
    throw error;
  }
}

function jsonText(document: YamlNode, original: string): string {
  const value = toJson(document, { profile: 'goYaml3' });
  return original.includes('\n') && original.includes('  ') ? indented(value) : canonicalJson(value);
}

function indented(value: Json, margin = ''): string {
  const inner = `${margin}  `;
  if (Array.isArray(value)) {
    return value.length === 0 ? '[]' : `[\n${value.map((item) => inner + indented(item, inner)).join(',\n')}\n${margin}]`;
  }
  if (typeof value !== 'object' || value === null) return canonicalJson(value);
  const keys = Object.keys(value).toSorted(compareText);
  const lines = keys.map((key) => `${inner}${canonicalJson(key)}: ${indented(value[key] ?? null, inner)}`);
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${margin}}`;
}

function failure(message: string, file: string): SottoError {
  return new SottoError('KUSTOMIZE_REPLACEMENT', message, { at: { file } });
}
