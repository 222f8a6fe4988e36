/** Helpers for this room's tests. */
import { readFileSync } from 'node:fs';

import { SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { systemEntropy, systemWorld, type World } from '../../base/world/index.ts';
import type { KeyContext, Unwrapped } from './types.ts';

export const DATA_KEY = new Sensitive(Uint8Array.from({ length: 32 }, (_, index) => index));
export const PASSPHRASE = 'test passphrase';
export const context: KeyContext = { world: systemWorld(), entropy: systemEntropy };

export function contextWith(world: Partial<World>): KeyContext {
  return { world: { ...systemWorld(), ...world }, entropy: systemEntropy };
}

export function vector(name: string): string {
  return readFileSync(new URL(`./vectors/${name}`, import.meta.url), 'utf8');
}

export function vectorBytes(name: string): Uint8Array {
  return readFileSync(new URL(`./vectors/${name}`, import.meta.url));
}

/** The opened bytes as numbers, or the reason. */
export function bytesOf(unwrapped: Unwrapped): number[] | string {
  return unwrapped.kind === 'opened' ? [...unwrapped.dataKey.reveal()] : unwrapped.reason;
}

export const DATA_KEY_NUMBERS = [...DATA_KEY.reveal()];

/** The error that work throws; the test fails when it throws nothing, or something else. */
export async function errorOf(work: () => unknown): Promise<SottoError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof SottoError) return error;
    throw error;
  }
  throw new Error('expected an error');
}
