import { dataKeyCache, type DataKeyCache } from '../../secrets/sops/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { driftMemory, type DriftMemory } from '../../kube/apply/index.ts';
import { interrupts, type Interrupts } from './interrupts.ts';
import { DEFAULT_FLAGS, type Faults, type KustomizationControllerOptions, type KustomizationFlags } from './options.ts';
import { treeCache, type TreeCache } from './trees.ts';

/** Sources whose unpacked artifact is kept. */
const TREES = 64;
const HISTORY_KEY_BYTES = 32;

/** The options with their defaults, and what all reconciliations share. */
export interface Controls extends Omit<KustomizationControllerOptions, 'flags' | 'faults' | 'historyKey'> {
  readonly flags: KustomizationFlags;
  readonly faults: Faults;
  readonly historyKey: Sensitive<Uint8Array>;
  readonly memory: DriftMemory;
  readonly trees: TreeCache;
  readonly interrupts: Interrupts;
  /** Opened data keys, so that a pass without change asks no key service (BY-01). */
  readonly dataKeys: DataKeyCache;
}

/** Fills in defaults, and makes the caches that live as long as the controller. */
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
    trees: treeCache(TREES, options.faults?.staleArtifact),
    interrupts: interrupts(),
    dataKeys: dataKeyCache({ clock }),
  };
}
