/**
 * kustomize build 5.8.1 as a library: a directory with a kustomization file → objects.
 *
 * `build` is synchronous and pure over a tree of files: no state outlives a call, so that builds can run side by side.
 * What upstream loses or does surprisingly, and users' output depends on, happens here too, and is told in the
 * result's warnings. Values of Secrets and patches are never part of an error.
 *
 * @module
 */
export { build } from './build.ts';
export { isRemote } from './loader.ts';
export { renderFiles, renderYaml } from './render.ts';
export type { BuildOptions, BuildResult, BuildWarning, BuiltObject, FieldSource } from './types.ts';
