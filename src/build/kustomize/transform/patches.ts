import { SottoError } from '../../../base/errors/index.ts';
import type { Json } from '../../../kube/objects/index.ts';
import { toJson, type YamlMap, type YamlNode } from '../../../text/yaml/index.ts';
import type { Collection } from '../collection.ts';
import { duplicateId } from '../collection.ts';
import { applyJsonPatch, parseJsonPatch, type PatchOperation } from '../json6902.ts';
import { nodeOfJson } from '../jsonnode.ts';
import type { Patch, Selector } from '../kustomization.ts';
import type { Loader } from '../loader.ts';
import { parseManifests } from '../manifests.ts';
import { cloneNode, fieldOf, isMap, isNull, lookup, newString, setField, textOf } from '../node.ts';
import { keepsNotes } from '../notes.ts';
import type { Resource } from '../resource.ts';
import { formatId, idKey } from '../resourceid.ts';
import { formatSelector, select } from '../selector.ts';
import type { Session } from '../session.ts';
import { strategicMerge } from '../strategicmerge.ts';

interface LoadedPatch {
  readonly text: string;
  /** The file the text is in, for messages. */
  readonly file: string;
  /** How messages name the patch; the text of an inline patch can be secret and is left out. */
  readonly source: string;
}

/** Applies one `patches` entry (k:api/internal/builtins/PatchTransformer.go). Throws SottoError KUSTOMIZE_PATCH. */
export function applyPatch(collection: Collection, patch: Patch, loader: Loader, file: string, session: Session): void {
  const loaded = loadPatch(patch, loader, file);
  const objects = attempt(() => parseManifests(loaded.text, loaded.file));
  const operations = attempt(() => parseJsonPatch(loaded.text, loaded.file));
  if (objects !== undefined && objects.length > 0 && operations !== undefined && operations.length > 0) {
    throw failure(`illegally qualifies as both an SM and JSON patch: ${loaded.source}`, loaded.file);
  }
  if (objects !== undefined) mergePatches(collection, objects, patch, loaded, session);
  else if (operations === undefined) throw unreadable(loaded);
  else if (operations.length > 0) applyOperations(collection, operations, patch, loaded, session);
}

function loadPatch({ path = '', patch = '' }: Patch, loader: Loader, file: string): LoadedPatch {
  const inline = patch.trim();
  if (inline === '' && path === '') throw failure('must specify one of patch and path', file);
  if (inline !== '' && path !== '') throw failure(`patch and path can't be set at the same time (path ${path})`, file);
  if (inline !== '') return { text: inline, file, source: '[patch: inline]' };
  try {
    return { text: loader.text(path), file: loader.locate(path), source: `[path: "${path}"]` };
  } catch (cause) {
    throw failure(`failed to get the patch file from path(${path}): ${cause instanceof Error ? cause.message : ''}`, file, cause);
  }
}

/** The result, or undefined when the text is of another form. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SottoError) return undefined; // the other form of patches is tried, and reported if neither fits
    throw error;
  }
}

/** Says why the text is no object: most patches are meant to be one. */
function unreadable(loaded: LoadedPatch): SottoError {
  try {
    parseManifests(loaded.text, loaded.file);
  } catch (cause) {
    const reason = cause instanceof SottoError ? cause : undefined;
    const inFile = loaded.source.startsWith('[path');
    const line = inFile || reason?.at?.line === undefined ? '' : ` (line ${reason.at.line} of the patch)`;
    return new SottoError('KUSTOMIZE_PATCH', `unable to parse SM or JSON patch from ${loaded.source}: ${reason?.message ?? ''}${line}`, {
      at: inFile && reason?.at !== undefined ? reason.at : { file: loaded.file },
      cause,
    });
  }
  return failure(`unable to parse SM or JSON patch from ${loaded.source}`, loaded.file);
}

function mergePatches(collection: Collection, objects: readonly Resource[], patch: Patch, loaded: LoadedPatch, session: Session): void {
  const options = patch.options ?? {};
  if (patch.target !== undefined) {
    const [only, second] = objects;
    if (second !== undefined) {
      throw failure(
        `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${loaded.source}`,
        loaded.file,
      );
    }
    if (only !== undefined) mergeIntoSelected(collection, selected(collection, patch.target, loaded, session), only, options, session);
    return;
  }
  for (const object of objects) {
    const target = targetOf(collection, object, (reason) => {
      const text = `no resource matches strategic merge patch "${formatId(object.id)}": ${reason}`;
      return failure(text, object.source.file, undefined, object.source.line);
    });
    mergeInto(target, object, options, session);
  }
  collection.idsChanged();
}

function selected(collection: Collection, target: Selector, loaded: LoadedPatch, session: Session): Resource[] {
  const found = select(collection, target);
  if (found.length === 0)
    session.warn({
      message: `patch ${loaded.source}: the target ${formatSelector(target)} matches nothing`,
      file: loaded.file,
      unmatched: true,
    });
  return found;
}

function targetOf(collection: Collection, patch: Resource, fail: (reason: string) => SottoError): Resource {
  const id = patch.originalId;
  const [target, second] = collection.withAnyId(id);
  const name = formatId(id);
  if (target === undefined) throw fail(`no matches for Id ${name}; failed to find unique target for patch ${name}`);
  if (second !== undefined) throw fail(`multiple matches for Id ${name}; failed to find unique target for patch ${name}`);
  return target;
}

/**
 * Merges one patch into all chosen objects, whatever name, namespace and kind it has itself. Its labels and
 * annotations become strings first, so that a null there is a text and deletes nothing.
 */
function mergeIntoSelected(
  collection: Collection,
  chosen: readonly Resource[],
  patch: Resource,
  options: NonNullable<Patch['options']>,
  session: Session,
): void {
  const targets = new Set(chosen.map((resource) => idKey(resource.id)));
  const prepared = preparedFor(patch, session);
  for (const resource of collection.resources) {
    if (resource.deleted || !targets.has(idKey(resource.id))) continue;
    mergeInto(resource, prepared, options, session, resource.apiVersion);
  }
  collection.keep((resource) => !resource.deleted);
  collection.idsChanged();
  const [conflict] = collection.conflicts();
  if (conflict?.[0] !== undefined && conflict[1] !== undefined) throw duplicateId(conflict[1], conflict[0]);
}

function preparedFor(patch: Resource, session: Session): Resource {
  for (const field of ['labels', 'annotations'] as const) {
    const entries = lookup(patch.root, 'metadata', field);
    if (entries === undefined) continue;
    if (isMap(entries) && entries.items.some(({ value }) => isNull(value))) {
      session.warn({ message: `patch with a target: a null in ${field} is a text here and deletes nothing`, file: patch.source.file });
    }
    patch.writeTexts(field, patch[field]);
  }
  return patch;
}

function mergeInto(
  resource: Resource,
  patch: Resource,
  options: NonNullable<Patch['options']>,
  session: Session,
  apiVersion?: string,
): void {
  const { name, namespace, kind } = resource;
  const { allowNameChange = false, allowKindChange = false } = options;
  if (allowNameChange || allowKindChange) resource.rememberName();
  const root = cloneNode(patch.root);
  if (apiVersion !== undefined) setField(root, 'apiVersion', newString(apiVersion));
  const kept = keepsNotes(resource, () => {
    resource.deleted = !merged(resource, root, session);
  });
  if (resource.deleted) return;
  if (!kept) loseNotes(resource, session);
  if (!allowKindChange) writeIfChanged(resource, 'kind', kind);
  if (!allowNameChange && resource.name !== name) resource.name = name;
  if (namespace === '' || resource.namespace !== namespace) resource.namespace = namespace;
}

function loseNotes(resource: Resource, session: Session): void {
  const what = resource.needsHash ? 'its hash suffix and its earlier names' : 'its earlier names';
  session.warn({
    message: `a patch removes all annotations of ${formatId(resource.id)}, and with them ${what}`,
    file: resource.source.file,
  });
  resource.forget();
}

function merged(resource: Resource, patch: Resource['root'], session: Session): boolean {
  const warn = (message: string): void =>
    session.warn({ message: `patch of ${formatId(resource.id)}: ${message}`, file: resource.source.file });
  try {
    warnOfIgnored(patch, warn);
    return strategicMerge(resource.root, patch, { schemas: session.schemas, warn });
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    throw new SottoError(error.code, `patch of ${formatId(resource.id)}: ${error.message}`, {
      at: { file: resource.source.file },
      cause: error,
    });
  }
}

const IGNORED_DIRECTIVE = /^\$(?:setElementOrder|deleteFromPrimitiveList|retainKeys)(?:\/|$)/;

/** Directives of Kubernetes that kustomize does not know: they stay in the object, or do nothing. */
function warnOfIgnored(patch: YamlMap, warn: (message: string) => void): void {
  if (textOf(fieldOf(patch, '$patch')) === 'replace') warn('$patch: replace has no effect at the root');
  const visit = (node: YamlNode): void => {
    if (node.kind === 'sequence') node.items.forEach(visit);
    if (node.kind !== 'map') return;
    for (const { key, value } of node.items) {
      if (IGNORED_DIRECTIVE.test(textOf(key))) warn(`the directive ${textOf(key)} is not carried out`);
      visit(value);
    }
  };
  visit(patch);
}

function writeIfChanged(resource: Resource, field: string, text: string): void {
  const node = fieldOf(resource.root, field);
  if (node?.kind !== 'scalar' || node.text !== text) setField(resource.root, field, newString(text));
}

function applyOperations(
  collection: Collection,
  operations: readonly PatchOperation[],
  patch: Patch,
  loaded: LoadedPatch,
  session: Session,
): void {
  if (patch.target === undefined) throw failure(`must specify a target for JSON patch ${loaded.source}`, loaded.file);
  for (const resource of selected(collection, patch.target, loaded, session)) {
    resource.rememberName();
    patchAsJson(resource, operations, loaded, session);
  }
  collection.idsChanged();
}

/** The object goes through JSON; its annotations exist as soon as the build has noted anything about it. */
function patchAsJson(resource: Resource, operations: readonly PatchOperation[], loaded: LoadedPatch, session: Session): void {
  const kept = keepsNotes(resource, () => {
    const before = toJson(resource.root, { profile: 'goYaml3', file: resource.source.file });
    const root = nodeOfJson(patched(resource, before, operations, loaded, session));
    if (!isMap(root)) throw failure(`the JSON patch leaves no object of ${formatId(resource.id)}`, loaded.file);
    resource.root = root;
  });
  // Here upstream restores its own notes, but not those that buildMetadata prints.
  if (!kept) resource.forgetOrigin();
  resource.writeTexts('annotations', resource.annotations);
}

function patched(resource: Resource, document: Json, operations: readonly PatchOperation[], loaded: LoadedPatch, session: Session): Json {
  try {
    return applyJsonPatch(document, operations, session.countCopied);
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    throw new SottoError(error.code, `JSON patch ${loaded.source} of ${formatId(resource.id)}: ${error.message}`, {
      at: { file: loaded.file },
      cause: error,
    });
  }
}

/** Applies a `patchesStrategicMerge` list: inline objects, or paths of files with objects. */
export function applyOldMergePatches(
  collection: Collection,
  entries: readonly string[],
  loader: Loader,
  file: string,
  session: Session,
): void {
  if (entries.length === 0) return;
  const objects = entries.flatMap(
    (entry) => attempt(() => parseManifests(entry, file)) ?? parseManifests(loader.text(entry), loader.locate(entry)),
  );
  if (objects.length === 0) throw failure(`patch appears to be empty; files=[${entries.join(' ')}]`, file);
  for (const object of objects) {
    const target = targetOf(collection, object, (reason) => failure(reason, object.source.file, undefined, object.source.line));
    mergeIntoSelected(collection, [target], object, {}, session);
  }
}

/** Applies one `patchesJson6902` entry. */
export function applyOldJsonPatch(collection: Collection, patch: Patch, loader: Loader, file: string, session: Session): void {
  const { target, path = '', patch: inline = '' } = patch;
  if (target === undefined || (target.name ?? '') === '') throw failure('must specify the target name', file);
  if (path === '' && inline === '') throw failure('empty file path and empty jsonOp', file);
  if (path !== '' && inline !== '') throw failure('must specify a file path or jsonOp, not both', file);
  const loaded: LoadedPatch =
    path === ''
      ? { text: inline, file, source: '[patch: inline]' }
      : { text: loader.text(path), file: loader.locate(path), source: `[path: "${path}"]` };
  const operations = parseJsonPatch(loaded.text, loaded.file);
  if (operations === undefined) throw failure(`decoding ${loaded.source}: expected a list of operations`, loaded.file);
  if (operations.length === 0) throw failure(`patch appears to be empty; file=${path}`, loaded.file);
  for (const resource of selected(collection, target, loaded, session)) patchAsJson(resource, operations, loaded, session);
  collection.idsChanged();
}

function failure(message: string, file: string, cause?: unknown, line?: number): SottoError {
  return new SottoError('KUSTOMIZE_PATCH', message, {
    at: { file, ...(line === undefined ? {} : { line }) },
    ...(cause === undefined ? {} : { cause }),
  });
}
