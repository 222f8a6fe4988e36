import { closeSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { platform } from 'node:process';

import { SottoError } from '../../base/errors/index.ts';
import { privateTemporaryDirectory } from '../../base/files/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import { FIRST_EXTRA_DESCRIPTOR } from './process.ts';

/** Secrets that child programs read as files which have no name. */
export interface SecretDescriptors {
  /** Descriptors of this process, in the order in which children get them. */
  readonly numbers: readonly number[];
  /** Adds a secret and returns the path that a child opens it under. */
  add(secret: Sensitive<string>): Promise<string>;
  close(): void;
}

/**
 * Hands secrets to git that it reads only from files: each becomes a file on tmpfs whose name is removed before
 * anything is written to it, and which children inherit open. Linux only, where an inherited descriptor can be
 * opened again by path.
 */
export function secretDescriptors(): SecretDescriptors {
  const numbers: number[] = [];
  const add = async (secret: Sensitive<string>): Promise<string> => {
    if (platform !== 'linux') {
      throw new SottoError('GIT_UNSUPPORTED', 'bearer tokens and client certificates for git need Linux', {
        hint: 'use username and password',
      });
    }
    const directory = await privateTemporaryDirectory();
    const descriptor = openSync(join(directory, 'secret'), 'wx+', 0o600);
    unlinkSync(join(directory, 'secret'));
    rmSync(directory, { recursive: true });
    writeSync(descriptor, secret.reveal());
    numbers.push(descriptor);
    return `/proc/self/fd/${FIRST_EXTRA_DESCRIPTOR + numbers.length - 1}`;
  };
  return { numbers, add, close: () => numbers.splice(0).forEach((descriptor) => closeSync(descriptor)) };
}
