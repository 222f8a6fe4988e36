import { codeOf, messageOf, SottoError } from '../base/errors/index.ts';
import { exit } from './command.ts';
import type { Style } from './style.ts';

/** Errors of these codes are the user's command line; of any other known code, the user's input or surroundings. */
const USAGE_CODES = new Set(['USAGE', 'DURATION_INVALID']);

/** `error[CODE]: what` and `hint: what to do` on two lines, nothing else (TRM-06). `debug` adds the stack. */
export function renderError(error: unknown, style: Style, debug = false): string {
  const head = style.paint('failed', `error[${codeOf(error)}]`);
  const hint = error instanceof SottoError ? error.hint : undefined;
  const lines = [`${head}: ${messageOf(error)}`, ...(hint === undefined ? [] : [`hint: ${hint}`])];
  if (debug && error instanceof Error && error.stack !== undefined) lines.push(error.stack);
  return `${lines.join('\n')}\n`;
}

/** The exit status of an error that ends a command. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof SottoError)) return 'code' in Object(error) ? exit.input : exit.internal;
  if (USAGE_CODES.has(error.code)) return exit.usage;
  return error.code === 'INTERNAL' ? exit.internal : exit.input;
}
