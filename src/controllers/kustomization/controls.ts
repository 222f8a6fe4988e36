import { boundedCache, type Cache } from '../../base/cache/index.ts';
import type { Tree } from '../../base/files/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { driftMemory, type DriftMemory } from '../../kube/apply/index.ts';
import { DEFAULT_FLAGS, type Faults, type KustomizationControllerOptions, type KustomizationFlags } from './options.ts';

/** Unpacked artifacts kept at once; Kustomizations of one source share one tree. */
const TREES = 16;
/** Long enough for all Kustomizations of a revision, short enough not to keep old trees in memory for ever. */
const TREE_LIFETIME_MS = 15 * 60_000;
const HISTORY_KEY_BYTES = 32;

/** The options with their defaults, and what all reconciliations share. */
export interface Controls extends Omit<KustomizationControllerOptions, 'flags' | 'faults' | 'historyKey'> {
  readonly flags: KustomizationFlags;
  readonly faults: Faults;
  readonly historyKey: Sensitive<Uint8Array>;
  readonly memory: DriftMemory;
  /** By digest of the artifact. */
  readonly trees: Cache<string, Tree>;
}

export function controlsOf(options: KustomizationControllerOptions): Controls {
  const { clock } = options.world;
  const flags = { ...DEFAULT_FLAGS, ...options.flags };
  return {
    ...options,
    log: options.log.with({ controller: 'kustomization', controllerGroup: 'kustomize.toolkit.fluxcd.io', controllerKind: 'Kustomization' }),
    flags,
    faults: options.faults ?? {},
    historyKey: options.historyKey ?? new Sensitive(options.entropy.bytes(HISTORY_KEY_BYTES)),
    memory: driftMemory(clock),
    trees: boundedCache({ maxEntries: TREES, ttlMs: TREE_LIFETIME_MS, clock }),
  };
}
