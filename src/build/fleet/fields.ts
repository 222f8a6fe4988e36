import type { YamlMap, YamlNode, YamlValue } from '../../text/yaml/index.ts';
import { toJson } from '../../text/yaml/index.ts';
import type { BuildWarning } from '../kustomize/index.ts';

/** The fields of a structure. `any`: kept as it is; a list of one shape: a list whose items have that shape. */
type Shape = 'any' | readonly [Shape] | { readonly [field: string]: Shape };

const any = 'any';
const selector: Shape = { group: any, version: any, kind: any, name: any, namespace: any, labelSelector: any, annotationSelector: any };
const patch: Shape = { path: any, patch: any, target: selector, options: any };
const image: Shape = { name: any, newName: any, newTag: any, tagSuffix: any, digest: any };
const generatorOptions: Shape = { labels: any, annotations: any, disableNameSuffixHash: any, immutable: any };
const generator: Shape = {
  name: any,
  namespace: any,
  behavior: any,
  literals: any,
  files: any,
  envs: any,
  env: any,
  options: generatorOptions,
};
const fieldSpec: Shape = { group: any, version: any, kind: any, path: any, create: any };

/** The kustomization file of kustomize 5.8.1. */
const KUSTOMIZATION: Shape = {
  apiVersion: any,
  kind: any,
  metadata: any,
  resources: any,
  components: any,
  crds: any,
  configurations: any,
  generators: any,
  transformers: any,
  validators: any,
  bases: any,
  namePrefix: any,
  nameSuffix: any,
  namespace: any,
  commonLabels: any,
  commonAnnotations: any,
  labels: [{ pairs: any, includeSelectors: any, includeTemplates: any, fields: [fieldSpec] }],
  patches: [patch],
  patchesStrategicMerge: any,
  patchesJson6902: [patch],
  images: [image],
  imageTags: [image],
  replicas: [{ name: any, count: any }],
  replacements: any,
  vars: any,
  configMapGenerator: [generator],
  secretGenerator: [{ ...generator, type: any }],
  generatorOptions,
  sortOptions: any,
  openapi: any,
  buildMetadata: any,
  helmCharts: any,
  helmGlobals: any,
  helmChartInflationGenerator: any,
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
  if (shape === 'any' || node.kind === 'scalar') return toJson(node, { profile: 'yaml11', file: context.file });
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
      picked[field] = pick(value, shape[field] ?? any, { ...context, path: field });
    }
  }
  return picked;
}
