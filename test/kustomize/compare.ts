import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { diskTree } from '../../src/base/files/index.ts';
import { SottoError } from '../../src/base/errors/index.ts';
import { build, renderYaml } from '../../src/build/kustomize/index.ts';

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 500_000_000;
const run = promisify(execFile);

/** What a program made of a directory: its output, or why it failed. */
export type Outcome = { readonly text: string } | { readonly error: string; readonly isCrash?: boolean };

export interface HowToBuild {
  readonly order: 'fifo' | 'legacy';
  readonly loadRestrictor: 'root-only' | 'none';
}

/** Builds with the real program. `undefined` when it ends for a reason of its own: a panic, or no end at all. */
export async function buildWithOriginal(program: string, directory: string, how: HowToBuild): Promise<Outcome | undefined> {
  const flags = [
    ...(how.order === 'fifo' ? ['--reorder', 'none'] : []),
    ...(how.loadRestrictor === 'none' ? ['--load-restrictor', 'LoadRestrictionsNone'] : []),
  ];
  try {
    const { stdout } = await run(program, ['build', directory, ...flags], { timeout: TIMEOUT_MS, maxBuffer: MAX_BYTES });
    return { text: stdout };
  } catch (error) {
    const { stderr = '', killed, code } = error as { readonly stderr?: string; readonly killed?: boolean; readonly code?: unknown };
    if (code === 'ENOENT') throw new Error(`${program} is not on the PATH`, { cause: error });
    if (killed === true || stderr.includes('goroutine ')) return undefined;
    const lines = stderr.split('\n').filter((line) => !line.startsWith('Flag ') && !line.startsWith('# Warning') && line !== '');
    return { error: lines.join('\n') };
  }
}

/** Builds with Sotto. A crash is an error that is none of the build's own. */
export function buildWithSotto(root: string, path: string, how: HowToBuild): Outcome {
  try {
    return { text: renderYaml(build({ tree: diskTree(root), path, ...how })) };
  } catch (error) {
    if (!(error instanceof SottoError)) return { error: String(error), isCrash: true };
    return { error: error.message, isCrash: error.code === 'KUSTOMIZE_INTERNAL' };
  }
}

/** True when both built the same bytes, or both refused. */
export function isSame(expected: Outcome, actual: Outcome): boolean {
  if ('text' in expected && 'text' in actual) return expected.text === actual.text;
  return 'error' in expected && 'error' in actual && actual.isCrash !== true;
}

/** The first lines that differ, for people. */
export function difference(expected: Outcome, actual: Outcome): string {
  const [left, right] = [expected, actual].map((outcome) => ('text' in outcome ? outcome.text : `error: ${outcome.error}`).split('\n'));
  const at = (left ?? []).findIndex((line, index) => line !== right?.[index]);
  const line = at < 0 ? (left?.length ?? 0) : at;
  return `line ${line + 1}\n  kustomize: ${left?.[line] ?? '(end)'}\n  sotto:     ${right?.[line] ?? '(end)'}`;
}
