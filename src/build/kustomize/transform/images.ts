import { SottoError } from '../../../base/errors/index.ts';
import { compileRegExp, type SafeRegExp } from '../../../text/regexp/index.ts';
import type { YamlNode } from '../../../text/yaml/index.ts';
import type { Collection } from '../collection.ts';
import { visitField } from '../fieldspec.ts';
import type { FieldSpec, ImageEntry } from '../kustomization.ts';
import { fieldOf, isMissing, textOf } from '../node.ts';
import type { Resource } from '../resource.ts';
import type { BuildWarning } from '../types.ts';
import { writeTextAt, wrongKind } from '../write.ts';

const CONTAINER_LISTS = new Set(['containers', 'initContainers']);

/**
 * Changes the images that an entry names: in every list called containers or initContainers, and then once more where
 * the field specs say, so that a tagSuffix is added twice to ordinary pods (k:api/filters/imagetag).
 *
 * @throws SottoError KUSTOMIZE_FIELD for containers that are no maps, images that are no scalars
 */
export function setImage(
  collection: Collection,
  entry: ImageEntry,
  specs: readonly FieldSpec[],
  warn: (warning: BuildWarning) => void,
): void {
  const pattern = patternOf(entry, warn);
  if (pattern === undefined) return;
  if ((entry.tagSuffix ?? '') !== '') warn({ message: `images: the tagSuffix of '${entry.name ?? ''}' is added twice to ordinary pods` });
  const resources = collection.resources.filter((resource) => resource.kind !== 'CustomResourceDefinition');
  for (const resource of resources) {
    walkContainers(resource.root, resource, (image) => {
      update(image, entry, pattern, resource);
    });
  }
  for (const resource of resources) {
    for (const spec of specs) {
      visitField(resource, spec, 'none', (image) => {
        update(image, entry, pattern, resource);
      });
    }
  }
}

/** The name of an entry is part of a regular expression: `.` is a wild card. */
function patternOf({ name = '' }: ImageEntry, warn: (warning: BuildWarning) => void): SafeRegExp | undefined {
  try {
    return compileRegExp(`^${name}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`);
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    warn({ message: `images: '${name}' is no valid expression, so it matches nothing: ${error.message}` });
    return undefined;
  }
}

function walkContainers(node: YamlNode, resource: Resource, visit: (image: YamlNode) => void): void {
  if (node.kind === 'sequence') for (const item of node.items) walkContainers(item, resource, visit);
  if (node.kind !== 'map') return;
  for (const { key, value } of node.items) {
    walkContainers(value, resource, visit);
    if (!CONTAINER_LISTS.has(textOf(key)) || value.kind !== 'sequence') continue;
    for (const container of value.items) {
      if (isMissing(container)) continue;
      if (container.kind !== 'map') throw wrongKind(container, 'map', resource, textOf(key));
      const image = fieldOf(container, 'image');
      if (image !== undefined) visit(image);
    }
  }
}

function update(node: YamlNode, entry: ImageEntry, pattern: SafeRegExp, resource: Resource): void {
  if (node.kind !== 'scalar') throw wrongKind(node, 'scalar', resource, 'image');
  if (pattern.test(node.text)) writeTextAt(node, newImage(node.text, entry), resource, 'image');
}

/** The image with the name, tag and digest of the entry. A new tag drops the digest and the other way round. */
function newImage(image: string, { newName = '', newTag = '', digest = '', tagSuffix = '' }: ImageEntry): string {
  const old = splitImage(image);
  const name = newName === '' ? old.name : newName;
  if (newTag !== '' || digest !== '') return joinImage(name, newTag, digest);
  return tagSuffix === '' ? joinImage(name, old.tag, old.digest) : joinImage(name, old.tag + tagSuffix, '');
}

function joinImage(name: string, tag: string, digest: string): string {
  return `${name}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
}

/** Name, tag and digest; `:` and `@` before the first slash belong to the registry. */
function splitImage(image: string): { readonly name: string; readonly tag: string; readonly digest: string } {
  const slash = Math.max(image.indexOf('/'), 0);
  const colon = image.indexOf(':', slash);
  const at = image.indexOf('@', slash);
  if (at >= 0 && (colon < 0 || at < colon)) return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) };
  if (colon < 0) return { name: image, tag: '', digest: '' };
  const tag = image.slice(colon + 1, at < 0 ? undefined : at);
  return { name: image.slice(0, colon), tag, digest: at < 0 ? '' : image.slice(at + 1) };
}
