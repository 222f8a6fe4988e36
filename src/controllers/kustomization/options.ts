import type { Log } from '../../base/log/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';
import type { FleetBuild } from '../../build/fleet/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import type { GroupKind } from '../../kube/objects/index.ts';
import type { EventRecorder } from '../../kube/runtime/index.ts';

/** Flags of kustomize-controller, with their defaults (parity c14). Durations are milliseconds. */
export interface KustomizationFlags {
  readonly concurrent: number;
  readonly concurrentSsa: number;
  readonly requeueDependencyMs: number;
  readonly httpRetry: number;
  readonly defaultServiceAccount?: string;
  readonly sopsAgeSecret?: string;
  readonly overrideManagers: readonly string[];
  readonly customApplyStageKinds: readonly GroupKind[];
  readonly noCrossNamespaceRefs: boolean;
  readonly intervalJitterPercentage: number;
  /** Where `--sops-age-secret` lies. */
  readonly runtimeNamespace: string;
  /** Environment SOURCE_CONTROLLER_LOCALHOST. */
  readonly sourceHost?: string;
  readonly gates: FeatureGates;
}

/** The gates of `--feature-gates` that are honoured. */
export interface FeatureGates {
  readonly strictPostBuildSubstitutions: boolean;
  readonly additiveCelDependencyCheck: boolean;
  readonly cancelHealthCheckOnNewRevision: boolean;
  readonly disableFailFastBehavior: boolean;
  readonly externalArtifact: boolean;
  readonly objectLevelWorkloadIdentity: boolean;
}

/** What holds without any flag. */
export const DEFAULT_FLAGS: KustomizationFlags = {
  concurrent: 4,
  concurrentSsa: 4,
  requeueDependencyMs: 30_000,
  httpRetry: 9,
  overrideManagers: [],
  customApplyStageKinds: [],
  noCrossNamespaceRefs: false,
  intervalJitterPercentage: 5,
  runtimeNamespace: 'flux-system',
  gates: {
    strictPostBuildSubstitutions: true,
    additiveCelDependencyCheck: false,
    cancelHealthCheckOnNewRevision: false,
    disableFailFastBehavior: false,
    externalArtifact: false,
    objectLevelWorkloadIdentity: false,
  },
};

/**
 * Test only: bugs planted on purpose, so that the simulation can show that it would find them. Each is honoured in
 * exactly one place.
 */
export interface Faults {
  /** Objects are written before the inventory knows of them. */
  readonly inventoryAfterApply?: boolean;
  /** A failed build counts as an empty one, and everything is pruned. */
  readonly pruneAfterFailedBuild?: boolean;
  /** Objects that have not changed are applied all the same. */
  readonly writeWithoutChange?: boolean;
  /** The first tree of a source is used for ever. */
  readonly staleArtifact?: boolean;
}

/** What the controller works with. */
export interface KustomizationControllerOptions {
  readonly cluster: Cluster;
  readonly world: World;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly events: EventRecorder;
  readonly flags?: Partial<KustomizationFlags>;
  /**
   * Key of the digests in `status.history`, so that nobody can check guesses of secret values against them (BY-16).
   * Absent: a new one for each process.
   */
  readonly historyKey?: Sensitive<Uint8Array>;
  /** Source kinds watched. Default: GitRepository, OCIRepository, Bucket, and ExternalArtifact behind its gate. */
  readonly sourceKinds?: readonly string[];
  /** Told of every successful build, before anything is applied: for summaries of where each object came from. */
  readonly onBuild?: (owner: { readonly namespace: string; readonly name: string }, build: FleetBuild) => void;
  readonly faults?: Faults;
}
