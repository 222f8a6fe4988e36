import type { Entropy, World } from '../../base/world/index.ts';
import type { KeyService } from '../../secrets/sops/index.ts';
import type { Credentials } from '../../secrets/keys/index.ts';
import type { Arguments, Flag } from '../flags.ts';
import type { AuditAction } from './audit.ts';

/** What a command works with. */
export interface SopsFace {
  readonly args: Arguments;
  readonly world: World;
  readonly entropy: Entropy;
  /** Called without a subcommand, in upstream's older form. */
  readonly isLegacy: boolean;
  /** What is odd, on stderr. */
  readonly warn: (message: string) => void;
  /** Writes down that a file is opened or sealed, before anybody gets to see the result. */
  readonly audit: (action: AuditAction, name: string) => Promise<void>;
  /** Who is asked to wrap and open data keys: this process unless it is switched off, then `--keyservice`. */
  readonly keyServices: (credentials: Credentials) => readonly KeyService[];
}

/** One command of `sops`. */
export interface SopsCommand {
  readonly flags: readonly Flag[];
  /** Statuses of error codes that differ from the others' for this command. */
  readonly statuses?: Readonly<Record<string, number>>;
  /** @returns the exit status; nothing means 0 */
  run(face: SopsFace): Promise<number | void>;
}
