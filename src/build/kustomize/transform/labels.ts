import type { Collection } from '../collection.ts';
import { mergeFieldSpec, mergeFieldSpecs } from '../fieldspec.ts';
import type { FieldSpec, LabelEntry } from '../kustomization.ts';
import type { TransformerConfig } from '../transformerconfig.ts';
import { addEntries } from './metadata.ts';

const METADATA: FieldSpec = { path: 'metadata/labels', create: true };

/**
 * Adds the labels of one `labels` entry: to metadata, and by its switches to templates or to templates and selectors.
 *
 * @throws SottoError KUSTOMIZE_FIELD_SPECS, KUSTOMIZE_FIELD
 */
export function addLabels(collection: Collection, entry: LabelEntry, config: TransformerConfig): void {
  addEntries(collection, entry.pairs ?? {}, specsOf(entry, config));
}

function specsOf(entry: LabelEntry, config: TransformerConfig): readonly FieldSpec[] {
  const own = mergeFieldSpecs(entry.fields ?? [], config.labels);
  if (entry.includeSelectors === true) return mergeFieldSpecs(own, config.commonLabels);
  const withTemplates = entry.includeTemplates === true ? mergeFieldSpecs(own, config.templateLabels) : own;
  return mergeFieldSpec(withTemplates, METADATA);
}
