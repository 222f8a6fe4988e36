/**
 * Structured logging. Controllers write JSON lines with Flux's keys (`level`, `ts`, `msg`, `controller`,
 * `name`, `namespace`, …); faces pass {@link noLog} or a logger of their own.
 *
 * @module
 */
import { type Clock, type Output } from '../world/index.ts';

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  with(fields: LogFields): Log;
}

export type LogLevel = 'debug' | 'info' | 'error' | 'silent';

/** Drops everything. */
export const noLog: Log = { debug: () => {}, info: () => {}, error: () => {}, with: () => noLog };

/** JSON lines on `output`, written by pino, which is loaded by this call. */
export async function jsonLog(output: Output, clock: Clock, level: LogLevel = 'info'): Promise<Log> {
  const { pino } = await import('pino');
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"ts":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => output.write(line) },
  );
  const wrap = (inner: typeof logger): Log => ({
    debug: (message, fields) => inner.debug(fields ?? {}, message),
    info: (message, fields) => inner.info(fields ?? {}, message),
    error: (message, fields) => inner.error(fields ?? {}, message),
    with: (fields) => wrap(inner.child(fields)),
  });
  return wrap(logger);
}
