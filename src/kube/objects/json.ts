import { SottoError } from '../../base/errors/index.ts';

/** A JSON value. Integers beyond 2^53 are bigint, so that int64 and uint64 survive. */
export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;

/** A JSON object. Keys come from users: objects are made without prototype surprises by {@link parseJson}. */
export interface JsonObject {
  [key: string]: Json;
}

const INTEGER = /^-?\d+$/;
/** The shortest run of digits that can be an integer beyond 2^53; texts without one need no reviver. */
const MAYBE_LARGE = /\d{16}/;

/**
 * Parses JSON, keeping large integers exact. `__proto__` becomes an ordinary own key.
 *
 * @throws SottoError JSON_SYNTAX
 */
export function parseJson(text: string): Json {
  try {
    return (MAYBE_LARGE.test(text) ? JSON.parse(text, reviveExact) : JSON.parse(text)) as Json;
  } catch (cause) {
    throw new SottoError('JSON_SYNTAX', 'the text is not valid JSON', { cause });
  }
}

/** V8 hands the source text of primitives to the reviver (ECMAScript "JSON.parse source text access"). */
function reviveExact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
}

/** Serialises a JSON value; bigint is written as an integer. `indent` as in JSON.stringify. */
export function stringifyJson(value: unknown, indent?: number | string): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    // Plain serialisation is much faster and stops only at a bigint; a value that refuses (Sensitive) refuses again.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, writeExact, indent);
  }
}

const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (this: void, text: string) => unknown };

function writeExact(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJson(value.toString()) : value;
}
