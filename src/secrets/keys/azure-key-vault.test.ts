import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { CLIENT, CLIENT_SECRET, startFakeAzure, TENANT, thumbprint, VAULT, type FakeAzure } from './azure.fixture.ts';
import { testCertificate } from './certificates.fixture.ts';
import {
  azureKeyVaultKey,
  masterKeyOf,
  parseAzureKeyUrl,
  type AzureCredentials,
  type AzureIdentity,
  type Credentials,
  type KeyContext,
} from './index.ts';
import { bytesOf, contextWith, DATA_KEY, DATA_KEY_NUMBERS, errorOf } from './keys.fixture.ts';

let azure: FakeAzure;
let context: KeyContext;
beforeAll(async () => {
  azure = await startFakeAzure();
  context = contextWith({ fetch: azure.fetch });
});
beforeEach(() => {
  azure.calls.splice(0);
  azure.logins.splice(0);
  azure.challenge = undefined;
});
afterAll(() => azure.close());

const withSecret = (secret = CLIENT_SECRET): AzureIdentity => ({
  kind: 'secret',
  tenantId: TENANT,
  clientId: CLIENT,
  clientSecret: new Sensitive(secret),
});
const credentials = (identity: AzureIdentity = withSecret(), more: Partial<AzureCredentials> = {}): Credentials => ({
  azure: { identity, ...more },
});
const vaultCalls = (): string[] => azure.calls.filter((call) => call.includes('.vault.'));

describe('Azure Key Vault', () => {
  it('SOPS-26: wraps with the current version, records it, and unwraps with exactly that one', async () => {
    const key = azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' });
    expect(key.display).toBe(`${VAULT}/keys/sops/`);
    const given = credentials();
    const enc = await key.wrap(DATA_KEY, given, context);
    const version = azure.versions[1] ?? '';
    expect(key).toMatchObject({ display: `${VAULT}/keys/sops/${version}`, fields: { vault_url: VAULT, name: 'sops', version } });
    expect(bytesOf(await masterKeyOf('azure_kv', key.fields ?? {}).unwrap(enc, given, context))).toEqual(DATA_KEY_NUMBERS);
    expect(vaultCalls()).toEqual([
      'GET team.vault.azure.net/keys/sops/',
      'GET team.vault.azure.net/keys/sops/ +token',
      `POST team.vault.azure.net/keys/sops/${version}/encrypt +token`,
      `POST team.vault.azure.net/keys/sops/${version}/decrypt +token`,
    ]);
    const older = azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops', version: azure.versions[0] ?? '' });
    expect((await errorOf(() => older.unwrap(enc, given, context))).code).toBe('KEY_WRAPPED_INVALID');
  });

  it('SOPS-26: a version that is named is used, without looking another up', async () => {
    const version = azure.versions[0] ?? '';
    const key = azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops', version });
    const enc = await key.wrap(DATA_KEY, credentials(), context);
    expect(vaultCalls().some((call) => call.startsWith('GET'))).toBe(false);
    expect(bytesOf(await key.unwrap(enc, credentials(), context))).toEqual(DATA_KEY_NUMBERS);
  });

  it('SOPS-26: enc is base64url without padding', async () => {
    const enc = await azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' }).wrap(DATA_KEY, credentials(), context);
    expect(enc).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(Buffer.from(enc, 'base64url')).toHaveLength(256);
  });

  it.each([
    [`${VAULT}/keys/sops`, { vaultUrl: VAULT, name: 'sops', version: '' }],
    [`${VAULT}/keys/sops/`, { vaultUrl: VAULT, name: 'sops', version: '' }],
    [`${VAULT}/keys/sops/abc`, { vaultUrl: VAULT, name: 'sops', version: 'abc' }],
  ])('SOPS-26: the parts of %s', (url, parts) => {
    expect(parseAzureKeyUrl(url)).toEqual(parts);
  });

  it.each(['http://v/keys/a/b', 'https://v/secrets/a/b', 'https://u:p@v/keys/a/b', 'https://v/keys/', 'v/keys/a'])(
    'SOPS-26: refuses %s',
    async (url) => {
      expect((await errorOf(() => parseAzureKeyUrl(url))).code).toBe('KEY_ID_INVALID');
    },
  );

  it.each([
    ['a path in the vault', { vaultUrl: `${VAULT}/x`, name: 'sops', version: 'a' }],
    ['plain http', { vaultUrl: 'http://team.vault.azure.net', name: 'sops', version: 'a' }],
    ['a slash in the name', { vaultUrl: VAULT, name: 'sops/x', version: 'a' }],
    ['dots in the version', { vaultUrl: VAULT, name: 'sops', version: '..' }],
  ])('refuses fields of a file that lead elsewhere: %s', async (_name, fields) => {
    expect((await errorOf(() => azureKeyVaultKey(fields).unwrap('AAAA', credentials(), context))).code).toBe('KEY_ID_INVALID');
    expect(azure.calls).toEqual([]);
  });

  it('SOPS-26, flux/DEC-09: a client secret logs in once for several calls', async () => {
    const given = credentials();
    const key = azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' });
    const enc = await key.wrap(DATA_KEY, given, context);
    await key.unwrap(enc, given, context);
    expect(azure.logins.map((form) => [form.get('grant_type'), form.get('scope')?.split(' ')[0]])).toEqual([
      ['client_credentials', 'https://vault.azure.net/.default'],
    ]);
  });

  it('SOPS-26: a client certificate signs an assertion; the chain goes along when asked for', async () => {
    const { certificate, key } = await testCertificate('rsa');
    const identity = (sendChain: boolean): AzureIdentity => ({
      kind: 'certificate',
      tenantId: TENANT,
      clientId: CLIENT,
      certificate: new Sensitive(key + certificate),
      sendChain,
    });
    for (const sendChain of [false, true])
      await azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' }).wrap(DATA_KEY, credentials(identity(sendChain)), context);
    const headers = azure.logins.map(
      (form) =>
        JSON.parse(Buffer.from((form.get('client_assertion') ?? '').split('.')[0] ?? '', 'base64url').toString()) as Record<
          string,
          unknown
        >,
    );
    expect(headers.map((header) => [header['x5t#S256'], 'x5c' in header])).toEqual([
      [thumbprint(certificate), false],
      [thumbprint(certificate), true],
    ]);
  });

  it('workload identity gives a token for the scope of the challenge', async () => {
    const scopes: string[] = [];
    const identity: AzureIdentity = {
      kind: 'token',
      token: (scope) => Promise.resolve(new Sensitive(scopes.push(scope) > 0 ? 'not-a-real-azure-token' : '')),
    };
    await azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' }).wrap(DATA_KEY, credentials(identity), context);
    expect(new Set(scopes)).toEqual(new Set(['https://vault.azure.net/.default']));
  });

  it('flux/DEC-09: a client id alone is the managed identity of the machine', async () => {
    const asked: string[] = [];
    const world = contextWith({
      fetch: (url, init) => {
        if (!String(url).startsWith('http://169.254.169.254/')) return azure.fetch(url, init);
        asked.push(new URL(url).searchParams.get('client_id') ?? '');
        const token = {
          access_token: 'not-a-real-azure-token',
          expires_on: '4102444800',
          resource: 'https://vault.azure.net',
          token_type: 'Bearer',
        };
        return Promise.resolve(Response.json(token));
      },
    });
    const given = credentials({ kind: 'managed', clientId: CLIENT });
    expect(await azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' }).wrap(DATA_KEY, given, world)).toMatch(/^[\w-]{342}$/);
    expect(new Set(asked)).toEqual(new Set([CLIENT]));
  });

  it('an authority of ones own is asked', async () => {
    await azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' }).wrap(
      DATA_KEY,
      credentials(withSecret(), { authorityHost: 'https://login.example' }),
      context,
    );
    expect(azure.calls.filter((call) => !call.includes('.vault.')).every((call) => call.includes(' login.example/'))).toBe(true);
    expect(azure.logins).toHaveLength(1);
  });

  it.each([
    'Bearer authorization="https://login.microsoftonline.com/x", resource="https://management.azure.com"',
    'Bearer authorization="https://login.microsoftonline.com/x", resource="https://team.vault.azure.net.evil.example"',
    'Bearer scope="https://graph.microsoft.com/.default"',
    'Bearer authorization="https://login.microsoftonline.com/x"',
    'Bearer resource="https://"',
  ])('asks for no token when the challenge names another domain: %s', async (challenge) => {
    azure.challenge = challenge;
    const error = await errorOf(() => azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' }).wrap(DATA_KEY, credentials(), context));
    expect(error.message).toContain('another domain than its own');
    expect(azure.logins).toEqual([]);
  });

  it('a wrong client secret is denied, and not repeated', async () => {
    const error = await errorOf(() =>
      azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' }).wrap(DATA_KEY, credentials(withSecret('wrong-secret-value')), context),
    );
    expect(error).toMatchObject({ code: 'KEY_SERVICE_DENIED' });
    expect(error.message).not.toContain('wrong-secret-value');
    expect(error.message).toContain('AADSTS7000215');
  });

  it.each([
    [403, 'Forbidden', 'KEY_SERVICE_DENIED', false],
    [404, 'KeyNotFound', 'KEY_UNAVAILABLE', false],
    [429, 'Throttled', 'KEY_SERVICE_THROTTLED', true],
    [503, 'ServiceUnavailable', 'KEY_SERVICE_BUSY', true],
    [400, 'BadParameter', 'KEY_WRAPPED_INVALID', false],
  ])('SOPS-26: status %i', async (status, code, expected, retry) => {
    const given = credentials();
    const key = azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops', version: azure.versions[0] ?? '' });
    azure.failNext = { status, code, message: 'no, and you sent BBBBBBBB' };
    const error = await errorOf(() => key.unwrap('BBBBBBBB', given, context));
    expect(error).toMatchObject({ code: expected, retry });
    expect(error.message).toContain(`${code}: no, and you sent ***`);
  });

  it('is "not mine" without credentials', async () => {
    const key = azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops', version: 'a' });
    expect(await key.unwrap('AAAA', {}, context)).toEqual({ kind: 'not-mine', reason: 'no Azure credentials were given' });
    expect((await errorOf(() => key.wrap(DATA_KEY, {}, context))).code).toBe('KEY_CREDENTIALS_MISSING');
    expect((await errorOf(() => key.unwrap('AA=A', credentials(), context))).code).toBe('KEY_WRAPPED_INVALID');
    const offline = contextWith({
      fetch: () => Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }) })),
    });
    expect(await errorOf(() => key.unwrap('AAAA', credentials(), offline))).toMatchObject({ code: 'KEY_SERVICE_UNREACHABLE', retry: true });
  });
});
