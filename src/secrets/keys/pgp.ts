import { aborted, SottoError } from '../../base/errors/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import type { GpgSettings, PgpCredentials } from './credentials.ts';
import { missingCredentials, notMine, opened } from './key-service.ts';
import { openGpgHome } from './pgp-home.ts';
import { encryptWithKeys, openWithKeys } from './pgp-library.ts';
import { runGpg, type GpgRun } from './pgp-program.ts';
import type { Credentials, KeyContext, MasterKey, Unwrapped } from './types.ts';

const SERVICE = 'OpenPGP';
const FINGERPRINT = /^[0-9A-Fa-f]{40}(?:[0-9A-Fa-f]{24})?!?$/;
const MESSAGE = /^-----BEGIN PGP MESSAGE-----/;
const TRUSTED_DIGITS = 16;

type Keyring = GpgSettings & { readonly home: string };

/**
 * A master key for an OpenPGP key. `enc` is an armored message without final newline. Follows sops:pgp/keysource.go: keys
 * that are given as text are used first, then the gpg program on a keyring; with `gpg` and no home the keys are imported into a
 * private home instead, for this one call (see openGpgHome for several).
 *
 * @throws (wrap, unwrap) SottoError PGP_*, GPG_UNAVAILABLE, GPG_FAILED, KEY_CREDENTIALS_MISSING
 */
export function pgpKey(fingerprint: string): MasterKey {
  const fp = fingerprint.replaceAll(' ', '');
  return {
    type: 'pgp',
    display: fp,
    fields: { fp },
    wrap: (dataKey, credentials, context) => wrap(fp, dataKey, credentials, context),
    unwrap: (wrapped, credentials, context) => unwrap(wrapped, credentials, context),
  };
}

async function wrap(fp: string, dataKey: Sensitive<Uint8Array>, { pgp }: Credentials, context: KeyContext): Promise<string> {
  const { world, signal } = context;
  if (signal?.aborted === true) throw aborted();
  if (pgp === undefined) throw missingCredentials(SERVICE, fp);
  if (FINGERPRINT.test(fp) && !wantsPrivateHome(pgp)) {
    const message = await world.outside(() => encryptWithKeys(fp, dataKey, pgp, world.clock.now()));
    if (message !== undefined) return message;
  }
  if (pgp.gpg === undefined) {
    throw new SottoError('PGP_KEY_MISSING', `no OpenPGP key with the fingerprint ${fp} was given`, {
      hint: FINGERPRINT.test(fp) ? 'give its public key' : 'name the key by its full fingerprint',
    });
  }
  return withKeyring(pgp, context, (keyring) => encryptWithGpg(fp, dataKey, keyring, context));
}

async function unwrap(wrapped: string, { pgp }: Credentials, context: KeyContext): Promise<Unwrapped> {
  const { world, signal } = context;
  if (signal?.aborted === true) throw aborted();
  if (pgp === undefined || ((pgp.keys ?? []).length === 0 && pgp.gpg?.home === undefined)) return notMine('no OpenPGP keys were given');
  if (!MESSAGE.test(wrapped.trimStart())) throw new SottoError('PGP_MESSAGE_INVALID', 'the wrapped data key is no armored OpenPGP message');
  let wanted: readonly string[] = [];
  if (!wantsPrivateHome(pgp)) {
    const result = await world.outside(() => openWithKeys(wrapped, pgp));
    if (result.kind === 'opened') return opened(result.bytes);
    wanted = result.wanted;
  }
  if (pgp.gpg === undefined) return notMine(`none of the OpenPGP keys is one of the recipients (${wanted.join(', ')})`);
  return withKeyring(pgp, context, (keyring) => decryptWithGpg(wrapped, keyring, context));
}

/** Credentials that say "use gpg" and name no keyring want the program for the keys themselves. */
function wantsPrivateHome({ gpg }: PgpCredentials): boolean {
  return gpg !== undefined && gpg.home === undefined;
}

async function withKeyring<T>(pgp: PgpCredentials, { world, signal }: KeyContext, use: (keyring: Keyring) => Promise<T>): Promise<T> {
  const home = pgp.gpg?.home;
  if (home !== undefined) return use({ ...pgp.gpg, home });
  const opened = await openGpgHome(pgp, world, signal);
  try {
    return await use(opened.pgp.gpg as Keyring);
  } finally {
    await opened.close();
  }
}

async function encryptWithGpg(
  fp: string,
  dataKey: Sensitive<Uint8Array>,
  keyring: Keyring,
  { world, signal }: KeyContext,
): Promise<string> {
  if (fp === '' || fp.startsWith('-')) throw new SottoError('PGP_KEY_MISSING', `${JSON.stringify(fp)} is no OpenPGP fingerprint`);
  const trusted = fp.replace(/!$/, '').slice(-TRUSTED_DIGITS);
  const args = ['--no-default-recipient', '--yes', '--encrypt', '--armor', '--recipient', fp, '--trusted-key', trusted, '--no-encrypt-to'];
  const run = await world.outside(() => runGpg(keyring, ['--batch', ...args], dataKey.reveal(), signal));
  const message = Buffer.from(run.output).toString('latin1').trim();
  if (run.code === 0 && MESSAGE.test(message)) return message;
  throw new SottoError(
    'PGP_ENCRYPT_FAILED',
    `gpg cannot encrypt for the OpenPGP key ${fp}${reason(run, ['INV_RECP', 'KEYEXPIRED', 'FAILURE'])}`,
  );
}

async function decryptWithGpg(wrapped: string, keyring: Keyring, { world, signal }: KeyContext): Promise<Unwrapped> {
  // without a terminal of its own the agent asks; a private keyring has nobody to ask
  const run = await world.outside(() => runGpg(keyring, ['--yes', '--no-tty', '--decrypt'], wrapped, signal));
  if (run.code === 0 && run.output.length > 0) return opened(run.output);
  const recipients = words(run, 'ENC_TO');
  const missing = new Set(words(run, 'NO_SECKEY'));
  if (recipients.length > 0 && recipients.every((id) => missing.has(id))) {
    return notMine(`the keyring has none of the secret keys ${recipients.join(', ')}`);
  }
  if (recipients.length === 0)
    throw new SottoError('PGP_MESSAGE_INVALID', 'the wrapped data key is damaged, or no OpenPGP message for a public key');
  throw new SottoError(
    'GPG_FAILED',
    `gpg cannot decrypt${reason(run, ['MISSING_PASSPHRASE', 'BAD_PASSPHRASE', 'ERROR', 'DECRYPTION_FAILED'])}`,
  );
}

/** First arguments of the status lines with a keyword. */
function words({ status }: GpgRun, keyword: string): string[] {
  return status.flatMap(([word, argument]) => (word === keyword && argument !== undefined ? [argument] : []));
}

/** gpg's own keywords say enough, and hold no text of the message. */
function reason({ status }: GpgRun, keywords: readonly string[]): string {
  const said = status.filter(([word = '']) => keywords.includes(word)).map((line) => line.slice(0, 3).join(' '));
  return said.length === 0 ? '' : `: ${said.join('; ')}`;
}
