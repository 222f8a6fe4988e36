import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';

import { aborted, codeOf, SottoError } from '../../base/errors/index.ts';
import type { GpgSettings } from './credentials.ts';

const MAX_OUTPUT_BYTES = 1 << 20;
const DEFAULT_PROGRAM = 'gpg';
/** File descriptor on which gpg writes machine-readable lines. */
const STATUS_FD = 3;

/** One run of gpg. */
export interface GpgRun {
  readonly code: number;
  readonly output: Uint8Array;
  /** Status lines, split at blanks, without `[GNUPG:]`. */
  readonly status: readonly (readonly string[])[];
}

/**
 * Runs gpg on a keyring: input on stdin, output from stdout; nothing secret in the arguments. Call it inside
 * `world.outside`.
 *
 * @throws SottoError GPG_UNAVAILABLE, ABORTED
 */
export async function runGpg(
  settings: GpgSettings & { readonly home: string },
  args: readonly string[],
  input: Uint8Array | string,
  signal?: AbortSignal,
): Promise<GpgRun> {
  if (signal?.aborted === true) throw aborted();
  const program = settings.program ?? DEFAULT_PROGRAM;
  const child = spawn(program, ['--homedir', settings.home, '--status-fd', String(STATUS_FD), ...args], {
    env: { ...settings.env },
    stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error) =>
      reject(
        new SottoError('GPG_UNAVAILABLE', `cannot run ${program}: ${codeOf(error)}`, {
          hint: 'install GnuPG or name the program in SOPS_GPG_EXEC',
        }),
      ),
    );
    child.once('close', (code) => resolve(code ?? 1));
  });
  // gpg may end without reading everything; its status lines tell why
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  try {
    const [output, status, code] = await Promise.all([collect(child.stdout), collect(child.stdio[STATUS_FD]), ended]);
    if (isStopped(signal)) throw aborted();
    return { code, output, status: parseStatus(Buffer.from(status).toString('utf8')) };
  } catch (error) {
    stop();
    throw isStopped(signal) ? aborted() : error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function isStopped(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

async function collect(stream: unknown): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_OUTPUT_BYTES) throw new SottoError('GPG_FAILED', `gpg wrote more than ${MAX_OUTPUT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseStatus(text: string): string[][] {
  return text.split('\n').flatMap((line) => (line.startsWith('[GNUPG:] ') ? [line.slice('[GNUPG:] '.length).split(' ')] : []));
}

/** Ends the agent of a home and removes the home. */
export async function removeHome(settings: GpgSettings & { readonly home: string }): Promise<void> {
  const program = settings.program ?? DEFAULT_PROGRAM;
  const gpgconf = isAbsolute(program) ? join(dirname(program), 'gpgconf') : 'gpgconf';
  await new Promise<void>((resolve) => {
    const child = spawn(gpgconf, ['--homedir', settings.home, '--kill', 'all'], { env: { ...settings.env }, stdio: 'ignore' });
    // an agent without its home ends by itself a little later
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  await rm(settings.home, { recursive: true, force: true, maxRetries: 3 });
}
