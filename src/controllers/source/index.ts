/**
 * Flux's source controllers: GitRepository objects become archives that Kustomizations build from.
 *
 * @module
 */
export { gitRepositoryController } from './controller.ts';
export { DEFAULT_FLAGS, type EventSink, type GitRepositoryControllerOptions, type SourceEvent, type SourceFlags } from './options.ts';
