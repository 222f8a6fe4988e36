import { parseDocuments } from '../../text/yaml/index.ts';
import { decode, type Fields, type Shape } from './decode.ts';
import { DEFAULT_CONFIG } from './defaults.ts';
import { FIELD_SPEC } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { expandMergeKeys } from './mergekeys.ts';
import { EMPTY_CONFIG, mergeConfigs, sortConfig, SPEC_LISTS, type TransformerConfig } from './transformerconfig.ts';

const SPECS: Shape = { list: FIELD_SPEC };

const CONFIGURATION: Fields = {
  name: 'TransformerConfig',
  fields: {
    ...Object.fromEntries(SPEC_LISTS.map((name) => [name, SPECS])),
    nameReference: {
      list: { name: 'NameBackReferences', fields: { group: 'string', version: 'string', kind: 'string', fieldSpecs: SPECS } },
    },
  },
};

/**
 * The configuration of one level: the defaults and what the `configurations` files add (c17.1).
 *
 * @throws SottoError KUSTOMIZE_INVALID_FILE, KUSTOMIZE_FIELD_SPECS, KUSTOMIZE_LOAD
 */
export function loadConfigurations(loader: Loader, paths: readonly string[]): TransformerConfig {
  if (paths.length === 0) return DEFAULT_CONFIG;
  const added = paths.map((path) => parseConfiguration(loader.text(path), loader.locate(path)));
  return mergeConfigs(DEFAULT_CONFIG, added.reduce(mergeConfigs, EMPTY_CONFIG));
}

function parseConfiguration(text: string, file: string): TransformerConfig {
  const root = parseDocuments(text, { profile: 'yaml11', file })[0]?.root;
  if (root === undefined) return EMPTY_CONFIG;
  const prefix = 'invalid transformer configuration';
  const decoded = decode(expandMergeKeys(root, file), CONFIGURATION, { file, prefix, struct: 'TransformerConfig', path: '' }) ?? {};
  const config = { ...EMPTY_CONFIG, ...(decoded as Partial<TransformerConfig>) };
  return sortConfig({
    ...config,
    nameReference: config.nameReference.map((reference) => ({ ...reference, fieldSpecs: specsIn(reference) })),
  });
}

function specsIn(reference: Partial<TransformerConfig['nameReference'][number]>): TransformerConfig['nameReference'][number]['fieldSpecs'] {
  return reference.fieldSpecs ?? [];
}
