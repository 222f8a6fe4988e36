import type { Controller } from '../../kube/runtime/index.ts';
import { controlsOf } from './controls.ts';
import type { KustomizationControllerOptions } from './options.ts';
import { reconcileKustomization } from './reconcile.ts';
import { kustomizationWatches } from './watches.ts';

const SOURCE_KINDS = ['GitRepository', 'OCIRepository', 'Bucket'];

/**
 * The controller of `Kustomization` (kustomize.toolkit.fluxcd.io/v1): builds what a source holds, decrypts, applies,
 * prunes and checks it, as kustomize-controller does.
 */
export function kustomizationController(options: KustomizationControllerOptions): Controller {
  const controls = controlsOf(options);
  const external = controls.flags.gates.externalArtifact ? ['ExternalArtifact'] : [];
  return {
    name: 'kustomization',
    concurrency: controls.flags.concurrent,
    watches: kustomizationWatches(options.sourceKinds ?? [...SOURCE_KINDS, ...external], controls.log, controls.interrupts),
    reconcile: (request, signal) => reconcileKustomization(controls, request, signal),
  };
}
