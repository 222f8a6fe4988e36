import { parseJson, stringifyJson } from '../../kube/objects/index.ts';

/** Only integers this long can be beyond 2^53. */
const LONG_INTEGER = /\d{16}/;

/** JSON text of a value; the slower way only for values with bigint, which int64 beyond 2^53 are. */
export function encodeJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch {
    // JSON.stringify refuses bigint.
    return stringifyJson(value, indent);
  }
}

/**
 * A value of JSON text, integers exact; the slower way only where there are long ones.
 *
 * @throws SottoError JSON_SYNTAX
 */
export function decodeJson(text: string): unknown {
  if (LONG_INTEGER.test(text)) return parseJson(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // For the error that belongs to it.
    return parseJson(text);
  }
}
