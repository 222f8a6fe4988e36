import { formatGvk, type GvkSelector } from './gvk.ts';
import { mergeFieldSpecs, sortByGvk } from './fieldspec.ts';
import type { FieldSpec } from './kustomization.ts';

/** Fields that hold the name of an object of the given group, version and kind. */
export interface NameReference extends GvkSelector {
  readonly fieldSpecs: readonly FieldSpec[];
}

/** Where each transformer works (k:api/internal/plugins/builtinconfig/transformerconfig.go). */
export interface TransformerConfig {
  readonly namePrefix: readonly FieldSpec[];
  readonly nameSuffix: readonly FieldSpec[];
  readonly namespace: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  readonly labels: readonly FieldSpec[];
  readonly templateLabels: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly nameReference: readonly NameReference[];
  readonly varReference: readonly FieldSpec[];
  readonly images: readonly FieldSpec[];
  readonly replicas: readonly FieldSpec[];
}

export const SPEC_LISTS = [
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonLabels',
  'labels',
  'templateLabels',
  'commonAnnotations',
  'varReference',
  'images',
  'replicas',
] as const;

export const EMPTY_CONFIG: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  commonAnnotations: [],
  nameReference: [],
  varReference: [],
  images: [],
  replicas: [],
};

/**
 * Adds one configuration to another; the result is sorted by kind.
 *
 * @throws SottoError KUSTOMIZE_FIELD_SPECS
 */
export function mergeConfigs(base: TransformerConfig, added: TransformerConfig): TransformerConfig {
  if (added === EMPTY_CONFIG || base === added) return base;
  const lists = SPEC_LISTS.map((name) => [name, sortByGvk(mergeFieldSpecs(base[name], added[name]))] as const);
  return {
    ...base,
    ...(Object.fromEntries(lists) as Pick<TransformerConfig, (typeof SPEC_LISTS)[number]>),
    nameReference: sortByGvk(mergeNameReferences(base.nameReference, added.nameReference)),
  };
}

function mergeNameReferences(base: readonly NameReference[], added: readonly NameReference[]): readonly NameReference[] {
  const merged = new Map(base.map((reference) => [formatGvk(reference), reference]));
  for (const reference of added) {
    const known = merged.get(formatGvk(reference));
    const fieldSpecs = known === undefined ? reference.fieldSpecs : mergeFieldSpecs(known.fieldSpecs, reference.fieldSpecs);
    merged.set(formatGvk(reference), { ...reference, fieldSpecs });
  }
  return [...merged.values()];
}

/** Sorts every list by kind. */
export function sortConfig(config: TransformerConfig): TransformerConfig {
  const lists = SPEC_LISTS.map((name) => [name, sortByGvk(config[name])] as const);
  return { ...config, ...Object.fromEntries(lists), nameReference: sortByGvk(config.nameReference) };
}
