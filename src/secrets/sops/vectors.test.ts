import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { systemEntropy, systemWorld } from '../../base/world/index.ts';
import { ageKey, parseAgeIdentities, type Credentials } from '../keys/index.ts';
import { decrypt, encrypt, formatForPath, isEncrypted, readMetadata, type SopsFormat } from './index.ts';

const VECTORS = new URL('../../../test/vectors/sops/', import.meta.url);
const context = { world: systemWorld(), entropy: systemEntropy };
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, VECTORS)));
const text = (path: string): string => Buffer.from(read(path)).toString();
const recipient = /age1\w+/.exec(text('TEST-KEY-x25519.agekey'))?.[0] ?? '';

const credentials: Credentials = {
  age: {
    identities: ['TEST-KEY-x25519.agekey', 'TEST-KEY-second.agekey', 'TEST-KEY-hybrid.agekey'].flatMap((name) =>
      parseAgeIdentities(text(name), name),
    ),
  },
};

/** comments-list.yaml has no counterpart because upstream cannot read it. */
const files = readdirSync(new URL('encrypted/', VECTORS)).filter((name) => name !== 'comments-list.yaml');

describe('files that sops 3.13.3 encrypted', () => {
  it.each(files)('SOPS-01..11, SOPS-14, SOPS-16, SOPS-64: %s decrypts as upstream decrypts it', async (name) => {
    const format = formatForPath(name);
    const bytes = read(`encrypted/${name}`);
    expect(isEncrypted(bytes, format)).toBe(true);
    const opened = await decrypt(bytes, { ...context, format, credentials, file: name });
    expect(Buffer.from(opened.bytes).toString('latin1')).toBe(Buffer.from(read(`decrypted/${name}`)).toString('latin1'));
    expect(opened.macVerified).toBe(true);
    expect(opened.recipients.length).toBeGreaterThan(0);
  });

  const converted: [name: string, output: SopsFormat][] = [
    ['types.env', 'json'],
    ['types.env', 'yaml'],
    ['secret.yaml', 'json'],
  ];
  it.each(converted)('%s comes out as %s like upstream', async (name, outputFormat) => {
    const opened = await decrypt(read(`encrypted/${name}`), { ...context, format: formatForPath(name), outputFormat, credentials });
    expect(Buffer.from(opened.bytes).toString()).toBe(text(`decrypted/${name}.as-${outputFormat}`));
  });

  it('SOPS-12, c8: an encrypted comment in a list does not end the run of comments, where upstream fails', async () => {
    const opened = await decrypt(read('encrypted/comments-list.yaml'), { ...context, format: 'yaml', credentials });
    expect(Buffer.from(opened.bytes).toString()).toContain(
      'list:\n    - plain\n    # sops:enc\n    # why\n    - hidden\n    - plain again\n',
    );
  });

  it('SOPS-14: two of three groups open the file, one does not', async () => {
    const one: Credentials = { age: { identities: parseAgeIdentities(text('TEST-KEY-x25519.agekey'), 'first.txt') } };
    await expect(decrypt(read('encrypted/shamir.yaml'), { ...context, format: 'yaml', credentials: one })).rejects.toMatchObject({
      code: 'SOPS_NO_IDENTITY',
      groups: [{ opened: true }, { opened: false }, { opened: false }],
      threshold: 2,
    });
  });

  it('reads metadata without a key', () => {
    const metadata = readMetadata(read('encrypted/shamir.env'), 'dotenv');
    expect(metadata).toMatchObject({ shamirThreshold: 2, version: '3.13.3', selection: { unencryptedSuffix: '_unencrypted' } });
    expect(metadata.groups.map((group) => group.map((key) => key.type))).toEqual([['age'], ['age'], ['age']]);
  });
});

describe('files that we encrypt', () => {
  const plain = readdirSync(new URL('plain/', VECTORS));
  it.each(plain)('SOPS-50: %s decrypts to what upstream makes of it', async (name) => {
    const format = formatForPath(name);
    const bytes = read(`plain/${name}`);
    const encrypted = await encrypt(bytes, { ...context, format, groups: [[ageKey(recipient)]] });
    const opened = await decrypt(encrypted, { ...context, format, credentials });
    const expected = files.includes(name) ? read(`decrypted/${name}`) : opened.bytes;
    expect(Buffer.from(opened.bytes).toString('latin1')).toBe(Buffer.from(expected).toString('latin1'));
    expect(isEncrypted(encrypted, format)).toBe(true);
  });

  it.each(['types.yaml', 'types.json', 'types.env', 'blob.bin', 'multi.yaml'])(
    'SOPS-06, SOPS-07..11: %s has the layout that upstream writes',
    async (name) => {
      const encrypted = await encrypt(read(`plain/${name}`), { ...context, format: formatForPath(name), groups: [[ageKey(recipient)]] });
      const shape = (bytes: Uint8Array): string =>
        Buffer.from(bytes)
          .toString()
          .replaceAll(/data:[^,]*,iv:[^,]*,tag:[^,]*,/g, '')
          .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
          .replaceAll(/(BEGIN AGE ENCRYPTED FILE-----)[\s\S]*?(-----END)/g, '$1$2');
      expect(shape(encrypted)).toBe(shape(read(`encrypted/${name}`)));
    },
  );
});
