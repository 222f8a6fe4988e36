import { isUtf8 } from 'node:buffer';

import { SottoError } from '../../base/errors/index.ts';
import type { YamlMap } from '../../text/yaml/index.ts';
import type { Collection } from './collection.ts';
import type { GeneratorArguments, GeneratorOptions } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { fieldOf, isMap, isNull, newBoolean, newMap, newString, removeField, setField, stringMap, textOf } from './node.ts';
import { loadPairs } from './pairs.ts';
import { Resource, type Behavior } from './resource.ts';
import { formatId } from './resourceid.ts';
import type { BuildWarning } from './types.ts';

export type GeneratorKind = 'ConfigMap' | 'Secret';

const BASE64_LINE = 70;
const DEFAULT_TYPE = 'Opaque';
const BEHAVIORS: Readonly<Record<string, Behavior>> = { create: 'create', merge: 'merge', replace: 'replace' };

/**
 * The object of one generator entry (k:api/internal/generators).
 *
 * @throws SottoError KUSTOMIZE_GENERATOR, KUSTOMIZE_LOAD
 */
export function generate(kind: GeneratorKind, entry: GeneratorArguments, loader: Loader, file: string): Resource {
  const { name, namespace } = entry;
  if (name === undefined || name === '') throw new SottoError('KUSTOMIZE_GENERATOR', 'a configmap must have a name', { at: { file } });
  const metadata = newMap();
  const root = newMap();
  const set = (field: string, text: string): void => setField(root, field, newString(text));
  set('apiVersion', 'v1');
  set('kind', kind);
  setField(root, 'metadata', metadata);
  setField(metadata, 'name', newString(name));
  if (namespace !== undefined && namespace !== '') setField(metadata, 'namespace', newString(namespace));
  if (kind === 'Secret') set('type', entry.type || DEFAULT_TYPE);
  fillData(kind, root, loadPairs(loader, entry));
  applyOptions(root, metadata, entry.options ?? {});
  const resource = new Resource(root, { file, generator: `${kind}Generator` });
  resource.needsHash = entry.options?.disableNameSuffixHash !== true;
  resource.behavior = BEHAVIORS[entry.behavior ?? ''] ?? 'unspecified';
  return resource;
}

function fillData(kind: GeneratorKind, root: YamlMap, pairs: ReadonlyMap<string, Uint8Array>): void {
  const data = new Map<string, string>();
  const binary = new Map<string, string>();
  for (const [key, bytes] of pairs) {
    if (kind === 'ConfigMap' && isUtf8(bytes)) data.set(key, new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    else (kind === 'Secret' ? data : binary).set(key, wrappedBase64(bytes));
  }
  if (data.size > 0 || kind === 'Secret') setField(root, 'data', stringMap(data));
  if (binary.size > 0) setField(root, 'binaryData', stringMap(binary));
}

/** Base64, broken into lines of 70 characters with a newline at the end when it is longer than 69. */
function wrappedBase64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  if (text.length < BASE64_LINE) return text;
  const lines: string[] = [];
  for (let start = 0; start < text.length; start += BASE64_LINE) lines.push(text.slice(start, start + BASE64_LINE));
  return `${lines.join('\n')}\n`;
}

function applyOptions(root: YamlMap, metadata: YamlMap, { labels, annotations, immutable }: GeneratorOptions): void {
  for (const [field, entries] of [
    ['labels', labels],
    ['annotations', annotations],
  ] as const) {
    if (entries !== undefined && Object.keys(entries).length > 0) setField(metadata, field, stringMap(new Map(Object.entries(entries))));
  }
  if (immutable === true) setField(root, 'immutable', newBoolean(true));
}

/** Options of an entry with the file's generatorOptions below them; booleans cannot be switched off again. */
export function withGlobalOptions(entry: GeneratorArguments, global: GeneratorOptions | undefined): GeneratorArguments {
  if (global === undefined) return entry;
  const local = entry.options ?? {};
  return {
    ...entry,
    options: {
      labels: { ...global.labels, ...local.labels },
      annotations: { ...global.annotations, ...local.annotations },
      disableNameSuffixHash: global.disableNameSuffixHash === true || local.disableNameSuffixHash === true,
      immutable: global.immutable === true || local.immutable === true,
    },
  };
}

/**
 * Adds a generated object, or merges it into (puts it in place of) the one with its id, by its behavior
 * (k:api/resmap/reswrangler.go).
 *
 * @throws SottoError KUSTOMIZE_GENERATOR
 */
export function absorb(collection: Collection, generated: Resource, warn: (warning: BuildWarning) => void): void {
  const { id, behavior } = generated;
  const overrides = behavior === 'merge' || behavior === 'replace';
  const [old, second] = collection.withAnyId(id);
  if (old === undefined) {
    if (overrides) throw conflict(generated, `id ${formatId(id)} does not exist; cannot merge or replace`);
    collection.append(generated);
    return;
  }
  if (second !== undefined) throw conflict(generated, `found multiple objects that could accept merge of ${formatId(id)}`);
  if (!overrides) {
    throw conflict(generated, `id ${formatId(id)} exists; can not use behavior: '${behavior}', behavior must be merge or replace`);
  }
  warnOfLosses(old, generated, warn);
  inheritIdentity(generated, old);
  if (behavior === 'merge') inheritData(generated, old);
  collection.replace(old, generated);
}

function conflict(generated: Resource, message: string): SottoError {
  return new SottoError('KUSTOMIZE_GENERATOR', `merging from generator: ${message}`, { at: { file: generated.source.file } });
}

/** Labels and annotations unite, name, namespace and history come from the old object. */
function inheritIdentity(generated: Resource, old: Resource): void {
  for (const field of ['labels', 'annotations'] as const) {
    const united = new Map([...old[field], ...generated[field]]);
    if (united.size > 0) generated.writeTexts(field, united);
  }
  generated.name = old.name;
  generated.namespace = old.namespace;
  generated.previous.push(...old.previous);
  generated.prefixes.push(...old.prefixes);
  generated.suffixes.push(...old.suffixes);
  generated.variables.push(...old.variables);
  generated.transformations.push(...old.transformations);
  generated.needsHash &&= old.needsHash;
}

function inheritData(generated: Resource, old: Resource): void {
  for (const field of ['data', 'binaryData']) {
    const united = new Map([...dataOf(old, field), ...dataOf(generated, field)]);
    removeField(generated.root, field);
    if (united.size > 0) setField(generated.root, field, stringMap(united));
  }
  generated.origin = old.origin ?? generated.origin;
}

/** Data as texts; a null is the empty text. */
function dataOf(resource: Resource, field: string): Map<string, string> {
  const data = fieldOf(resource.root, field);
  if (!isMap(data)) return new Map();
  return new Map(data.items.map(({ key, value }) => [textOf(key), isNull(value) ? '' : textOf(value)]));
}

/** Everything but data, labels and annotations comes from the new entry: what that drops is worth a word. */
function warnOfLosses(old: Resource, generated: Resource, warn: (warning: BuildWarning) => void): void {
  const { id, source } = generated;
  const lost: string[] = [];
  if (fieldOf(old.root, 'stringData') !== undefined) lost.push('its stringData');
  if (fieldOf(old.root, 'immutable') !== undefined && fieldOf(generated.root, 'immutable') === undefined) lost.push('immutable');
  const [before, after] = [typeOf(old), typeOf(generated)];
  if (before !== after) lost.push(`its type '${before}' (now '${after}')`);
  if (lost.length > 0) warn({ message: `generator ${formatId(id)}: ${generated.behavior} loses ${lost.join(', ')}`, file: source.file });
}

function typeOf(resource: Resource): string {
  return textOf(fieldOf(resource.root, 'type'));
}

/** Adds the content hash to the names of all objects that want one. */
export function addHashes(collection: Collection, hash: (resource: Resource) => string): void {
  for (const resource of collection.resources) {
    if (!resource.needsHash) continue;
    resource.rememberName();
    resource.name = `${resource.name}-${hash(resource)}`;
  }
  collection.idsChanged();
}
