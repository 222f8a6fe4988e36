import type { World } from '../../base/world/index.ts';
import { describeEnd, runChild } from './child.ts';
import { becomeUser } from './user.ts';

const SHELL = '/bin/sh';
/** What a program that was ended by a signal gives, as upstream passes it on. */
const ENDED_BY_SIGNAL = 255;

export interface ShellOptions {
  readonly world: World;
  readonly background: boolean;
  /** Nothing of our own environment. */
  readonly pristine: boolean;
  readonly variables: Readonly<Record<string, string>>;
  readonly user?: string | undefined;
  readonly sameProcess?: boolean;
}

/**
 * Runs a command line in `/bin/sh`.
 *
 * @returns its exit status
 */
export async function runShell(command: string, options: ShellOptions): Promise<number> {
  const { world, background, variables } = options;
  const user = options.user === undefined || options.user === '' ? {} : becomeUser(options.user);
  const env = { ...(options.pristine ? {} : world.env), ...user, ...variables };
  const args = ['-c', command];
  if (options.sameProcess === true && world.stdin === process.stdin) replaceProcess(args, env);
  const end = await runChild({ program: SHELL, args, env, world, background });
  if (end.code === 0 && end.signal === undefined) return 0;
  world.stderr.write(`${describeEnd(end)}\n`);
  return end.signal === undefined ? end.code : ENDED_BY_SIGNAL;
}

/** Does not return. */
function replaceProcess(args: readonly string[], env: Readonly<Record<string, string | undefined>>): void {
  const defined = Object.entries(env).flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]));
  process.execve?.(SHELL, [SHELL, ...args], Object.fromEntries(defined));
}
