import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { systemWorld } from '../../base/world/index.ts';
import type { Credentials } from '../../secrets/keys/index.ts';
import { ambientCredentials } from './credentials.ts';

const home = mkdtempSync(join(tmpdir(), 'sotto-credentials-'));
writeFileSync(join(home, 'file.json'), '{"type":"service_account"}');
writeFileSync(join(home, '.vault-token'), 'from-file\n');

afterAll(() => rmSync(home, { recursive: true }));

const ambient = (env: Record<string, string>): Promise<Credentials> =>
  ambientCredentials({ ...systemWorld(), cwd: home, env: { HOME: home, ...env } }, undefined);

/** Secrets laid open, so that they can be compared. */
function revealed(value: unknown): unknown {
  if (value instanceof Sensitive) return { secret: value.reveal() as string };
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, revealed(field)]));
}

describe('credentials of the surroundings', () => {
  const rows: [id: string, env: Record<string, string>, type: keyof Credentials, expected: object][] = [
    ['SOPS-23', {}, 'pgp', { gpg: { program: 'gpg', home: join(home, '.gnupg') } }],
    ['SOPS-23', { SOPS_GPG_EXEC: '/opt/gpg', GNUPGHOME: 'ring' }, 'pgp', { gpg: { program: '/opt/gpg', home: join(home, 'ring') } }],
    ['SOPS-24', {}, 'aws', { ambient: true }],
    ['SOPS-25', {}, 'gcp', { ambient: true, clientType: 'grpc' }],
    ['SOPS-25', { GOOGLE_CREDENTIALS: 'file.json' }, 'gcp', { json: { secret: '{"type":"service_account"}' }, trusted: true }],
    [
      'SOPS-25',
      { GOOGLE_CREDENTIALS: '{"a":1}', SOPS_GCP_KMS_CLIENT_TYPE: 'rest' },
      'gcp',
      { json: { secret: '{"a":1}' }, clientType: 'rest' },
    ],
    ['SOPS-25', { GOOGLE_OAUTH_ACCESS_TOKEN: 't', SOPS_GCP_KMS_ENDPOINT: 'e' }, 'gcp', { accessToken: { secret: 't' }, endpoint: 'e' }],
    ['SOPS-26', {}, 'azure', { identity: { kind: 'ambient' } }],
    ['SOPS-27', {}, 'vault', { token: { secret: 'from-file' }, allowList: 'all' }],
    [
      'SOPS-27',
      { VAULT_TOKEN: 't', VAULT_NAMESPACE: 'n', SOPS_HC_VAULT_ALLOWLIST: 'https://a, https://b', VAULT_SKIP_VERIFY: 'true' },
      'vault',
      { token: { secret: 't' }, namespace: 'n', allowList: ['https://a', 'https://b'], tls: { skipVerify: true } },
    ],
    [
      'SOPS-27',
      { SOPS_HC_VAULT_ALLOWLIST: 'none', VAULT_CACERT: 'file.json' },
      'vault',
      { allowList: 'none', tls: { ca: '{"type":"service_account"}' } },
    ],
  ];
  it.each(rows)('%s: %j gives %s', async (_id, env, type, expected) => {
    expect(revealed((await ambient(env))[type])).toMatchObject(expected);
  });

  it('SOPS-27: a certificate that was named and is missing is an error', async () => {
    await expect(ambient({ VAULT_CACERT: '/none' })).rejects.toThrow('VAULT_CACERT: cannot read "/none": ENOENT');
  });

  it('SOPS-21: plugins are looked for in PATH and do not get the identities of the environment', async () => {
    const { age } = await ambient({ PATH: '/a:/b', SOPS_AGE_KEY: 'AGE-SECRET-KEY-1', VAULT_TOKEN: 't', LANG: 'C' });
    expect(age?.identities).toEqual([]);
    expect(age?.plugins).toMatchObject({ path: ['/a', '/b'], env: { LANG: 'C' } });
    expect(age?.plugins?.env).not.toHaveProperty('SOPS_AGE_KEY');
    expect(age?.plugins?.env).not.toHaveProperty('VAULT_TOKEN');
  });
});
