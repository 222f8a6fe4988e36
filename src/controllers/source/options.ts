import type { Log } from '../../base/log/index.ts';
import type { World } from '../../base/world/index.ts';
import type { ArtifactStorage } from '../../fetch/artifact/index.ts';
import type { GitFetcher, GitRemote } from '../../fetch/git/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import type { GitRepository, KubeObject } from '../../kube/objects/index.ts';

/** Flags of source-controller, with their defaults (parity c14). Durations are milliseconds. */
export interface SourceFlags {
  readonly concurrent: number;
  readonly intervalJitterPercentage: number;
  readonly requeueDependencyMs: number;
}

export const DEFAULT_FLAGS: SourceFlags = { concurrent: 2, intervalJitterPercentage: 5, requeueDependencyMs: 30_000 };

/** One event about a source (parity c16). */
export interface SourceEvent {
  readonly object: KubeObject;
  readonly severity: 'info' | 'error';
  readonly reason: string;
  readonly message: string;
  /** With their prefixes, `source.toolkit.fluxcd.io/revision` say. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where events go. It must not fail a reconciliation: failures are the recorder's to handle. */
export interface EventSink {
  emit(event: SourceEvent): void | Promise<void>;
}

export interface GitRepositoryControllerOptions {
  readonly cluster: Cluster;
  readonly fetcher: GitFetcher;
  /** Knows the advertised address: URLs of artifacts are made by it. */
  readonly storage: ArtifactStorage;
  readonly world: World;
  readonly log: Log;
  readonly events: EventSink;
  /**
   * A repository that is fetched in place of the one an object names, as git's `insteadOf` would: the object's own
   * Secrets are then not read. Undefined: none does.
   */
  readonly standIn?: (object: GitRepository) => GitRemote | undefined;
  readonly flags?: Partial<SourceFlags>;
}
