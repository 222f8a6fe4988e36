import type { YamlMap, YamlNode, YamlValue } from '../../text/yaml/index.ts';
import { toJson } from '../../text/yaml/index.ts';
import type { BuildWarning } from '../kustomize/index.ts';

/** The fields of a structure. `kept`: kept as it is; a list of one shape: a list whose items have that shape. */
type Shape = 'kept' | readonly [Shape] | { readonly [field: string]: Shape };

const kept = 'kept';
const selector: Shape = {
  group: kept,
  version: kept,
  kind: kept,
  name: kept,
  namespace: kept,
  labelSelector: kept,
  annotationSelector: kept,
};
const patch: Shape = { path: kept, patch: kept, target: selector, options: kept };
const image: Shape = { name: kept, newName: kept, newTag: kept, tagSuffix: kept, digest: kept };
const generatorOptions: Shape = { labels: kept, annotations: kept, disableNameSuffixHash: kept, immutable: kept };
const generator: Shape = {
  name: kept,
  namespace: kept,
  behavior: kept,
  literals: kept,
  files: kept,
  envs: kept,
  env: kept,
  options: generatorOptions,
};
const fieldSpec: Shape = { group: kept, version: kept, kind: kept, path: kept, create: kept };

/** The kustomization file of kustomize 5.8.1. */
const KUSTOMIZATION: Shape = {
  apiVersion: kept,
  kind: kept,
  metadata: kept,
  resources: kept,
  components: kept,
  crds: kept,
  configurations: kept,
  generators: kept,
  transformers: kept,
  validators: kept,
  bases: kept,
  namePrefix: kept,
  nameSuffix: kept,
  namespace: kept,
  commonLabels: kept,
  commonAnnotations: kept,
  labels: [{ pairs: kept, includeSelectors: kept, includeTemplates: kept, fields: [fieldSpec] }],
  patches: [patch],
  patchesStrategicMerge: kept,
  patchesJson6902: [patch],
  images: [image],
  imageTags: [image],
  replicas: [{ name: kept, count: kept }],
  replacements: kept,
  vars: kept,
  configMapGenerator: [generator],
  secretGenerator: [{ ...generator, type: kept }],
  generatorOptions,
  sortOptions: kept,
  openapi: kept,
  buildMetadata: kept,
  helmCharts: kept,
  helmGlobals: kept,
  helmChartInflationGenerator: kept,
};

export interface KnownFields {
  readonly value: { [field: string]: YamlValue };
  readonly warnings: readonly BuildWarning[];
}

/**
 * The known fields of a root kustomization file, names matched whatever their case. Flux decodes that file leniently
 * and writes it back, so what is not known vanishes; each such field is a warning.
 */
export function knownFields(root: YamlMap, file: string): KnownFields {
  const warnings: BuildWarning[] = [];
  const value = pick(root, KUSTOMIZATION, { file, path: '', warnings });
  return { value: value as { [field: string]: YamlValue }, warnings };
}

interface Context {
  readonly file: string;
  readonly path: string;
  readonly warnings: BuildWarning[];
}

function pick(node: YamlNode, shape: Shape, context: Context): YamlValue {
  if (shape === 'kept' || node.kind === 'scalar') return toJson(node, { profile: 'yaml11', file: context.file });
  if (isListShape(shape)) {
    if (node.kind !== 'sequence') return toJson(node, { profile: 'yaml11', file: context.file });
    return node.items.map((item, index) => pick(item, shape[0], { ...context, path: `${context.path}[${index}]` }));
  }
  if (node.kind !== 'map') return toJson(node, { profile: 'yaml11', file: context.file });
  return pickFields(node, shape, context);
}

function isListShape(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function pickFields(node: YamlMap, shape: { readonly [field: string]: Shape }, context: Context): YamlValue {
  const byLowerCase = new Map(Object.keys(shape).map((field) => [field.toLowerCase(), field]));
  const picked: { [field: string]: YamlValue } = {};
  for (const { key, value } of node.items) {
    const name = key.kind === 'scalar' ? key.text : '';
    const field = byLowerCase.get(name.toLowerCase());
    const path = context.path === '' ? name : `${context.path}.${name}`;
    if (field === undefined) {
      context.warnings.push({ message: `unknown field "${path}" has no effect`, file: context.file, line: key.line });
    } else {
      picked[field] = pick(value, shape[field] ?? kept, { ...context, path: field });
    }
  }
  return picked;
}
