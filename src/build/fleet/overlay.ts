import { SottoError } from '../../base/errors/index.ts';
import type { Tree } from '../../base/files/index.ts';
import { parseDocuments, stringifyYaml, type YamlValue } from '../../text/yaml/index.ts';
import type { BuildWarning } from '../kustomize/index.ts';
import { knownFields } from './fields.ts';
import { scanResources } from './generate.ts';
import { kustomizationFiles, localPath } from './paths.ts';
import type { KustomizationSpec } from './types.ts';

/** The root kustomization file as it is built. */
export interface Overlay {
  readonly rootFile: string;
  readonly warnings: readonly BuildWarning[];
}

type Kustomization = { [field: string]: YamlValue };

const nothing = (): boolean => false;

/**
 * The root kustomization file of a Flux Kustomization: that of the directory, or a generated one, with the fields of
 * the spec written into it. Nothing is written to the tree.
 *
 * Follows fluxcd/pkg kustomize/kustomize_generator.go.
 *
 * @throws SottoError FLEET_MANIFEST, FLEET_COMPONENT, or what the YAML parser throws
 */
export function generateOverlay(
  tree: Tree,
  directory: string,
  spec: KustomizationSpec,
  ignore: (path: string) => boolean = nothing,
): Overlay {
  const [file] = kustomizationFiles(tree, directory);
  const { kustomization, warnings } = file === undefined ? generated(tree, directory, ignore) : existing(tree, directory, file, ignore);
  replaceNames(kustomization, spec);
  appendPatches(kustomization, spec);
  appendComponents(tree, directory, kustomization, spec);
  if (spec.images !== undefined && spec.images.length > 0)
    kustomization['images'] = mergeImages(listOf(kustomization, 'images'), spec.images);
  if (file !== undefined && listOf(kustomization, 'resources').length === 0) kustomization['buildMetadata'] = ['originAnnotations'];
  if (spec.buildMetadata !== undefined && spec.buildMetadata.length > 0) kustomization['buildMetadata'] = [...spec.buildMetadata];
  return { rootFile: stringifyYaml(kustomization), warnings };
}

function generated(
  tree: Tree,
  directory: string,
  ignore: (path: string) => boolean,
): { kustomization: Kustomization; warnings: BuildWarning[] } {
  const resources = scanResources(tree, directory, ignore);
  const content: Kustomization = resources.length > 0 ? { resources } : { namespace: '_placeholder' };
  return { kustomization: { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...content }, warnings: [] };
}

function existing(
  tree: Tree,
  directory: string,
  file: string,
  ignore: (path: string) => boolean,
): { kustomization: Kustomization; warnings: BuildWarning[] } {
  const text = new TextDecoder().decode(tree.read(file));
  const documents = parseDocuments(text, { profile: 'yaml11', duplicateKeys: 'last', file });
  const root = documents.find((document) => document.root !== undefined)?.root;
  const defaults: Kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
  if (root === undefined) return { kustomization: defaults, warnings: [] };
  if (root.kind !== 'map')
    throw new SottoError('FLEET_KUSTOMIZATION', 'the kustomization file is no mapping', { at: { file, line: root.line } });
  const { value, warnings: unknown } = knownFields(root, file);
  const more = documents.filter((document) => document.root !== undefined && document.root !== root);
  const warnings = [
    ...unknown,
    ...more.map(({ line }) => ({ message: 'only the first document of a kustomization file is read', file, line })),
  ];
  const kustomization: Kustomization = { ...defaults, ...value };
  for (const field of ['resources', 'components', 'crds']) {
    const kept = listOf(kustomization, field).filter((entry) => !isIgnored(tree, directory, entry, ignore));
    if (field in kustomization && Array.isArray(kustomization[field])) kustomization[field] = kept;
  }
  return { kustomization, warnings };
}

function isIgnored(tree: Tree, directory: string, entry: YamlValue, ignore: (path: string) => boolean): boolean {
  const path = typeof entry === 'string' ? localPath(tree, directory, entry) : undefined;
  return path !== undefined && ignore(path);
}

function replaceNames(kustomization: Kustomization, { targetNamespace, namePrefix, nameSuffix }: KustomizationSpec): void {
  for (const [field, value] of Object.entries({ namespace: targetNamespace, namePrefix, nameSuffix })) {
    if (value !== undefined && value !== '') kustomization[field] = value;
  }
}

function appendPatches(kustomization: Kustomization, { patches }: KustomizationSpec): void {
  if (patches === undefined || patches.length === 0) return;
  const added = patches.map(({ patch, target }): YamlValue => (target === undefined ? { patch } : { patch, target: { ...target } }));
  kustomization['patches'] = [...listOf(kustomization, 'patches'), ...added];
}

function appendComponents(tree: Tree, directory: string, kustomization: Kustomization, spec: KustomizationSpec): void {
  const added = (spec.components ?? []).filter((component) => {
    if (/^\/|:|^github\.com\//.test(component)) {
      throw new SottoError('FLEET_COMPONENT', `component path '${component}' must be local and relative`);
    }
    const path = localPath(tree, directory, component);
    return spec.ignoreMissingComponents !== true || (path !== undefined && tree.kind(path) === 'directory');
  });
  if (added.length > 0) kustomization['components'] = [...listOf(kustomization, 'components'), ...added];
}

/** An entry of the same name takes the new name if there is one, and tag and digest as one unit. */
function mergeImages(images: readonly YamlValue[], added: NonNullable<KustomizationSpec['images']>): YamlValue[] {
  const merged = images.map((image) => (isMap(image) ? { ...image } : image));
  for (const { name, newName, newTag, digest } of added) {
    const naming: Kustomization = newName === undefined || newName === '' ? {} : { newName };
    const version: Kustomization = {
      ...(newTag === undefined || newTag === '' ? {} : { newTag }),
      ...(digest === undefined || digest === '' ? {} : { digest }),
    };
    const index = merged.findIndex((image) => isMap(image) && image['name'] === name);
    const found = merged[index];
    if (!isMap(found)) merged.push({ name, ...naming, ...version });
    else merged[index] = { ...(Object.keys(version).length === 0 ? found : withoutVersion(found)), ...naming, ...version };
  }
  return merged;
}

function withoutVersion({ newTag: _tag, digest: _digest, ...rest }: Kustomization): Kustomization {
  return rest;
}

function listOf(kustomization: Kustomization, field: string): readonly YamlValue[] {
  const value = kustomization[field];
  return Array.isArray(value) ? value : [];
}

function isMap(value: YamlValue | undefined): value is { [key: string]: YamlValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
