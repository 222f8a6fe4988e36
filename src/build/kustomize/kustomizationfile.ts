import { SottoError } from '../../base/errors/index.ts';
import { parseDocuments, type YamlMap } from '../../text/yaml/index.ts';
import { decode, keyText } from './decode.ts';
import { HELM_FIELDS, KUSTOMIZATION, type GeneratorArguments, type Kustomization } from './kustomization.ts';
import { expandMergeKeys } from './mergekeys.ts';
import { newMap } from './node.ts';
import type { BuildWarning } from './types.ts';

const KIND = 'Kustomization';
const COMPONENT = 'Component';
const VERSIONS: Readonly<Record<string, string>> = {
  [KIND]: 'kustomize.config.k8s.io/v1beta1',
  [COMPONENT]: 'kustomize.config.k8s.io/v1alpha1',
};

/** The fields that still work but are deprecated, and what replaces them (KZ-06). */
const DEPRECATED: readonly (readonly [field: keyof Kustomization, replacement: string])[] = [
  ['bases', 'resources'],
  ['commonLabels', 'labels'],
  ['imageTags', 'images'],
  ['patchesJson6902', 'patches'],
  ['patchesStrategicMerge', 'patches'],
  ['vars', 'replacements'],
];

/**
 * Parses a kustomization file: YAML 1.1, unknown fields refused, field names in any case, the first document only,
 * deprecated fields folded into their successors.
 *
 * @throws SottoError KUSTOMIZE_INVALID_FILE, KUSTOMIZE_HELM, YAML_SYNTAX
 */
export function parseKustomization(text: string, file: string, directory: string, warn: (warning: BuildWarning) => void): Kustomization {
  const root = parseRoot(text, file, warn);
  refuseHelm(root, file);
  const decoded = decode(root, KUSTOMIZATION, { file, prefix: 'invalid Kustomization', struct: KIND, path: '' });
  const kustomization = decoded as Kustomization & { readonly metadata?: unknown };
  for (const [field, replacement] of DEPRECATED) {
    if (kustomization[field] === undefined) continue;
    warn({ message: `'${field}' is deprecated, please use '${replacement}' instead`, file, deprecated: { field, replacement } });
  }
  if (isEmpty(kustomization)) throw new SottoError('KUSTOMIZE_INVALID_FILE', 'kustomization.yaml is empty', { at: { file } });
  return enforceKind(foldDeprecated(kustomization), file, directory);
}

function parseRoot(text: string, file: string, warn: (warning: BuildWarning) => void): YamlMap {
  const documents = documentsOf(text, file, warn);
  const [first, second] = documents;
  if (second?.root !== undefined) warn({ message: 'only the first document of a kustomization file is read', file, line: second.line });
  const root = first?.root;
  if (root === undefined) return newMap();
  if (root.kind === 'map') return expandMergeKeys(root, file);
  throw new SottoError('KUSTOMIZE_INVALID_FILE', 'invalid Kustomization: expected a map of fields', { at: { file, line: root.line } });
}

/** A key that stands twice is told; the later one counts. */
function documentsOf(text: string, file: string, warn: (warning: BuildWarning) => void): ReturnType<typeof parseDocuments> {
  try {
    return parseDocuments(text, { profile: 'yaml11', file });
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    const at = error.at ?? { file };
    if (error.code === 'YAML_DUPLICATE_KEY') {
      warn({ message: `${error.message}: the later one counts`, file, ...(at.line === undefined ? {} : { line: at.line }) });
      return parseDocuments(text, { profile: 'yaml11', file, duplicateKeys: 'last' });
    }
    throw new SottoError(error.code, `invalid Kustomization: yaml: line ${at.line ?? 1}: ${error.message}`, { at, cause: error });
  }
}

/** Helm charts are never inflated; the error names upstream's flag (KZ-51). */
function refuseHelm(root: YamlMap, file: string): void {
  for (const { key } of root.items) {
    const name = keyText(key).toLowerCase();
    const field = HELM_FIELDS.find((known) => known.toLowerCase() === name);
    if (field === undefined) continue;
    throw new SottoError('KUSTOMIZE_HELM', `${field}: must specify --enable-helm: charts are not inflated here`, {
      at: { file, line: key.line },
      hint: 'render the chart beforehand and list the result under resources',
    });
  }
}

function isEmpty(kustomization: Kustomization): boolean {
  return Object.entries(kustomization).every(
    ([field, value]) => field === 'kind' || field === 'apiVersion' || value === '' || value === false || value === 0,
  );
}

function foldDeprecated(kustomization: Kustomization): Kustomization {
  const { bases, imageTags, configMapGenerator, secretGenerator, ...rest } = kustomization;
  return {
    ...rest,
    resources: [...(kustomization.resources ?? []), ...(bases ?? [])],
    images: [...(kustomization.images ?? []), ...(imageTags ?? [])],
    configMapGenerator: (configMapGenerator ?? []).map(foldEnv),
    secretGenerator: (secretGenerator ?? []).map(foldEnv),
  };
}

function foldEnv(entry: GeneratorArguments): GeneratorArguments {
  const { env, ...rest } = entry;
  return env === undefined || env === '' ? rest : { ...rest, envs: [...(entry.envs ?? []), env] };
}

function enforceKind(kustomization: Kustomization, file: string, directory: string): Kustomization {
  const kind = kustomization.kind || KIND;
  const wanted = VERSIONS[kind === COMPONENT ? COMPONENT : KIND] ?? '';
  const apiVersion = kustomization.apiVersion || wanted;
  const problems = [
    kind === KIND || kind === COMPONENT ? '' : `kind should be ${KIND} or ${COMPONENT}`,
    apiVersion === wanted ? '' : `apiVersion for ${kind} should be ${wanted}`,
  ].filter((problem) => problem !== '');
  if (problems.length === 0) return { ...kustomization, kind, apiVersion };
  throw new SottoError('KUSTOMIZE_INVALID_FILE', `Failed to read kustomization file under ${directory}:\n${problems.join('\n')}`, {
    at: { file },
  });
}
