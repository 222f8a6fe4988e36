import { spawn, type StdioOptions } from 'node:child_process';
import type { Duplex } from 'node:stream';

import { aborted, codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';

const MAX_ERROR_BYTES = 64 * 1024;
/** Descriptor 3 of a child: where askpass asks. */
const ASK_DESCRIPTOR = 3;
/** Further descriptors of a child start here. */
export const FIRST_EXTRA_DESCRIPTOR = 4;

/** A child program to run to its end. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly input?: Uint8Array | string;
  /** Answers lines that come from the child's descriptor {@link ASK_DESCRIPTOR}. */
  readonly answer?: (question: string) => string;
  /** Open descriptors of this process that the child has from {@link FIRST_EXTRA_DESCRIPTOR} on. */
  readonly descriptors?: readonly number[];
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

export interface CommandResult {
  /** Exit status; -1 when a signal ended the program. */
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program in a process group of its own and waits for it. The whole group is killed when the signal fires,
 * the time is over or it writes too much.
 *
 * @throws SottoError ABORTED, GIT_TIMEOUT, GIT_TOO_LARGE, GIT_MISSING (no such program)
 */
export function runCommand(command: Command, world: World, signal?: AbortSignal): Promise<CommandResult> {
  return world.outside(() => run(command, world, signal));
}

function run(command: Command, world: World, signal: AbortSignal | undefined): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(aborted());
    const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', command.answer === undefined ? 'ignore' : 'pipe', ...(command.descriptors ?? [])];
    const child = spawn(command.program, command.args, { env: command.env, cwd: command.cwd, stdio, detached: true });
    let failure: SottoError | undefined;
    const stop = (reason: SottoError): void => {
      failure ??= reason;
      killGroup(child.pid);
    };
    const onAbort = (): void => stop(aborted());
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = world.clock.after(command.timeoutMs, () => stop(timedOut()));
    const stdout = collect(child.stdout, command.maxOutputBytes, () => stop(tooLarge(command.maxOutputBytes)));
    const stderr = collect(child.stderr, MAX_ERROR_BYTES, undefined);
    const ask = child.stdio[ASK_DESCRIPTOR] as Duplex | null | undefined;
    if (command.answer !== undefined && ask) answerLines(ask, command.answer);
    // A child that ends without reading its input closes the pipe: its exit status says what happened.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(command.input ?? '');
    const finish = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    child.on('error', (cause) => {
      finish();
      reject(failure ?? notStarted(command.program, cause));
    });
    child.on('close', (status) => {
      finish();
      if (failure === undefined) resolve({ status: status ?? -1, stdout: stdout(), stderr: stderr().toString('utf8') });
      else reject(failure);
    });
  });
}

/** Kills a process group; helpers of a program that has ended go too. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    return; // the group has ended already
  }
}

/** Gathers a stream up to `limit` bytes; beyond it `onFull` is called, or the rest is dropped. */
function collect(stream: NodeJS.ReadableStream | null, limit: number, onFull: (() => void) | undefined): () => Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  stream?.on('data', (part: Buffer) => {
    size += part.length;
    if (size <= limit) parts.push(part);
    else onFull?.();
  });
  return () => Buffer.concat(parts);
}

function answerLines(channel: Duplex, answer: (question: string) => string): void {
  let pending = '';
  channel.setEncoding('utf8');
  channel.on('data', (text: string) => {
    const lines = (pending + text).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) channel.write(`${answer(line)}\n`);
  });
  // The asker may be gone before it reads the answer; then the program itself reports a failure.
  channel.on('error', () => undefined);
}

function timedOut(): SottoError {
  return new SottoError('GIT_TIMEOUT', 'context deadline exceeded', { retry: true, hint: 'raise spec.timeout if the repository is large' });
}

function tooLarge(limit: number): SottoError {
  return new SottoError('GIT_TOO_LARGE', `the repository's files have more than ${limit} bytes`);
}

function notStarted(program: string, cause: unknown): SottoError {
  return codeOf(cause) === 'ENOENT'
    ? new SottoError('GIT_MISSING', `the program ${program} was not found`, { hint: `install ${program}`, cause })
    : new SottoError('GIT_FAILED', `the program ${program} could not be started (${codeOf(cause)})`, { retry: true, cause });
}
