import { SottoError } from '../../base/errors/index.ts';
import { decodeBech32, type Bech32 } from './bech32.ts';

const X25519_KEY_LENGTH = 32;
const HYBRID_RECIPIENT_LENGTH = 1216;

/** What an age recipient is, told from its text. */
export type RecipientKind = 'x25519' | 'hybrid' | 'plugin' | 'ssh';

/**
 * The kind of a recipient: `age1pq1…` hybrid, `age1<name>1…` plugin, other `age1…` X25519, `ssh-…` SSH.
 *
 * @throws SottoError AGE_RECIPIENT_INVALID
 */
export function recipientKind(recipient: string): RecipientKind {
  if (recipient.startsWith('ssh-')) return 'ssh';
  if (recipient.startsWith('age1pq1')) return checkRecipient(recipient, 'age1pq', HYBRID_RECIPIENT_LENGTH, 'hybrid');
  if (!recipient.startsWith('age1'))
    throw new SottoError('AGE_RECIPIENT_INVALID', 'unknown recipient type', { hint: 'an age recipient begins with age1' });
  if (recipient.slice('age1'.length).includes('1')) return 'plugin';
  return checkRecipient(recipient, 'age', X25519_KEY_LENGTH, 'x25519');
}

function checkRecipient(recipient: string, prefix: string, length: number, kind: RecipientKind): RecipientKind {
  const decoded = decodeOr(recipient, (cause) => invalidRecipient(cause instanceof Error ? cause.message : 'malformed', cause));
  if (decoded.prefix !== prefix || decoded.bytes.length !== length) throw invalidRecipient('wrong length');
  return kind;
}

function invalidRecipient(problem: string, cause?: unknown): SottoError {
  return new SottoError('AGE_RECIPIENT_INVALID', `failed to parse input as Bech32-encoded age public key: ${problem}`, { cause });
}

function decodeOr(text: string, error: (cause: unknown) => Error): Bech32 {
  try {
    return decodeBech32(text);
  } catch (cause) {
    throw error(cause);
  }
}

const IDENTITY_PREFIXES: readonly (readonly [start: string, prefix: string])[] = [
  ['AGE-SECRET-KEY-PQ-1', 'age-secret-key-pq-'],
  ['AGE-SECRET-KEY-1', 'age-secret-key-'],
];

/** What is wrong with an identity line, or undefined when it is a native identity. Never quotes the line. */
export function identityProblem(line: string): string | undefined {
  const known = IDENTITY_PREFIXES.find(([start]) => line.startsWith(start));
  if (known === undefined) return 'unknown identity type';
  try {
    const { prefix, bytes } = decodeBech32(line);
    return prefix === known[1] && bytes.length === X25519_KEY_LENGTH ? undefined : 'malformed secret key';
  } catch (cause) {
    return `malformed secret key${cause instanceof SottoError ? ` (${cause.message})` : ''}`;
  }
}

/** What is wrong with a plugin's identity line `AGE-PLUGIN-<NAME>-1…`, or undefined. Never quotes the line. */
export function pluginProblem(line: string): string | undefined {
  return pluginName(line, 'age-plugin-', '-') === undefined ? 'malformed plugin identity' : undefined;
}

const PLUGIN_NAME = /^[a-z0-9+._-]+$/;

/** The name between the ends of a Bech32 prefix; undefined when the text is no such Bech32 text. */
export function pluginName(text: string, before: string, after: string): string | undefined {
  try {
    const { prefix } = decodeBech32(text);
    if (!prefix.startsWith(before) || !prefix.endsWith(after)) return undefined;
    const name = prefix.slice(before.length, prefix.length - after.length);
    return PLUGIN_NAME.test(name) ? name : undefined;
  } catch {
    // the caller says what the text should have been
    return undefined;
  }
}
