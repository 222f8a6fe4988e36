/**
 * Values that never print. A secret travels as {@link Sensitive} from where it is opened to where it is
 * used; only {@link Sensitive.reveal} gives it back.
 *
 * @module
 */
import { inspect } from 'node:util';

import { SottoError } from '../errors/index.ts';

/** What every rendering of a secret shows. */
export const MASK = '***';

/**
 * A wrapped secret. Printing and inspecting show `***`. `toJSON` throws, so that a forgotten
 * {@link Sensitive.reveal} can never write `***` as a password.
 *
 * @example
 * ```ts
 * const token = new Sensitive('hunter2');
 * `${token}`; // '***'
 * token.reveal(); // 'hunter2'
 * ```
 */
export class Sensitive<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself. Call it only where the value is used. */
  reveal(): T {
    return this.#value;
  }

  /** A new secret computed from this one. */
  map<U>(convert: (value: T) => U): Sensitive<U> {
    return new Sensitive(convert(this.#value));
  }

  toString(): string {
    return MASK;
  }

  toJSON(): never {
    throw new SottoError('SENSITIVE_SERIALISED', 'a secret value was about to be serialised without reveal()');
  }

  [inspect.custom](): string {
    return MASK;
  }
}

/** Overwrites bytes that held a secret. Best effort: JavaScript may have copied them. */
export function wipe(bytes: Uint8Array): void {
  bytes.fill(0);
}
