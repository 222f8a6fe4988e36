import type { Decrypter } from 'age-encryption';

import { aborted, SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { recipientKind, type RecipientKind } from './age-text.ts';
import type { Credentials, KeyContext, MasterKey, Unwrapped } from './types.ts';

type AgeCredentials = NonNullable<Credentials['age']>;

/** What typage throws when the file is for somebody else. */
const NO_MATCH = /no identity matched/;

/** Building identities costs curve arithmetic; a reconcile opens many files with the same ones. */
const decrypters = new WeakMap<AgeCredentials, Decrypter>();

const UNSUPPORTED: Partial<Record<RecipientKind, string>> = {
  plugin: 'age plugin recipients',
  ssh: 'SSH recipients of age',
};

/**
 * A master key for an age recipient: X25519 (`age1…`) or hybrid (`age1pq1…`). `enc` is an armored age file with the
 * data key inside, one file per recipient. Follows sops:age/keysource.go.
 *
 * SSH and plugin recipients make a key as well, so that files that list them can be read through another
 * recipient; wrapping for them throws AGE_UNSUPPORTED.
 */
export function ageKey(recipient: string): MasterKey {
  const display = recipient.trim();
  return {
    type: 'age',
    display,
    fields: { recipient: display },
    wrap: (dataKey, _credentials, context) => wrap(display, dataKey, context),
    unwrap: (wrapped, credentials, context) => unwrap(display, wrapped, credentials, context),
  };
}

async function wrap(recipient: string, dataKey: Sensitive<Uint8Array>, { world, signal }: KeyContext): Promise<string> {
  if (signal?.aborted === true) throw aborted();
  const unsupported = UNSUPPORTED[recipientKind(recipient)];
  if (unsupported !== undefined) throw new SottoError('AGE_UNSUPPORTED', `${unsupported} are not supported yet`);
  const { armor, Encrypter } = await world.outside(() => import('age-encryption'));
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return armor.encode(await world.outside(() => encrypter.encrypt(dataKey.reveal())));
}

async function unwrap(recipient: string, wrapped: string, credentials: Credentials, { world, signal }: KeyContext): Promise<Unwrapped> {
  if (signal?.aborted === true) throw aborted();
  const age = credentials.age;
  if (age === undefined || age.identities.length === 0) return notMine('no age identities were given');
  const library = await world.outside(() => import('age-encryption'));
  const file = decodeArmor(library.armor.decode, wrapped, recipient);
  let decrypter = decrypters.get(age);
  if (decrypter === undefined) {
    decrypter = new library.Decrypter();
    for (const { identity, source } of age.identities) addIdentity(decrypter, identity, source);
    decrypters.set(age, decrypter);
  }
  try {
    const opener = decrypter;
    return { kind: 'opened', dataKey: new Sensitive(await world.outside(() => opener.decrypt(file))) };
  } catch (cause) {
    if (cause instanceof Error && NO_MATCH.test(cause.message)) return notMine('no identity matched any of the recipients');
    throw damaged(recipient, 'does not decrypt', cause);
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
