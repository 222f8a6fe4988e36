import { describe, expect, it } from 'vitest';

import {
  generateAgeIdentity,
  huaweiKey,
  keySecretCredentials,
  masterKeyOf,
  needsRotation,
  preferCredentials,
  wrappedKeyAge,
  type Credentials,
} from './index.ts';
import { context, DATA_KEY, errorOf } from './keys.fixture.ts';

const encoder = new TextEncoder();
const read = (data: Record<string, string | Uint8Array>): Credentials =>
  keySecretCredentials(Object.entries(data).map(([key, value]) => [key, typeof value === 'string' ? encoder.encode(value) : value]));

describe('keySecretCredentials', () => {
  it('flux/DEC-02: keys by suffix and by name, the rest ignored', () => {
    const [a, b] = [generateAgeIdentity(context.entropy), generateAgeIdentity(context.entropy, { pq: true })];
    const credentials = read({
      'one.agekey': `# created: now\n${a.reveal()}\n`,
      'two.agekey': b.reveal(),
      'me.asc': 'armored',
      'you.asc': 'armored too',
      'sops.vault-token': ' s.token\n',
      'sops.aws-kms': 'aws_access_key_id: AKID\naws_secret_access_key: secret\naws_session_token: session\n',
      'sops.gcp-kms': '{"type":"service_account"}\n',
      'sops.azure-kv': 'clientId: c\n',
      'sops.other': '??',
      agekey: '??',
      README: '??',
    });
    expect(credentials.age?.identities.map(({ source, identity }) => [source, identity.reveal()])).toEqual([
      ['one.agekey', a.reveal()],
      ['two.agekey', b.reveal()],
    ]);
    expect(credentials.pgp?.keys?.map(({ source, armored }) => [source, armored.reveal()])).toEqual([
      ['me.asc', 'armored'],
      ['you.asc', 'armored too'],
    ]);
    expect(credentials.vault?.token?.reveal()).toBe('s.token');
    const { accessKeyId, secretAccessKey, sessionToken } = credentials.aws?.keys ?? {};
    expect([accessKeyId, secretAccessKey?.reveal(), sessionToken?.reveal()]).toEqual(['AKID', 'secret', 'session']);
    expect(credentials.gcp?.json?.reveal()).toBe('{"type":"service_account"}');
    expect(credentials.azure).toEqual({ identity: { kind: 'managed', clientId: 'c' } });
    expect(read({})).toEqual({});
  });

  it("flux/DEC-02: nothing that would use the program's own identity is switched on", () => {
    const text = JSON.stringify(read({ 'sops.azure-kv': 'clientId: c' }));
    expect(text).not.toContain('ambient');
    expect(read({ 'sops.gcp-kms': '{}' }).gcp).not.toHaveProperty('trusted');
  });

  const azure: [name: string, text: string, identity: Record<string, unknown>][] = [
    [
      'a client secret',
      'tenantId: t\nclientId: c\nclientSecret: s\nclientCertificate: x\n',
      { kind: 'secret', tenantId: 't', clientId: 'c' },
    ],
    [
      'a certificate',
      'tenantId: t\nclientId: c\nclientCertificate: x\nclientCertificateSendChain: true\ntenant: o\nappId: o\npassword: o\n',
      { kind: 'certificate', sendChain: true },
    ],
    ['the names of the command line', '{"tenant":"t","appId":"c","password":"s"}', { kind: 'secret', tenantId: 't', clientId: 'c' }],
    ['a client id alone', 'clientId: c', { kind: 'managed', clientId: 'c' }],
    ['a secret without tenant', 'clientId: c\nclientSecret: s', { kind: 'managed', clientId: 'c' }],
  ];
  it.each(azure)('flux/DEC-09: Azure, in order of preference: %s', (_name, text, identity) => {
    expect(read({ 'sops.azure-kv': text }).azure?.identity).toMatchObject(identity);
  });

  it("flux/DEC-09: Azure's document may be UTF-16 with a byte order mark, and name an authority", () => {
    const text = '{"tenantId":"t","clientId":"c","clientSecret":"s","authorityHost":"https://login.microsoftonline.us/"}';
    const little = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(text, 'utf16le')]);
    const big = Buffer.concat([Buffer.of(0xfe, 0xff), Buffer.from(text, 'utf16le').swap16()]);
    for (const bytes of [little, big, encoder.encode(text), encoder.encode(`\uFEFF${text}`)]) {
      expect(read({ 'sops.azure-kv': bytes }).azure).toMatchObject({
        identity: { kind: 'secret', tenantId: 't' },
        authorityHost: 'https://login.microsoftonline.us/',
      });
    }
  });

  it.each([
    ['sops.azure-kv', 'tenantId: t', "invalid data: requires a 'clientId' field"],
    ['sops.azure-kv', '[hunter2', 'neither YAML nor JSON'],
    ['sops.aws-kms', 'aws_access_key_id: hunter2', 'it needs aws_access_key_id and aws_secret_access_key'],
    ['sops.aws-kms', 'hunter2: [', 'neither YAML nor JSON'],
  ])('flux/DEC-12: %s that cannot be used is an error without its content', async (key, text, message) => {
    const error = await errorOf(() => read({ [key]: text }));
    expect(error).toMatchObject({ code: 'KEY_CREDENTIALS_INVALID', at: { file: key } });
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('hunter2');
    expect(error.cause).toBeUndefined();
  });

  it('c17: no SSH keys and no passphrase-protected files for tenants', async () => {
    for (const text of ['-----BEGIN OPENSSH PRIVATE KEY-----', 'age-encryption.org/v1\n']) {
      expect(await errorOf(() => read({ 'a.agekey': text }))).toMatchObject({ code: 'AGE_UNSUPPORTED', at: { file: 'a.agekey' } });
    }
  });
});

describe('preferCredentials', () => {
  it('flux/DEC-09: what the key Secret has beats workload identity, provider by provider', () => {
    const secret = read({ 'sops.aws-kms': 'aws_access_key_id: AKID\naws_secret_access_key: s' });
    const workload: Credentials = { aws: { ambient: false }, gcp: { ambient: false } };
    const own: Credentials = { gcp: { ambient: true }, vault: {} };
    const order = preferCredentials(secret, workload, own);
    expect([order.aws, order.gcp, order.vault, order.azure]).toEqual([secret.aws, workload.gcp, own.vault, undefined]);
  });
});

describe('Huawei Cloud KMS', () => {
  it('SOPS-28: is kept by name and refused by name', async () => {
    const id = 'tr-west-1:abc-def';
    expect(masterKeyOf('hckms', { key_id: id })).toMatchObject({ type: 'hckms', display: id, fields: { key_id: id } });
    expect(await huaweiKey(id).unwrap('x', {}, context)).toEqual({
      kind: 'not-mine',
      reason: 'Huawei Cloud KMS keys are not supported yet',
    });
    expect(await errorOf(() => huaweiKey(id).wrap(DATA_KEY, {}, context))).toMatchObject({ code: 'KEY_TYPE_UNSUPPORTED' });
  });
});

describe('age of wrapped keys', () => {
  const now = Date.parse('2026-07-01T00:00:00Z');

  it.each([
    ['2026-01-02T00:00:00Z', 'kms', false],
    ['2026-01-01T23:59:59Z', 'kms', true],
    ['2020-01-01T00:00:00Z', 'pgp', true],
    ['2020-01-01T00:00:00Z', 'age', false],
    ['nonsense', 'pgp', false],
    [undefined, 'pgp', false],
  ] as const)('c10: created %s, a key of type %s', (createdAt, type, due) => {
    expect(needsRotation(type, createdAt, now)).toBe(due);
  });

  it('is counted in milliseconds', () => {
    expect(wrappedKeyAge('2026-06-30T23:59:59Z', now)).toBe(1000);
    expect(wrappedKeyAge(undefined, now)).toBeUndefined();
  });
});
