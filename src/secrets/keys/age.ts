import type { Decrypter } from 'age-encryption';

import { aborted, SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { decryptWithOthers, identityKind, recipientFor } from './age-others.ts';
import type { Credentials, KeyContext, MasterKey, Unwrapped } from './types.ts';

type AgeCredentials = NonNullable<Credentials['age']>;

/** What typage throws when the file is for somebody else. */
const NO_MATCH = /no identity matched/;

/** Building identities costs curve arithmetic; a reconcile opens many files with the same ones. */
const decrypters = new WeakMap<AgeCredentials, Decrypter>();

/**
 * A master key for an age recipient: X25519 (`age1…`), hybrid (`age1pq1…`), a plugin's (`age1<name>1…`) or an SSH public
 * key. `enc` is an armored age file with the data key inside, one file per recipient. Follows sops:age/keysource.go.
 * Plugins run only when the credentials let them.
 *
 * @throws (wrap, unwrap) SottoError AGE_RECIPIENT_INVALID, AGE_IDENTITY_INVALID, AGE_WRAPPED_KEY_INVALID, AGE_PLUGIN_*,
 *   AGE_PASSPHRASE_*, SSH_*
 */
export function ageKey(recipient: string): MasterKey {
  const display = recipient.trim();
  return {
    type: 'age',
    display,
    fields: { recipient: display },
    wrap: (dataKey, credentials, context) => wrap(display, dataKey, credentials, context),
    unwrap: (wrapped, credentials, context) => unwrap(display, wrapped, credentials, context),
  };
}

async function wrap(recipient: string, dataKey: Sensitive<Uint8Array>, { age }: Credentials, context: KeyContext): Promise<string> {
  const { world, signal } = context;
  if (signal?.aborted === true) throw aborted();
  const library = await world.outside(() => import('age-encryption'));
  const { armor, Encrypter } = library;
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipientFor(recipient, age, context, library));
  return armor.encode(await world.outside(() => encrypter.encrypt(dataKey.reveal())));
}

async function unwrap(recipient: string, wrapped: string, credentials: Credentials, context: KeyContext): Promise<Unwrapped> {
  const { world, signal } = context;
  if (signal?.aborted === true) throw aborted();
  const age = credentials.age;
  if (age === undefined || age.identities.length === 0) return notMine('no age identities were given');
  const library = await world.outside(() => import('age-encryption'));
  const file = decodeArmor(library.armor.decode, wrapped, recipient);
  let decrypter = decrypters.get(age);
  if (decrypter === undefined) {
    decrypter = new library.Decrypter();
    const native = age.identities.filter(({ identity }) => identityKind(identity.reveal()) === 'native');
    for (const { identity, source } of native) addIdentity(decrypter, identity, source);
    decrypters.set(age, decrypter);
  }
  try {
    const opener = decrypter;
    return { kind: 'opened', dataKey: new Sensitive(await world.outside(() => opener.decrypt(file))) };
  } catch (cause) {
    if (!(cause instanceof Error && NO_MATCH.test(cause.message))) throw damaged(recipient, 'does not decrypt', cause);
  }
  try {
    const dataKey = await decryptWithOthers(file, age, context, library);
    if (dataKey === undefined) return notMine('no identity matched any of the recipients');
    return { kind: 'opened', dataKey: new Sensitive(dataKey) };
  } catch (cause) {
    throw cause instanceof SottoError ? cause : damaged(recipient, 'does not decrypt', cause);
  }
}

function addIdentity(decrypter: Decrypter, identity: Sensitive<string>, source: string): void {
  try {
    decrypter.addIdentity(identity.reveal());
  } catch {
    // the library's error may echo the identity
    throw new SottoError('AGE_IDENTITY_INVALID', 'invalid age identity', { at: { file: source } });
  }
}

function decodeArmor(decode: (text: string) => Uint8Array, wrapped: string, recipient: string): Uint8Array {
  try {
    return decode(wrapped);
  } catch (cause) {
    throw damaged(recipient, 'is not an armored age file', cause);
  }
}

function damaged(recipient: string, problem: string, cause: unknown): SottoError {
  return new SottoError('AGE_WRAPPED_KEY_INVALID', `the data key wrapped for ${recipient} ${problem}`, { cause });
}

function notMine(reason: string): Unwrapped {
  return { kind: 'not-mine', reason };
}
