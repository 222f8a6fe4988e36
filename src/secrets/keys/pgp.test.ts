import { describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { masterKeyOf, pgpKey, type AskPassphrase, type Credentials } from './index.ts';
import { bytesOf, context, DATA_KEY, DATA_KEY_NUMBERS, errorOf, PASSPHRASE, vector } from './keys.fixture.ts';

type Name = 'rsa1024' | 'rsa2048' | 'curve25519' | 'elgamal' | 'protected' | 'expired';

function keys(names: readonly Name[], passphrase?: AskPassphrase): Credentials {
  const given = names.map((name) => {
    const source = `TEST-KEY-pgp-${name}.asc`;
    return { source, armored: new Sensitive(vector(source)), ...(passphrase === undefined ? {} : { passphrase }) };
  });
  return { pgp: { keys: given } };
}

/** Fingerprints of the primary key and the subkeys, as gpg writes them. */
async function fingerprints(name: Name): Promise<string[]> {
  const { readKey } = await import('openpgp');
  const key = await readKey({ armoredKey: vector(`TEST-KEY-pgp-${name}.asc`) });
  return key.getKeys().map((part) => part.getFingerprint().toUpperCase());
}

async function primary(name: Name): Promise<string> {
  return (await fingerprints(name))[0] ?? '';
}

async function recipientsOf(message: string): Promise<string[]> {
  const { readMessage } = await import('openpgp');
  return (await readMessage({ armoredMessage: message })).getEncryptionKeyIDs().map((id) => id.toHex().toUpperCase());
}

describe('OpenPGP keys given as text', () => {
  const messages: [what: string, key: Name, message: string][] = [
    ['RSA-1024 with SHA-1 signatures', 'rsa1024', 'pgp-rsa1024'],
    ['RSA-2048', 'rsa2048', 'pgp-rsa2048'],
    ['Curve25519', 'curve25519', 'pgp-curve25519'],
    ['DSA with ElGamal', 'elgamal', 'pgp-elgamal'],
    ['the session cipher CAST5', 'rsa2048', 'pgp-rsa2048-CAST5'],
    ['the session cipher 3DES', 'rsa2048', 'pgp-rsa2048-3DES'],
    ['a hidden recipient', 'rsa2048', 'pgp-rsa2048-hidden'],
    ['a key that has expired', 'expired', 'pgp-expired'],
  ];
  it.each(messages)("SOPS-23: opens gpg's message: %s", async (_what, name, message) => {
    const opened = await pgpKey('FP').unwrap(vector(`${message}.gpg.txt`), keys(['curve25519', 'rsa1024', name]), context);
    expect(bytesOf(opened)).toEqual(DATA_KEY_NUMBERS);
  });

  it.each(['rsa1024', 'rsa2048', 'curve25519', 'elgamal'] as const)(
    'SOPS-23: wraps and unwraps with %s, without a final newline',
    async (name) => {
      const key = pgpKey(await primary(name));
      const wrapped = await key.wrap(DATA_KEY, keys([name]), context);
      expect(wrapped).toMatch(/^-----BEGIN PGP MESSAGE-----\n[\s\S]*-----END PGP MESSAGE-----$/);
      expect(bytesOf(await key.unwrap(wrapped, keys([name]), context))).toEqual(DATA_KEY_NUMBERS);
      expect(bytesOf(await key.unwrap(`${wrapped}\n`, keys([name]), context))).toEqual(DATA_KEY_NUMBERS);
    },
  );

  it('SOPS-23: wraps for a public key alone', async () => {
    const credentials: Credentials = { pgp: { publicKeys: [{ source: 'pub.asc', armored: vector('TEST-KEY-pgp-rsa2048.pub.asc') }] } };
    const wrapped = await pgpKey(await primary('rsa2048')).wrap(DATA_KEY, credentials, context);
    expect(bytesOf(await pgpKey('FP').unwrap(wrapped, keys(['rsa2048']), context))).toEqual(DATA_KEY_NUMBERS);
  });

  it('SOPS-23: a key is named by a full fingerprint, blanks removed, with ! for exactly that key', async () => {
    const [main = '', sub = ''] = await fingerprints('rsa2048');
    const spaced = main.replaceAll(/(.{4})/g, '$1 ');
    expect(pgpKey(spaced).display).toBe(main);
    expect(masterKeyOf('pgp', { fp: spaced })).toMatchObject({ display: main, fields: { fp: main } });
    const wrappedFor = async (fp: string): Promise<string[]> => recipientsOf(await pgpKey(fp).wrap(DATA_KEY, keys(['rsa2048']), context));
    expect(await wrappedFor(main)).toEqual([sub.slice(-16)]);
    expect(await wrappedFor(main.toLowerCase())).toEqual([sub.slice(-16)]);
    expect(await wrappedFor(sub)).toEqual([sub.slice(-16)]);
    expect(await wrappedFor(`${sub}!`)).toEqual([sub.slice(-16)]);
    // the primary key signs and certifies only
    expect((await errorOf(() => wrappedFor(`${main}!`))).code).toBe('PGP_ENCRYPT_FAILED');
    for (const short of [main.slice(-16), main.slice(-8), '']) {
      expect(await errorOf(() => wrappedFor(short))).toMatchObject({
        code: 'PGP_KEY_MISSING',
        hint: 'name the key by its full fingerprint',
      });
    }
    expect((await errorOf(() => pgpKey(main).wrap(DATA_KEY, keys(['curve25519']), context))).code).toBe('PGP_KEY_MISSING');
  });

  it('tells "not mine" from "mine, but failed"', async () => {
    const message = vector('pgp-rsa2048.gpg.txt');
    const [, sub = ''] = await fingerprints('rsa2048');
    expect(await pgpKey('FP').unwrap(message, keys(['curve25519']), context)).toEqual({
      kind: 'not-mine',
      reason: `none of the OpenPGP keys is one of the recipients (${sub.slice(-16)})`,
    });
    expect(await pgpKey('FP').unwrap(message, {}, context)).toEqual({ kind: 'not-mine', reason: 'no OpenPGP keys were given' });
    const hidden = await pgpKey('FP').unwrap(vector('pgp-rsa2048-hidden.gpg.txt'), keys(['curve25519', 'rsa1024']), context);
    expect(hidden.kind).toBe('not-mine');
    const lines = message.trim().split('\n');
    const body = Buffer.from(lines.slice(2, -2).join(''), 'base64');
    body[body.length - 3] = (body.at(-3) ?? 0) ^ 1;
    const damaged = [
      '-----BEGIN PGP MESSAGE-----',
      '',
      ...(body.toString('base64').match(/.{1,64}/g) ?? []),
      '-----END PGP MESSAGE-----',
    ].join('\n');
    const error = await errorOf(() => pgpKey('FP').unwrap(damaged, keys(['rsa2048']), context));
    expect(error).toMatchObject({ code: 'PGP_FAILED', at: { file: 'TEST-KEY-pgp-rsa2048.asc' } });
    expect((await errorOf(() => pgpKey('FP').unwrap('hello', keys(['rsa2048']), context))).code).toBe('PGP_MESSAGE_INVALID');
  });

  it('SOPS-23: a protected key opens with its passphrase', async () => {
    const message = vector('pgp-protected.gpg.txt');
    const giving =
      (text?: string): AskPassphrase =>
      () =>
        Promise.resolve(text === undefined ? undefined : new Sensitive(text));
    expect(bytesOf(await pgpKey('FP').unwrap(message, keys(['protected'], giving(PASSPHRASE)), context))).toEqual(DATA_KEY_NUMBERS);
    expect((await errorOf(() => pgpKey('FP').unwrap(message, keys(['protected'], giving('wrong')), context))).code).toBe(
      'PGP_PASSPHRASE_WRONG',
    );
    expect((await errorOf(() => pgpKey('FP').unwrap(message, keys(['protected']), context))).code).toBe('PGP_PASSPHRASE_MISSING');
  });

  it('refuses a small message that unpacks to a large one', async () => {
    const { createMessage, encrypt, enums, readKey } = await import('openpgp');
    const bomb = await encrypt({
      message: await createMessage({ binary: new Uint8Array(8 << 20) }),
      encryptionKeys: await readKey({ armoredKey: vector('TEST-KEY-pgp-rsa2048.pub.asc') }),
      config: { preferredCompressionAlgorithm: enums.compression.zlib },
    });
    expect(bomb.length).toBeLessThan(50_000);
    expect((await errorOf(() => pgpKey('FP').unwrap(bomb, keys(['rsa2048']), context))).code).toBe('PGP_FAILED');
  });

  it('one text may hold several keys, and words around them', async () => {
    const armored = [
      'a note',
      vector('TEST-KEY-pgp-rsa1024.pub.asc'),
      vector('TEST-KEY-pgp-rsa2048.asc'),
      vector('TEST-KEY-pgp-curve25519.asc'),
    ];
    const credentials: Credentials = {
      pgp: { keys: armored.slice(2).map((text) => ({ source: 'a', armored: new Sensitive(`a note\n${text}`) })) },
    };
    const both: Credentials = { pgp: { keys: [{ source: 'both.asc', armored: new Sensitive(armored.join('\nmore\n')) }] } };
    for (const given of [credentials, both]) {
      for (const name of ['rsa2048', 'curve25519']) {
        expect(bytesOf(await pgpKey('FP').unwrap(vector(`pgp-${name}.gpg.txt`), given, context))).toEqual(DATA_KEY_NUMBERS);
      }
    }
  });

  it('does not encrypt for a key that has expired', async () => {
    const error = await errorOf(async () => pgpKey(await primary('expired')).wrap(DATA_KEY, keys(['expired']), context));
    expect(error.code).toBe('PGP_ENCRYPT_FAILED');
    expect(error.message).toContain('expired');
  });

  it('never quotes a private key that it cannot read', async () => {
    const armored = vector('TEST-KEY-pgp-rsa2048.asc')
      .replace(/\n=.{4}\n/, '\n=AAAA\n')
      .replace('lQ', 'mQ');
    const credentials: Credentials = { pgp: { keys: [{ source: 'a.asc', armored: new Sensitive(armored.slice(0, -300)) }] } };
    const error = await errorOf(() => pgpKey('FP').unwrap(vector('pgp-rsa2048.gpg.txt'), credentials, context));
    expect(error).toMatchObject({ code: 'PGP_KEY_INVALID', message: 'it is no armored OpenPGP key', at: { file: 'a.asc' } });
    expect(error.cause).toBeUndefined();
  });
});
