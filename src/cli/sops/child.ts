import { spawn, type ChildProcess } from 'node:child_process';

import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { onStop } from './signals.ts';

/** What to run, and how. */
export interface ChildOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly world: World;
  /** Do not wait for it. */
  readonly background?: boolean;
  /** False: it gets our input only when that is the terminal. Default true. */
  readonly takesInput?: boolean;
}

/** Signals in Go's words. */
const SIGNAL_WORDS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGPIPE: 'broken pipe',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
};

/** How a program ended, as upstream says it. */
export function describeEnd({ code, signal }: ChildEnd): string {
  return signal === undefined ? `exit status ${code}` : `signal: ${SIGNAL_WORDS[signal] ?? signal}`;
}

/** How a program ended. */
export interface ChildEnd {
  readonly code: number;
  /** Set when a signal ended it. */
  readonly signal?: NodeJS.Signals;
}

/**
 * Runs a program on our own terminal, or on the streams of a world that is not this process's. Signals that end us are passed on.
 *
 * @throws SottoError SOPS_PROGRAM when it does not start
 */
export function runChild({ program, args, env, world, background = false, takesInput = true }: ChildOptions): Promise<ChildEnd> {
  const isOurs = world.stdin === process.stdin;
  return world.outside(
    () =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, {
          // another user may not enter the folder we are in, but can stay there
          ...(isOurs ? {} : { cwd: world.cwd }),
          env: { ...env },
          detached: background,
          stdio: background ? 'ignore' : isOurs ? 'inherit' : 'pipe',
        });
        child.on('error', (error: NodeJS.ErrnoException) =>
          reject(
            new SottoError(
              'SOPS_PROGRAM',
              `exec: "${program}": ${error.code === 'ENOENT' ? 'executable file not found in $PATH' : (error.code ?? 'failed')}`,
            ),
          ),
        );
        if (background) {
          child.on('spawn', () => {
            child.unref();
            resolve({ code: 0 });
          });
          return;
        }
        const forget = onStop((signal) => {
          // the terminal sends Ctrl-C to everybody; a second one may mean something else
          if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
        });
        if (!isOurs) connect(child, world, takesInput);
        child.on('close', (code, signal) => {
          forget();
          resolve({ code: code ?? -1, ...(signal === null ? {} : { signal }) });
        });
      }),
  );
}

function connect(child: ChildProcess, world: World, takesInput: boolean): void {
  // a program that does not read its input is no error
  child.stdin?.on('error', () => undefined);
  if (takesInput) void feed(child, world);
  else child.stdin?.end();
  child.stdout?.on('data', (bytes: Buffer) => world.stdout.write(bytes.toString()));
  child.stderr?.on('data', (bytes: Buffer) => world.stderr.write(bytes.toString()));
}

async function feed(child: ChildProcess, world: World): Promise<void> {
  for await (const bytes of world.stdin) child.stdin?.write(bytes);
  child.stdin?.end();
}
