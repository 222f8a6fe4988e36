import type * as AgeLibrary from 'age-encryption';

import { Sensitive } from '../../base/sensitive/index.ts';
import { parseAgeIdentities } from './age-identities.ts';
import { pluginIdentity, pluginOfRecipient, pluginRecipient } from './age-plugin.ts';
import { isProtectedIdentityFile, openProtectedIdentities } from './age-scrypt.ts';
import { sshIdentity, sshRecipient } from './age-ssh.ts';
import { recipientKind } from './age-text.ts';
import type { AskPassphrase } from './credentials.ts';
import { readSshPrivateFile } from './ssh-private.ts';
import type { Credentials, KeyContext } from './types.ts';

type AgeCredentials = NonNullable<Credentials['age']>;
type Entry = AgeCredentials['identities'][number];
type Library = typeof AgeLibrary;
type Identity = AgeLibrary.Identity;

/** How an identity opens files; tried in this order, cheap and silent ones first. */
export type IdentityKind = 'native' | 'ssh' | 'protected' | 'plugin';
const OTHERS: readonly IdentityKind[] = ['ssh', 'protected', 'plugin'];

/** Recipients of hardware keys that age itself can encrypt for. */
const TAGGED = new Set(['tag', 'tagpq']);

/** Told from the text alone. */
export function identityKind(text: string): IdentityKind {
  if (text.startsWith('AGE-PLUGIN-')) return 'plugin';
  if (isProtectedIdentityFile(Buffer.from(text, 'latin1'))) return 'protected';
  return text.trimStart().startsWith('-----BEGIN ') ? 'ssh' : 'native';
}

/** What the age library takes for a recipient: its text, or an object for SSH keys and plugins. */
export function recipientFor(
  recipient: string,
  age: AgeCredentials | undefined,
  { entropy, signal }: KeyContext,
  { Stanza }: Library,
): string | AgeLibrary.Recipient {
  const makeStanza = (args: string[], body: Uint8Array) => new Stanza(args, body);
  const kind = recipientKind(recipient);
  if (kind === 'ssh') return sshRecipient(recipient, entropy, makeStanza);
  if (kind !== 'plugin' || TAGGED.has(pluginOfRecipient(recipient))) return recipient;
  return pluginRecipient(recipient, { plugins: age?.plugins, makeStanza, ...(signal === undefined ? {} : { signal }) });
}

/** Opened SSH keys and identity files, so that a passphrase is asked for once. */
const openedFiles = new WeakMap<Entry, Promise<readonly (Identity | Sensitive<string>)[]>>();

/**
 * Tries the identities that the age library does not know: SSH keys, then passphrase-protected files, then plugins.
 *
 * @returns undefined when none of them fits
 * @throws what the age library and the identities throw when one fits and fails
 */
export async function decryptWithOthers(
  file: Uint8Array,
  age: AgeCredentials,
  context: KeyContext,
  library: Library,
): Promise<Uint8Array | undefined> {
  for (const kind of OTHERS) {
    for (const entry of age.identities.filter(({ identity }) => identityKind(identity.reveal()) === kind)) {
      const decrypter = new library.Decrypter();
      for (const identity of await identitiesOf(kind, entry, age, context, library)) {
        decrypter.addIdentity(identity instanceof Sensitive ? identity.reveal() : identity);
      }
      try {
        return await context.world.outside(() => decrypter.decrypt(file));
      } catch (error) {
        if (!(error instanceof Error && /no identity matched/.test(error.message))) throw error;
      }
    }
  }
  return undefined;
}

/** A file that does not open is not remembered: the next passphrase may be the right one. */
function remember(
  entry: Entry,
  open: () => Promise<readonly (Identity | Sensitive<string>)[]>,
): Promise<readonly (Identity | Sensitive<string>)[]> {
  const known = openedFiles.get(entry) ?? open();
  openedFiles.set(entry, known);
  known.catch(() => openedFiles.delete(entry));
  return known;
}

async function identitiesOf(
  kind: IdentityKind,
  entry: Entry,
  age: AgeCredentials,
  context: KeyContext,
  { Stanza }: Library,
): Promise<readonly (Identity | Sensitive<string>)[]> {
  const { identity, source, passphrase, publicKey } = entry;
  if (kind === 'plugin') {
    const makeStanza = (args: string[], body: Uint8Array) => new Stanza(args, body);
    const stop = context.signal === undefined ? {} : { signal: context.signal };
    return [pluginIdentity(identity.reveal(), { plugins: age.plugins, makeStanza, ...stop })];
  }
  return remember(entry, async () => {
    if (kind === 'ssh') {
      const options = { ...(passphrase === undefined ? {} : { passphrase }), ...(publicKey === undefined ? {} : { publicKey }) };
      return [sshIdentity(identity.reveal(), source, options)];
    }
    const ask: AskPassphrase = passphrase ?? (() => Promise.resolve(undefined));
    const found = await context.world.outside(() => openProtectedIdentities(Buffer.from(identity.reveal(), 'latin1'), source, ask));
    return found.map((one) => one.identity);
  });
}

/**
 * Reads an identity file of any kind: identity lines, an OpenSSH or PEM private key, or an age file protected by a
 * passphrase. Nothing is asked for yet; the passphrase is needed when a data key gets that far.
 *
 * @param options passphrase and, for old PEM keys, the `.pub` line beside the file
 * @throws SottoError AGE_IDENTITY_INVALID, SSH_KEY_INVALID
 */
export function parseAgeIdentityFile(
  bytes: Uint8Array,
  source: string,
  options: { readonly passphrase?: AskPassphrase; readonly publicKey?: string } = {},
): readonly Entry[] {
  const isProtected = isProtectedIdentityFile(bytes);
  const text = Buffer.from(bytes).toString(isProtected ? 'latin1' : 'utf8');
  if (!isProtected && identityKind(text) !== 'ssh') return parseAgeIdentities(text, source);
  if (!isProtected) readSshPrivateFile(text, source);
  return [{ source, identity: new Sensitive(text), ...options }];
}
