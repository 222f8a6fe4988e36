import { SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';
import { identityProblem, pluginProblem } from './age-text.ts';
import { encodeBech32 } from './bech32.ts';

/** An identity with the place it was found. */
export interface AgeIdentity {
  readonly source: string;
  readonly identity: Sensitive<string>;
}

interface Refusal {
  readonly matches: (text: string) => boolean;
  readonly what: string;
}

const REFUSED_FILES: readonly Refusal[] = [
  { matches: (text) => text.startsWith('age-encryption.org/'), what: 'passphrase-protected identity files' },
  { matches: (text) => text.startsWith('-----BEGIN AGE ENCRYPTED FILE-----'), what: 'passphrase-protected identity files' },
  { matches: (text) => text.startsWith('-----BEGIN '), what: 'SSH identities' },
];

/**
 * Reads an identity file: one identity a line (LF or CRLF), empty lines and lines that start with `#` skipped.
 * One bad line makes the whole source invalid, as upstream has it.
 *
 * @param source where the text comes from, for messages
 * @throws SottoError AGE_IDENTITY_INVALID with the line, or AGE_UNSUPPORTED (SSH keys, passphrases: those are
 *   for {@link parseAgeIdentityFile})
 */
export function parseAgeIdentities(text: string, source: string): AgeIdentity[] {
  const refused = REFUSED_FILES.find(({ matches }) => matches(text));
  if (refused !== undefined) throw unsupported(refused.what, { file: source });
  const identities: AgeIdentity[] = [];
  text.split('\n').forEach((raw, index) => {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '' || line.startsWith('#')) return;
    const at = { file: source, line: index + 1 };
    const problem = line.startsWith('AGE-PLUGIN-') ? pluginProblem(line) : identityProblem(line);
    if (problem !== undefined) throw new SottoError('AGE_IDENTITY_INVALID', `invalid age identity: ${problem}`, { at });
    identities.push({ source, identity: new Sensitive(line) });
  });
  return identities;
}

function unsupported(what: string, at: { readonly file: string; readonly line?: number }): SottoError {
  return new SottoError('AGE_UNSUPPORTED', `${what} are not supported yet`, {
    at,
    hint: 'use an identity that begins with AGE-SECRET-KEY-',
  });
}

/** A new identity: X25519, or hybrid post-quantum with `pq`. */
export function generateAgeIdentity(entropy: Entropy, options: { readonly pq?: boolean } = {}): Sensitive<string> {
  const prefix = options.pq === true ? 'age-secret-key-pq-' : 'age-secret-key-';
  return new Sensitive(encodeBech32(prefix, entropy.bytes(32)).toUpperCase());
}

/**
 * The recipient (`age1…`) of an identity.
 *
 * @throws SottoError AGE_IDENTITY_INVALID
 */
export async function ageRecipientOf(identity: Sensitive<string>, world: World): Promise<string> {
  const problem = identityProblem(identity.reveal());
  if (problem !== undefined) throw new SottoError('AGE_IDENTITY_INVALID', `invalid age identity: ${problem}`);
  const { identityToRecipient } = await world.outside(() => import('age-encryption'));
  return world.outside(() => identityToRecipient(identity.reveal()));
}
