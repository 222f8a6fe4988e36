import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { codeOf } from '../../base/errors/index.ts';
import { ExitError, status } from './failures.ts';

const run = promisify(execFile);

export interface Fifo {
  /** Gives up on a reader that never came. */
  close(): Promise<void>;
}

/**
 * Makes a named pipe (0600) and writes the content to the first who reads it.
 *
 * @throws ExitError 1
 */
export async function openFifo(path: string, content: Uint8Array): Promise<Fifo> {
  // Node cannot make pipes itself
  await run('mkfifo', ['-m', '600', path]).catch((error: unknown) => {
    throw new ExitError(
      status.generic,
      `cannot make a pipe: ${codeOf(error) === 'ENOENT' ? 'mkfifo is missing, use --no-fifo' : 'mkfifo failed'}`,
    );
  });
  let isWritten = false;
  const written = writeFile(path, content, { flag: constants.O_WRONLY })
    // a reader that leaves early is its own affair
    .catch(() => undefined)
    .finally(() => {
      isWritten = true;
    });
  // a writer waits for a reader, and a waiting thread would keep the process from ending
  const release = (): void => {
    process.off('exit', release);
    if (!isWritten) releaseWriter(path);
  };
  // before the folder is removed
  process.prependListener('exit', release);
  return {
    close: async () => {
      release();
      await written;
    },
  };
}

/** Opens the other end and closes it: the waiting open succeeds, and the write fails. */
function releaseWriter(path: string): void {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch {
    // the pipe is gone, and with it who waited
    return undefined;
  }
}
