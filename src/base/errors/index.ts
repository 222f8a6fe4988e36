/**
 * The one error type of Sotto. Every failure that a person or a program reacts to is a
 * {@link SottoError}: a stable `code` (listed in docs/errors.md), a message that says what and where,
 * a hint that says what to do, and whether trying again can help.
 *
 * @module
 */

/** A position in a user's file. Lines and columns count from 1. */
export interface Position {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface SottoErrorOptions {
  /** What the user can do, one sentence, lower case, no full stop. */
  readonly hint?: string;
  /** Where in the user's input. */
  readonly at?: Position;
  /** The same call may succeed later without any change (network, lock, conflict). Default false. */
  readonly retry?: boolean;
  readonly cause?: unknown;
}

/**
 * An error with a stable code. The message is lower case, names what and where, and never quotes a
 * value that can be secret.
 *
 * @example
 * ```ts
 * throw new SottoError('YAML_SYNTAX', 'expected a mapping value', { at: { file: 'a.yaml', line: 3 } });
 * ```
 */
export class SottoError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly at: Position | undefined;
  readonly retry: boolean;

  constructor(code: string, message: string, options: SottoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SottoError';
    this.code = code;
    this.hint = options.hint;
    this.at = options.at;
    this.retry = options.retry ?? false;
  }
}

/**
 * Thrown by a reconciler when trying again is useless until the spec changes. The controller runtime
 * marks the object Stalled and waits for a new generation.
 */
export class Terminal extends SottoError {
  constructor(code: string, message: string, options: SottoErrorOptions = {}) {
    super(code, message, options);
    this.name = 'Terminal';
  }
}

/** `file:line:column`, as much of it as is known; empty when nothing is. */
export function formatPosition(at: Position | undefined): string {
  if (at === undefined) return '';
  const { file, line, column } = at;
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':');
}

/** The text of any thrown value, without a stack. Positions come first when the error has one. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where = error instanceof SottoError ? formatPosition(error.at) : '';
  return where === '' ? error.message : `${where}: ${error.message}`;
}

/** The code of any thrown value: that of a {@link SottoError}, of a Node system error, or `INTERNAL`. */
export function codeOf(error: unknown): string {
  if (error instanceof SottoError) return error.code;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'INTERNAL';
}

/** True for the rejection of a promise whose AbortSignal fired. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || codeOf(error) === 'ABORT_ERR' || codeOf(error) === 'ABORTED');
}

/** The error to throw when work is stopped by its signal. */
export function aborted(): SottoError {
  return new SottoError('ABORTED', 'stopped before it was done', { retry: true });
}

/** Marks code that the type system says cannot run. */
export function unreachable(value: never): never {
  throw new SottoError('INTERNAL', `unexpected case: ${typeof value}`);
}
