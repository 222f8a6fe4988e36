/**
 * YAML as Go's libraries read and write it. JavaScript's YAML libraries implement 1.1 or 1.2; Kubernetes
 * tools use neither, so scalar rules and emitters are ours, on top of the tokens and tree of npm `yaml`.
 *
 * Profiles: `goYaml3` is go.yaml.in/yaml/v3 (kustomize input, SOPS), `goYaml2` is sigs.k8s.io/yaml's writer
 * (kustomize output), `yaml11` is sigs.k8s.io/yaml's reader (kustomization files, manifests, substitution).
 *
 * @module
 */
export { cloneNode } from './compose.ts';
export { fromJson, parseYaml, toJson, type ToJsonOptions, type YamlJsonDocument } from './json.ts';
export { emitNodes, type EmitOptions } from './emit.ts';
export { compareNatural, sortKeys } from './natural.ts';
export { formatGoFloat } from './numbers.ts';
export { parseDocuments } from './parse.ts';
export { resolveScalar, type ResolvedScalar } from './resolve.ts';
export { formatTimestamp, isTimestamp } from './timestamps.ts';
export { stringifyYaml } from './write.ts';
export type {
  ParseOptions,
  ScalarStyle,
  YamlDocument,
  YamlMap,
  YamlMapItem,
  YamlNode,
  YamlPosition,
  YamlProfile,
  YamlScalar,
  YamlSequence,
  YamlValue,
} from './types.ts';
