import type { Log } from '../base/log/index.ts';
import type { Entropy, World } from '../base/world/index.ts';
import {
  kustomizationController,
  type Faults,
  type KustomizationControllerOptions,
  type KustomizationFlags,
} from '../controllers/kustomization/index.ts';
import { gitRepositoryController, type GitRepositoryControllerOptions } from '../controllers/source/index.ts';
import type { ArtifactStorage } from '../fetch/artifact/index.ts';
import type { GitFetcher } from '../fetch/git/index.ts';
import type { Cluster } from '../kube/client/index.ts';
import { eventRecorder, type Controller, type EventRecorder } from '../kube/runtime/index.ts';

/** Names that `--controllers` takes. */
export const CONTROLLER_NAMES = ['source', 'kustomization'] as const;
export type ControllerName = (typeof CONTROLLER_NAMES)[number];

export interface FluxOptions {
  readonly cluster: Cluster;
  readonly world: World;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly fetcher: GitFetcher;
  readonly storage: ArtifactStorage;
  /** Default: all. */
  readonly names?: readonly ControllerName[];
  /** A repository that stands in for the one an object names. */
  readonly standIn?: GitRepositoryControllerOptions['standIn'];
  /** Flags of the Kustomization controller that differ from their defaults. */
  readonly flags?: Partial<KustomizationFlags>;
  /** Called after every build. */
  readonly onBuild?: KustomizationControllerOptions['onBuild'];
  /** Test only. */
  readonly faults?: Faults;
}

/** The Flux controllers over one cluster, with one event recorder each. */
export function fluxControllers(options: FluxOptions): Controller[] {
  const { cluster, world, entropy, log, fetcher, storage, standIn, onBuild, faults, flags = {} } = options;
  const names = options.names ?? CONTROLLER_NAMES;
  const recorder = (component: string): EventRecorder => eventRecorder({ cluster, world, log, component });
  const ofSources = recorder('source-controller');
  const sourceEvents: GitRepositoryControllerOptions['events'] = {
    emit: ({ object, severity, reason, message, metadata }) =>
      ofSources.event(object, severity === 'error' ? 'Warning' : 'Normal', reason, message, metadata),
  };
  const makers: Readonly<Record<ControllerName, () => Controller>> = {
    source: () =>
      gitRepositoryController({
        cluster,
        world,
        log,
        fetcher,
        storage,
        events: sourceEvents,
        ...(standIn === undefined ? {} : { standIn }),
      }),
    kustomization: () =>
      kustomizationController({
        cluster,
        world,
        entropy,
        log,
        events: recorder('kustomize-controller'),
        flags,
        sourceKinds: ['GitRepository', 'OCIRepository', 'Bucket'],
        ...(onBuild === undefined ? {} : { onBuild }),
        ...(faults === undefined ? {} : { faults }),
      }),
  };
  return names.map((name) => makers[name]());
}
