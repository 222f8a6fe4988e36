/**
 * The `Kustomization` controller: from an artifact to objects in a cluster, kept that way.
 *
 * It differs from kustomize-controller on purpose in these points. A pass that finds everything as it should be
 * writes nothing, not even a status or an event. What is about to be created is in the inventory before it is created,
 * and with `prune: false` what is no longer built stays in it. Dependents are woken by their dependencies instead of
 * polling. Digests in `status.history` are keyed.
 *
 * @module
 */
export { kustomizationController } from './controller.ts';
export { DEFAULT_FLAGS, type Faults, type FeatureGates, type KustomizationControllerOptions, type KustomizationFlags } from './options.ts';
