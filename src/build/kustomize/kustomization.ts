import type { Fields, Shape } from './decode.ts';

/** A place in objects: which objects, and a path of map keys (k:api/types/fieldspec.go). */
export interface FieldSpec {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly path?: string;
  /** Make missing maps on the way. */
  readonly create?: boolean;
}

export interface Selector {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

export interface Patch {
  readonly path?: string;
  readonly patch?: string;
  readonly target?: Selector;
  readonly options?: { readonly allowNameChange?: boolean; readonly allowKindChange?: boolean };
}

export interface GeneratorOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly disableNameSuffixHash?: boolean;
  readonly immutable?: boolean;
}

export interface GeneratorArguments {
  readonly name?: string;
  readonly namespace?: string;
  readonly behavior?: string;
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
  readonly envs?: readonly string[];
  readonly env?: string;
  readonly options?: GeneratorOptions;
  /** Secrets only. */
  readonly type?: string;
}

export interface LabelEntry {
  readonly pairs?: Readonly<Record<string, string>>;
  readonly includeSelectors?: boolean;
  readonly includeTemplates?: boolean;
  readonly fields?: readonly FieldSpec[];
}

export interface ImageEntry {
  readonly name?: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly tagSuffix?: string;
  readonly digest?: string;
}

export interface FieldOptions {
  readonly delimiter?: string;
  readonly index?: number;
  readonly encoding?: string;
  readonly create?: boolean;
}

export interface ReplacementSource extends Selector {
  readonly fieldPath?: string;
  readonly options?: FieldOptions;
}

export interface ReplacementTarget {
  readonly select?: Selector;
  readonly reject?: readonly Selector[];
  readonly fieldPaths?: readonly string[];
  readonly options?: FieldOptions;
}

export interface Replacement {
  readonly path?: string;
  readonly source?: ReplacementSource;
  readonly sourceValue?: string;
  readonly targets?: readonly ReplacementTarget[];
}

export interface Variable {
  readonly name?: string;
  readonly objref?: {
    readonly apiVersion?: string;
    readonly group?: string;
    readonly version?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
  };
  readonly fieldref?: { readonly fieldPath?: string };
}

export interface SortOptions {
  readonly order?: string;
  readonly legacySortOptions?: { readonly orderFirst?: readonly string[]; readonly orderLast?: readonly string[] };
}

/** A decoded kustomization file (c1.2). Absent and null fields are undefined. */
export interface Kustomization {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly crds?: readonly string[];
  readonly configurations?: readonly string[];
  readonly generators?: readonly string[];
  readonly transformers?: readonly string[];
  readonly validators?: readonly string[];
  readonly bases?: readonly string[];
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly namespace?: string;
  readonly commonLabels?: Readonly<Record<string, string>>;
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly labels?: readonly LabelEntry[];
  readonly patches?: readonly Patch[];
  readonly patchesStrategicMerge?: readonly string[];
  readonly patchesJson6902?: readonly Patch[];
  readonly images?: readonly ImageEntry[];
  readonly imageTags?: readonly ImageEntry[];
  readonly replicas?: readonly { readonly name?: string; readonly count?: number }[];
  readonly replacements?: readonly Replacement[];
  readonly vars?: readonly Variable[];
  readonly configMapGenerator?: readonly GeneratorArguments[];
  readonly secretGenerator?: readonly GeneratorArguments[];
  readonly generatorOptions?: GeneratorOptions;
  readonly sortOptions?: SortOptions;
  readonly openapi?: Readonly<Record<string, string>>;
  readonly buildMetadata?: readonly string[];
  readonly helmCharts?: readonly unknown[];
  readonly helmGlobals?: unknown;
  readonly helmChartInflationGenerator?: readonly unknown[];
}

const STRINGS: Shape = { list: 'string' };
const TEXTS: Shape = { map: 'string' };

const struct = (name: string, fields: Readonly<Record<string, Shape>>): Fields => ({ name, fields });

const GVK = { group: 'string', version: 'string', kind: 'string' } as const;

export const FIELD_SPEC = struct('FieldSpec', { ...GVK, path: 'string', create: 'bool' });

const ID = { ...GVK, name: 'string', namespace: 'string' } as const;

export const SELECTOR = struct('Selector', { ...ID, labelSelector: 'string', annotationSelector: 'string' });

const GENERATOR_OPTIONS = struct('GeneratorOptions', {
  labels: TEXTS,
  annotations: TEXTS,
  disableNameSuffixHash: 'bool',
  immutable: 'bool',
});

export const GENERATOR_FIELDS = {
  name: 'string',
  namespace: 'string',
  behavior: 'string',
  literals: STRINGS,
  files: STRINGS,
  envs: STRINGS,
  env: 'string',
  options: GENERATOR_OPTIONS,
} as const;

export const PATCH_FIELDS = {
  path: 'string',
  patch: 'string',
  target: SELECTOR,
  options: struct('PatchArgs', { allowNameChange: 'bool', allowKindChange: 'bool' }),
} as const;

const PATCH = struct('Patch', PATCH_FIELDS);

export const IMAGE = struct('Image', { name: 'string', newName: 'string', newTag: 'string', tagSuffix: 'string', digest: 'string' });

const FIELD_OPTIONS = struct('FieldOptions', { delimiter: 'string', index: 'int', encoding: 'string', create: 'bool' });

const REPLACEMENT_FIELDS = {
  source: struct('SourceSelector', { ...ID, fieldPath: 'string', options: FIELD_OPTIONS }),
  sourceValue: 'string',
  targets: {
    list: struct('TargetSelector', { select: SELECTOR, reject: { list: SELECTOR }, fieldPaths: STRINGS, options: FIELD_OPTIONS }),
  },
} as const;

export const REPLACEMENT = struct('Replacement', REPLACEMENT_FIELDS);
export const REPLACEMENT_FIELD = struct('ReplacementField', { ...REPLACEMENT_FIELDS, path: 'string' });

export const REPLICA = struct('Replica', { name: 'string', count: 'int' });

export const OBJECT_META = struct('ObjectMeta', { name: 'string', namespace: 'string', labels: TEXTS, annotations: TEXTS });

const VARIABLE = struct('Var', {
  name: 'string',
  objref: struct('Target', { apiVersion: 'string', ...ID }),
  fieldref: struct('FieldSelector', { fieldPath: 'string' }),
});

const SORT_OPTIONS = struct('SortOptions', {
  order: 'string',
  legacySortOptions: struct('LegacySortOptions', { orderFirst: STRINGS, orderLast: STRINGS }),
});

/** Helm fields are only recognised, to be refused by name: whatever stands in them passes. */
export const HELM_FIELDS = ['helmCharts', 'helmGlobals', 'helmChartInflationGenerator'] as const;

/** Every field of a v1beta1 Kustomization or v1alpha1 Component, Helm's left out. */
export const KUSTOMIZATION = struct('Kustomization', {
  apiVersion: 'string',
  kind: 'string',
  metadata: OBJECT_META,
  resources: STRINGS,
  components: STRINGS,
  crds: STRINGS,
  configurations: STRINGS,
  generators: STRINGS,
  transformers: STRINGS,
  validators: STRINGS,
  bases: STRINGS,
  namePrefix: 'string',
  nameSuffix: 'string',
  namespace: 'string',
  commonLabels: TEXTS,
  commonAnnotations: TEXTS,
  labels: {
    list: struct('Label', { pairs: TEXTS, includeSelectors: 'bool', includeTemplates: 'bool', fields: { list: FIELD_SPEC } }),
  },
  patches: { list: PATCH },
  patchesStrategicMerge: STRINGS,
  patchesJson6902: { list: PATCH },
  images: { list: IMAGE },
  imageTags: { list: IMAGE },
  replicas: { list: REPLICA },
  replacements: { list: REPLACEMENT_FIELD },
  vars: { list: VARIABLE },
  configMapGenerator: { list: struct('ConfigMapArgs', GENERATOR_FIELDS) },
  secretGenerator: { list: struct('SecretArgs', { ...GENERATOR_FIELDS, type: 'string' }) },
  generatorOptions: GENERATOR_OPTIONS,
  sortOptions: SORT_OPTIONS,
  openapi: TEXTS,
  buildMetadata: STRINGS,
});
