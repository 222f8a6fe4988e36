import { SottoError } from '../../base/errors/index.ts';

/** A JSON value. Integers beyond 2^53 are bigint, so that int64 and uint64 survive. */
export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;

/** A JSON object. Keys come from users: objects are made without prototype surprises by {@link parseJson}. */
export interface JsonObject {
  [key: string]: Json;
}

const INTEGER = /^-?\d+$/;

/**
 * Parses JSON, keeping large integers exact. `__proto__` becomes an ordinary own key.
 *
 * @throws SottoError JSON_SYNTAX
 */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text, reviveExact) as Json;
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
  return JSON.stringify(value, writeExact, indent);
}

const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (this: void, text: string) => unknown };

function writeExact(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJson(value.toString()) : value;
}
