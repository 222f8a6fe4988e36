import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { testCertificate, type TestCertificate } from './certificates.fixture.ts';
import {
  kubernetesVaultLogin,
  masterKeyOf,
  parseVaultUri,
  vaultTransitKey,
  type Credentials,
  type MasterKey,
  type VaultCredentials,
} from './index.ts';
import { bytesOf, context, DATA_KEY, DATA_KEY_NUMBERS, errorOf } from './keys.fixture.ts';
import { startFakeVault, type FakeVault } from './vault.fixture.ts';

const TOKEN = 's.not-a-real-token';

let vault: FakeVault;
let other: FakeVault;
beforeAll(async () => {
  [vault, other] = await Promise.all([startFakeVault(TOKEN), startFakeVault(TOKEN)]);
});
beforeEach(() => {
  vault.calls.splice(0);
  other.calls.splice(0);
});
afterAll(() => Promise.all([vault.close(), other.close()]));

const credentials = (more: Partial<VaultCredentials> = {}): Credentials => ({ vault: { token: new Sensitive(TOKEN), ...more } });
const keyAt = (address: string, enginePath = 'sops', keyName = 'main'): MasterKey => vaultTransitKey({ address, enginePath, keyName });
const roundTrip = async (key: MasterKey, given: Credentials): Promise<number[] | string> =>
  bytesOf(await key.unwrap(await key.wrap(DATA_KEY, given, context), given, context));

describe('Vault and OpenBao transit', () => {
  it('SOPS-27: wraps and unwraps by writing to encrypt and decrypt below the engine', async () => {
    expect(await roundTrip(keyAt(vault.address, 'team a/transit', 'key.1'), credentials())).toEqual(DATA_KEY_NUMBERS);
    expect(vault.calls.map(({ method, path, token }) => [method, path, token])).toEqual([
      ['PUT', '/v1/team%20a/transit/encrypt/key.1', TOKEN],
      ['PUT', '/v1/team%20a/transit/decrypt/key.1', TOKEN],
    ]);
    expect(vault.calls[0]?.body).toEqual({ plaintext: Buffer.from(DATA_KEY.reveal()).toString('base64') });
    expect(Object.keys(vault.calls[1]?.body ?? {})).toEqual(['ciphertext']);
  });

  it('SOPS-27: enc is the text of the service', async () => {
    expect(await keyAt(vault.address).wrap(DATA_KEY, credentials(), context)).toMatch(/^vault:v3:[=A-Za-z0-9+/]+$/);
  });

  it('SOPS-27: a namespace travels as a header', async () => {
    await roundTrip(keyAt(vault.address), credentials({ namespace: 'team/a' }));
    expect(vault.calls.map(({ namespace }) => namespace)).toEqual(['team/a', 'team/a']);
  });

  it.each([
    ['https://vault.example:8200/v1/sops/keys/main', { address: 'https://vault.example:8200', enginePath: 'sops', keyName: 'main' }],
    ['http://v/v1/a/b/keys/c/keys/main', { address: 'http://v', enginePath: 'a/b/keys/c', keyName: 'main' }],
  ])('SOPS-27: the parts of %s', (uri, parts) => {
    expect(parseVaultUri(uri)).toEqual(parts);
    expect(vaultTransitKey(parts).display).toBe(uri);
  });

  it.each([
    'vault.example/v1/sops/keys/main',
    'https://v/prefix/v1/sops/keys/main',
    'https://v/v1/sops/main',
    'https://v/v1/keys/main',
    'https://u:p@v/v1/sops/keys/main',
    'https://v/v1/sops/keys/main?x=1',
  ])('SOPS-27: refuses %s', async (uri) => {
    expect((await errorOf(() => parseVaultUri(uri))).code).toBe('KEY_ID_INVALID');
  });

  it.each([
    ['a dot segment in the engine', '../sys', 'main'],
    ['an encoded slash is no way out', 'sops', '..'],
    ['an empty engine', '', 'main'],
    ['a slash in the name', 'sops', 'a/b'],
  ])('refuses fields of a file that lead elsewhere: %s', async (_name, engine, name) => {
    expect((await errorOf(() => keyAt(vault.address, engine, name).wrap(DATA_KEY, credentials(), context))).code).toBe('KEY_ID_INVALID');
    expect(vault.calls).toEqual([]);
  });

  it('SOPS-27: metadata fields and display string', () => {
    const fields = { engine_path: 'sops', key_name: 'main', vault_address: 'https://v' };
    expect(masterKeyOf('hc_vault', fields)).toMatchObject({ type: 'hc_vault', display: 'https://v/v1/sops/keys/main', fields });
  });

  const lists: [name: string, list: () => NonNullable<VaultCredentials['allowList']>, isAllowed: boolean][] = [
    ['all', () => 'all', true],
    ['none', () => 'none', false],
    ['the address', () => [vault.address], true],
    ['the address with a slash', () => [`${vault.address}/`], true],
    ['another address', () => ['http://127.0.0.1'], false],
    ['a prefix of the port', () => [vault.address.slice(0, -1)], false],
    ['an empty list', () => [], false],
  ];
  it.each(lists)('SOPS-27: the allow-list decides where the token goes: %s', async (_name, list, isAllowed) => {
    const given = credentials({ allowList: list() });
    if (isAllowed) expect(await roundTrip(keyAt(vault.address), given)).toEqual(DATA_KEY_NUMBERS);
    else {
      expect((await errorOf(() => keyAt(vault.address).wrap(DATA_KEY, given, context))).code).toBe('VAULT_ADDRESS_NOT_ALLOWED');
      expect((await errorOf(() => keyAt(vault.address).unwrap('vault:v1:x', given, context))).code).toBe('VAULT_ADDRESS_NOT_ALLOWED');
      expect(vault.calls).toEqual([]);
    }
  });

  it('follows one redirect of a standby, and never to where the token must not go', async () => {
    vault.failures.push({ status: 307, location: `${other.address}/v1/sops/encrypt/main` });
    expect(await keyAt(vault.address).wrap(DATA_KEY, credentials(), context)).toMatch(/^vault:v3:/);
    expect(other.calls).toHaveLength(1);
    vault.failures.push({ status: 307, location: `${other.address}/v1/sops/encrypt/main` });
    const error = await errorOf(() => keyAt(vault.address).wrap(DATA_KEY, credentials({ allowList: [vault.address] }), context));
    expect(error.message).toContain('redirects to');
    expect(other.calls).toHaveLength(1);
  });

  it.each([
    [403, ['permission denied'], 'KEY_SERVICE_DENIED', false],
    [404, [], 'KEY_UNAVAILABLE', false],
    [400, ['encryption key not found'], 'KEY_WRAPPED_INVALID', false],
    [429, [], 'KEY_SERVICE_THROTTLED', true],
    [503, ['Vault is sealed'], 'KEY_SERVICE_BUSY', true],
  ])('SOPS-27: status %i', async (status, errors, code, retry) => {
    vault.failures.push({ status, errors });
    const error = await errorOf(() => keyAt(vault.address).unwrap('vault:v1:abcdef', credentials(), context));
    expect(error).toMatchObject({ code, retry });
    expect(error.message).toContain(errors[0] ?? `status ${status}`);
  });

  it('never repeats token, plaintext or ciphertext', async () => {
    const denied = await errorOf(() =>
      keyAt(vault.address).unwrap('vault:v1:abcdef', { vault: { token: new Sensitive('s.wrong-token') } }, context),
    );
    expect(denied).toMatchObject({ code: 'KEY_SERVICE_DENIED' });
    expect(denied.message).toContain('token ***');
    expect(denied.message).not.toContain('s.wrong-token');
    const invalid = await errorOf(() => keyAt(vault.address).unwrap('vault:v1:abcdef', credentials(), context));
    expect(invalid.message).toContain('invalid ciphertext: ***');
  });

  it('is "not mine" without a token', async () => {
    expect(await keyAt(vault.address).unwrap('vault:v1:x', {}, context)).toEqual({
      kind: 'not-mine',
      reason: 'no Vault credentials were given',
    });
    const none = await keyAt(vault.address).unwrap('vault:v1:x', { vault: {} }, context);
    expect(none).toEqual({ kind: 'not-mine', reason: `there is no Vault token for ${vault.address}` });
    expect((await errorOf(() => keyAt(vault.address).wrap(DATA_KEY, { vault: {} }, context))).code).toBe('KEY_CREDENTIALS_MISSING');
    expect((await errorOf(() => keyAt(vault.address).unwrap('nonsense', credentials(), context))).code).toBe('KEY_WRAPPED_INVALID');
    expect(await errorOf(() => keyAt('http://127.0.0.1:1').wrap(DATA_KEY, credentials(), context))).toMatchObject({
      code: 'KEY_SERVICE_UNREACHABLE',
      retry: true,
    });
  });
});

describe('TLS towards Vault', () => {
  let server: FakeVault;
  let own: TestCertificate;
  let client: TestCertificate;
  beforeAll(async () => {
    [own, client] = await Promise.all([testCertificate(), testCertificate()]);
    server = await startFakeVault(TOKEN, {
      cert: own.certificate,
      key: own.key,
      ca: client.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
  });
  afterAll(() => server.close());

  it('SOPS-27: an authority and a client certificate of ones own', async () => {
    const tls = { ca: own.certificate, cert: client.certificate, key: new Sensitive(client.key) };
    expect(await roundTrip(keyAt(server.address), credentials({ tls }))).toEqual(DATA_KEY_NUMBERS);
    expect(await roundTrip(keyAt(server.address), credentials({ tls: { ...tls, serverName: 'example.invalid' } }))).toEqual(
      DATA_KEY_NUMBERS,
    );
  });

  it.each([
    ['an unknown authority', () => ({ cert: client.certificate, key: new Sensitive(client.key) })],
    ['no client certificate', () => ({ ca: own.certificate })],
    [
      'another name',
      () => ({ ca: own.certificate, cert: client.certificate, key: new Sensitive(client.key), serverName: 'other.invalid' }),
    ],
  ])('SOPS-27: refuses %s', async (_name, tls) => {
    const error = await errorOf(() => keyAt(server.address).wrap(DATA_KEY, credentials({ tls: tls() }), context));
    expect(error.code).toBe('KEY_SERVICE_UNREACHABLE');
  });

  it('skips verification only when told to', async () => {
    const tls = { skipVerify: true, cert: client.certificate, key: new Sensitive(client.key) };
    expect(await roundTrip(keyAt(server.address), credentials({ tls }))).toEqual(DATA_KEY_NUMBERS);
  });
});

describe('Kubernetes login', () => {
  const jwt = (claims: unknown): Sensitive<string> =>
    new Sensitive(['{}', JSON.stringify(claims), 'sig'].map((part) => Buffer.from(part).toString('base64url')).join('.'));
  const reader = jwt({ 'kubernetes.io': { namespace: 'apps', serviceaccount: { name: 'reader' } } });
  const loginWith = (token: Sensitive<string>, audiences: string[] = []): Credentials => ({
    vault: {
      tokenFor: kubernetesVaultLogin({
        instances: [{ address: `${vault.address}/`, loginPath: 'auth/kubernetes/login' }],
        serviceAccountToken: (audience) => Promise.resolve(audiences.push(audience) > 0 ? token : token),
        context,
      }),
    },
  });

  it('flux/DEC-10: logs in once per address, with the role of the token, for the address as audience', async () => {
    const audiences: string[] = [];
    const given = loginWith(reader, audiences);
    expect(await roundTrip(keyAt(vault.address), given)).toEqual(DATA_KEY_NUMBERS);
    expect(audiences).toEqual([`${vault.address}/`]);
    expect(vault.calls.map(({ path }) => path)).toEqual(['/v1/auth/kubernetes/login', '/v1/sops/encrypt/main', '/v1/sops/decrypt/main']);
    expect(vault.calls[0]?.body).toEqual({ role: 'apps_reader', jwt: reader.reveal() });
    expect(vault.calls[0]?.token).toBe('');
  });

  it('flux/DEC-10: never contacts an address that is not listed', async () => {
    const result = await keyAt(other.address).unwrap('vault:v3:x', loginWith(reader), context);
    expect(result.kind).toBe('not-mine');
    expect(other.calls).toEqual([]);
  });

  it('a refused login is an error without the token, and is tried again next time', async () => {
    const given = loginWith(jwt({ 'kubernetes.io': { namespace: 'apps', serviceaccount: { name: 'writer' } } }));
    for (const _time of ['first', 'second']) {
      const error = await errorOf(() => keyAt(vault.address).wrap(DATA_KEY, given, context));
      expect(error).toMatchObject({ code: 'KEY_SERVICE_DENIED' });
    }
    expect(vault.calls).toHaveLength(2);
    expect((await errorOf(() => keyAt(vault.address).wrap(DATA_KEY, loginWith(new Sensitive('abc')), context))).message).toContain(
      'not that of a ServiceAccount',
    );
  });
});
