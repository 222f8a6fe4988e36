/**
 * kustomize build 5.8.1 as a library: a directory with a kustomization file → objects.
 *
 * @module
 */
export type { BuildOptions, BuildResult, BuildWarning, BuiltObject } from './types.ts';
