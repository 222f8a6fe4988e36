import type { Entropy, World } from '../base/world/index.ts';
import type { Arguments, Flag } from './flags.ts';
import type { Style } from './style.ts';

/** What a command works with: the world, and how to print. */
export interface Face {
  readonly world: World;
  readonly entropy: Entropy;
  readonly style: Style;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** A command of Sotto's own, as its help page shows it. */
export interface Command {
  /** Words after `sotto`: `up`, `get secrets`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly usage: readonly string[];
  readonly description?: string;
  readonly examples: readonly { readonly command: string; readonly does: string }[];
  readonly flags: readonly Flag[];
  /** Exit codes besides 0, 64 (usage), 65 (input) and 70 (internal). */
  readonly exitCodes?: Readonly<Record<number, string>>;
  readonly seeAlso?: readonly string[];
  run(args: Arguments, face: Face): Promise<number>;
}

/** Exit codes of Sotto's own commands (TRM-06). Drop-in names use their original's. */
export const exit = { ok: 0, findings: 1, failed: 2, undocumented: 3, incomplete: 4, usage: 64, input: 65, internal: 70 } as const;
