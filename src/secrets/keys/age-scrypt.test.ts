import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import {
  ageKey,
  ageRecipientOf,
  identityKind,
  parseAgeIdentities,
  parseAgeIdentityFile,
  passphraseCacheName,
  type Credentials,
} from './index.ts';
import { bytesOf, context, DATA_KEY, DATA_KEY_NUMBERS, errorOf, PASSPHRASE, vector, vectorBytes } from './keys.fixture.ts';

const FILES = ['TEST-KEY-protected.agekey.age', 'TEST-KEY-protected-armored.agekey.age'];

async function wrappedForInside(): Promise<string> {
  const [inside] = parseAgeIdentities(vector('TEST-KEY-inside.agekey'), 'inside');
  if (inside === undefined) throw new Error('no identity');
  return ageKey(await ageRecipientOf(inside.identity, context.world)).wrap(DATA_KEY, {}, context);
}

function protectedBy(file: string, answers: (string | undefined)[], bytes = vectorBytes(file)): Credentials {
  const passphrase = () => {
    const answer = answers.shift();
    return Promise.resolve(answer === undefined ? undefined : new Sensitive(answer));
  };
  return { age: { identities: parseAgeIdentityFile(bytes, file, { passphrase }) } };
}

describe('passphrase-protected identity files', () => {
  it.each(FILES)('SOPS-22, AGE-05: %s opens with its passphrase, which is asked once', async (file) => {
    const credentials = protectedBy(file, [PASSPHRASE]);
    const wrapped = await wrappedForInside();
    for (const _time of ['first', 'second']) {
      expect(bytesOf(await ageKey('age1x').unwrap(wrapped, credentials, context))).toEqual(DATA_KEY_NUMBERS);
    }
  });

  it('SOPS-22: a wrong passphrase is an error and is asked for again; none is an error as well', async () => {
    const credentials = protectedBy('TEST-KEY-protected.agekey.age', ['wrong', undefined, PASSPHRASE]);
    const wrapped = await wrappedForInside();
    const unwrap = () => ageKey('age1x').unwrap(wrapped, credentials, context);
    expect(await errorOf(unwrap)).toMatchObject({ code: 'AGE_PASSPHRASE_WRONG', at: { file: 'TEST-KEY-protected.agekey.age' } });
    expect(await errorOf(unwrap)).toMatchObject({ code: 'AGE_PASSPHRASE_MISSING' });
    expect(bytesOf(await unwrap())).toEqual(DATA_KEY_NUMBERS);
  });

  it('SOPS-22: nothing is asked when an identity without passphrase fits', async () => {
    const open = parseAgeIdentities(vector('TEST-KEY-inside.agekey'), 'inside');
    const shut = protectedBy('TEST-KEY-protected.agekey.age', []).age?.identities ?? [];
    const opened = await ageKey('age1x').unwrap(await wrappedForInside(), { age: { identities: [...shut, ...open] } }, context);
    expect(bytesOf(opened)).toEqual(DATA_KEY_NUMBERS);
  });

  it.each([
    ['22 is the limit', '23', 'a work factor of 23, more than 22'],
    ['leading zero', '014', 'is damaged'],
  ])('AGE-05: refuses a work factor: %s', async (_name, factor, message) => {
    const text = vectorBytes('TEST-KEY-protected.agekey.age').toString().length;
    expect(text).toBeGreaterThan(0);
    const file = Buffer.from(vectorBytes('TEST-KEY-protected.agekey.age'));
    const changed = Buffer.from(file.toString('latin1').replace(/^(-> scrypt \S+) 14$/m, `$1 ${factor}`), 'latin1');
    const error = await errorOf(async () =>
      ageKey('age1x').unwrap(await wrappedForInside(), protectedBy('f', [PASSPHRASE], changed), context),
    );
    expect(error.code).toBe('AGE_IDENTITY_INVALID');
    expect(error.message).toContain(message);
  });

  it("SOPS-22: the name in gpg-agent's cache is that of the file without armor", async () => {
    const binary = vectorBytes('TEST-KEY-protected.agekey.age');
    const name = await passphraseCacheName(binary, 'f');
    expect(name).toMatch(/^SopsAge[A-Z2-7]{40}$/);
    const first = createHash('sha256').update(binary).digest()[0] ?? 0;
    expect('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(name.charAt(7))).toBe(first >> 3);
    expect(await passphraseCacheName(vectorBytes('TEST-KEY-protected-armored.agekey.age'), 'f')).not.toBe(name);
  });

  it('tells kinds of identities by their text', () => {
    expect(
      ['AGE-SECRET-KEY-1X', 'AGE-PLUGIN-X-1', 'age-encryption.org/v1', '-----BEGIN OPENSSH PRIVATE KEY-----'].map(identityKind),
    ).toEqual(['native', 'plugin', 'protected', 'ssh']);
  });
});
