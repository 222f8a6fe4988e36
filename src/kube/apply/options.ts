import type { World } from '../../base/world/index.ts';
import type { GroupKind } from '../objects/index.ts';
import type { IgnoreRule } from './ignore.ts';
import type { DriftMemory } from './memory.ts';
import type { Owner } from './policy.ts';
import type { HealthReader } from './wait.ts';

/** How objects are applied. Only `owner` and `world` are needed. */
export interface StagedApplyOptions {
  readonly owner: Owner;
  readonly world: Pick<World, 'clock'>;
  /** Decides when the definitions of a stage are ready. Default: kstatus. */
  readonly reader?: HealthReader;
  /** Delete and create again what cannot be changed, for every object. Default: those that are marked. */
  readonly force?: boolean;
  /** Reads and dry-runs at once; writes are always one after the other. Default 4. */
  readonly concurrency?: number;
  /** Kinds applied in a stage of their own before the rest. */
  readonly customStageKinds?: readonly GroupKind[];
  /** Further managers whose fields are taken over, matched by prefix. */
  readonly overrideManagers?: readonly string[];
  /** Fields that are neither compared nor written (flux/SSA-13). */
  readonly ignore?: readonly IgnoreRule[];
  /** Saves dry-runs of what is known to be unchanged. */
  readonly memory?: DriftMemory;
  /** Who applies, when impersonated: the memory keeps users apart. */
  readonly user?: string;
  /** How long the definitions of a stage may take to be ready. Default 60 s. */
  readonly stageTimeoutMs?: number;
  /** Test only, a planted bug: write objects that have not changed. */
  readonly writeUnchanged?: boolean;
  readonly signal?: AbortSignal;
}
