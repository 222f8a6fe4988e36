import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { systemEntropy, systemWorld } from '../../base/world/index.ts';
import { decodeBech32, encodeBech32 } from './bech32.ts';
import {
  ageKey,
  ageRecipientOf,
  generateAgeIdentity,
  masterKeyOf,
  parseAgeIdentities,
  recipientKind,
  unsupportedKey,
  type Credentials,
} from './index.ts';

const context = { world: systemWorld(), entropy: systemEntropy };
const vector = (name: string): string => readFileSync(new URL(`../../../test/vectors/sops/${name}`, import.meta.url), 'utf8');
const publicKey = (text: string): string => /public key: (\S+)/.exec(text)?.[1] ?? '';
const dataKey = new Sensitive(Uint8Array.from({ length: 32 }, (_, index) => index));

function credentials(...texts: readonly string[]): Credentials {
  return { age: { identities: texts.flatMap((text) => parseAgeIdentities(text, 'test')) } };
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof SottoError) return error.code;
    throw error;
  }
  return 'none';
}

describe('age keys', () => {
  it.each(['TEST-KEY-x25519.agekey', 'TEST-KEY-hybrid.agekey'])('SOPS-20, AGE-03, AGE-04: wraps and unwraps with %s', async (file) => {
    const key = ageKey(publicKey(vector(file)));
    const wrapped = await key.wrap(dataKey, {}, context);
    expect(wrapped).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n[\s\S]*\n-----END AGE ENCRYPTED FILE-----\n$/);
    const opened = await key.unwrap(wrapped, credentials(vector(file)), context);
    expect(opened.kind === 'opened' && opened.dataKey.reveal()).toEqual(dataKey.reveal());
  });

  it('AGE-09: derives the recipient that age-keygen printed', async () => {
    for (const file of ['TEST-KEY-x25519.agekey', 'TEST-KEY-hybrid.agekey']) {
      const text = vector(file);
      const [identity] = parseAgeIdentities(text, file);
      expect(identity && (await ageRecipientOf(identity.identity, context.world))).toBe(publicKey(text));
    }
  });

  it('generates identities that work', async () => {
    for (const pq of [false, true]) {
      const identity = generateAgeIdentity(systemEntropy, { pq });
      const recipient = await ageRecipientOf(identity, context.world);
      expect(recipientKind(recipient)).toBe(pq ? 'hybrid' : 'x25519');
      const wrapped = await ageKey(recipient).wrap(dataKey, {}, context);
      expect((await ageKey(recipient).unwrap(wrapped, credentials(identity.reveal()), context)).kind).toBe('opened');
    }
  });

  it('tells "not mine" from "mine, but failed"', async () => {
    const key = ageKey(publicKey(vector('TEST-KEY-x25519.agekey')));
    const wrapped = await key.wrap(dataKey, {}, context);
    const other = credentials(generateAgeIdentity(systemEntropy).reveal());
    expect(await key.unwrap(wrapped, other, context)).toEqual({ kind: 'not-mine', reason: 'no identity matched any of the recipients' });
    expect(await key.unwrap(wrapped, {}, context)).toEqual({ kind: 'not-mine', reason: 'no age identities were given' });
    const mine = credentials(vector('TEST-KEY-x25519.agekey'));
    expect(await codeOf(() => key.unwrap('no armor', mine, context))).toBe('AGE_WRAPPED_KEY_INVALID');
    const lines = wrapped.split('\n');
    lines[4] = `${lines[4]?.startsWith('A') === true ? 'B' : 'A'}${lines[4]?.slice(1)}`;
    expect(await codeOf(() => key.unwrap(lines.join('\n'), mine, context))).toBe('AGE_WRAPPED_KEY_INVALID');
  });

  it('AGE-07: wraps for tagged recipients of hardware keys without their plugin', async () => {
    const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const isOdd = (Buffer.from(y, 'base64url').at(-1) ?? 0) % 2 === 1;
    const recipient = encodeBech32('age1tag', Buffer.concat([Buffer.of(isOdd ? 3 : 2), Buffer.from(x, 'base64url')]));
    const wrapped = await ageKey(recipient).wrap(dataKey, {}, context);
    expect(Buffer.from(wrapped.split('\n').slice(1, -2).join(''), 'base64').toString('latin1')).toContain('-> p256tag ');
  });

  it.each([
    ['age1notarecipient', 'failed to parse input as Bech32-encoded age public key'],
    ['Age1abc', 'unknown recipient type'],
  ])('refuses the recipient %s', async (recipient, message) => {
    await expect(ageKey(recipient).wrap(dataKey, {}, context)).rejects.toThrow(message);
  });
});

describe('parseAgeIdentities', () => {
  const good = (): string => generateAgeIdentity(systemEntropy).reveal();

  it('reads one identity a line, skips comments and empty lines, takes CRLF', () => {
    const text = `# created: now\r\n${good()}\r\n\r\n#\r\n${good()}`;
    expect(parseAgeIdentities(text, 'keys.txt').map(({ source }) => source)).toEqual(['keys.txt', 'keys.txt']);
  });

  it.each([
    ['an unknown line', () => `${good()}\nhello`, 'AGE_IDENTITY_INVALID'],
    ['a blank before an identity', () => ` ${good()}`, 'AGE_IDENTITY_INVALID'],
    ['a wrong checksum', () => `${good().slice(0, -1)}!`, 'AGE_IDENTITY_INVALID'],
    ['a damaged plugin identity', () => 'AGE-PLUGIN-YUBIKEY-1QQPQYQSZQGPQYQSZQGPQ', 'AGE_IDENTITY_INVALID'],
    ['a passphrase-protected file', () => 'age-encryption.org/v1\n-> scrypt', 'AGE_UNSUPPORTED'],
    ['an SSH key', () => '-----BEGIN OPENSSH PRIVATE KEY-----\n', 'AGE_UNSUPPORTED'],
  ])('refuses the whole source for %s', async (_name, text, code) => {
    expect(await codeOf(() => parseAgeIdentities(text(), 'keys.txt'))).toBe(code);
  });

  it('never quotes a line', () => {
    const secret = good();
    expect(() => parseAgeIdentities(`${secret}x`, 'keys.txt')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret.slice(20, 40)) as string, at: { file: 'keys.txt', line: 1 } }),
    );
  });
});

describe('bech32', () => {
  it('decodes what it encoded', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z-]{1,12}$/), fc.uint8Array({ maxLength: 200 }), (prefix, bytes) => {
        expect(decodeBech32(encodeBech32(prefix, bytes))).toEqual({ prefix, bytes });
      }),
    );
  });

  it('notices one changed character', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(50), (bytes, position) => {
        const text = encodeBech32('age', bytes);
        const at = 4 + (position % (text.length - 4));
        const changed = text.slice(0, at) + (text[at] === 'q' ? 'p' : 'q') + text.slice(at + 1);
        expect(() => decodeBech32(changed)).toThrow('malformed Bech32');
      }),
    );
  });
});

describe('other key types', () => {
  it('names them by their fields', () => {
    const kms = masterKeyOf('kms', {
      arn: 'arn:aws:kms:eu-west-1:1:key/a',
      role: 'arn:role',
      context: { b: '2', a: '1' },
      aws_profile: 'dev',
    });
    expect(kms.display).toBe('arn:aws:kms:eu-west-1:1:key/a+arn:role|a:1,b:2|dev');
    expect(masterKeyOf('hc_vault', { vault_address: 'https://v', engine_path: 'sops', key_name: 'k' }).display).toBe(
      'https://v/v1/sops/keys/k',
    );
  });

  it('keeps and refuses a type that is known by name only', async () => {
    const key = unsupportedKey('hckms', 'ABC');
    expect(await key.unwrap('x', {}, context)).toEqual({ kind: 'not-mine', reason: 'Huawei Cloud KMS keys are not supported yet' });
    expect(await codeOf(() => key.wrap(dataKey, {}, context))).toBe('KEY_TYPE_UNSUPPORTED');
  });
});
