/** What the SDKs find by themselves is used only when credentials say `ambient`. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { startFakeAws, type FakeAws } from './aws.fixture.ts';
import { CLIENT, CLIENT_SECRET, startFakeAzure, TENANT, VAULT, type FakeAzure } from './azure.fixture.ts';
import { startFakeRest, type FakeGcp } from './gcp.fixture.ts';
import { awsKmsKey, azureKeyVaultKey, gcpKmsKey } from './index.ts';
import { context, contextWith, DATA_KEY, errorOf } from './keys.fixture.ts';

const ARN = 'arn:aws:kms:eu-west-1:111122223333:key/a';
const ID = 'projects/p/locations/l/keyRings/r/cryptoKeys/k';
let folder: string;
let aws: FakeAws;
let azure: FakeAzure;
let gcp: FakeGcp;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-ambient-'));
  [aws, azure, gcp] = await Promise.all([startFakeAws(), startFakeAzure(), startFakeRest((header) => header.startsWith('Bearer '))]);
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all([aws.close(), azure.close(), gcp.close()]);
});

function stub(env: Record<string, string>): void {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
}

/** Nothing of the machine that runs the test shall be found. */
function clean(): void {
  stub({
    HOME: folder,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(folder, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    METADATA_SERVER_DETECTION: 'none',
    CLOUDSDK_CONFIG: folder,
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
  });
}

describe('AWS', () => {
  const ambient = () => ({ aws: { ambient: true, endpoint: aws.url } });

  it('SOPS-24: the chain of the SDK: environment, or the profile of the file', async () => {
    clean();
    stub({ AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-real-secret-access-key' });
    await awsKmsKey({ arn: ARN }).wrap(DATA_KEY, ambient(), context);
    aws.users.set('AKIDPROFILE', { secret: 'profile-secret' });
    writeFileSync(join(folder, 'shared'), '[dev]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = profile-secret\n');
    stub({ AWS_SHARED_CREDENTIALS_FILE: join(folder, 'shared') });
    await awsKmsKey({ arn: ARN, profile: 'dev' }).wrap(DATA_KEY, ambient(), context);
    expect(aws.calls.map(({ user }) => user)).toEqual(['AKIDEXAMPLE', 'AKIDPROFILE']);
  });

  it('finds nothing: "not mine"; a profile that is not there is an error', async () => {
    clean();
    expect(await awsKmsKey({ arn: ARN }).unwrap('AAAA', ambient(), context)).toEqual({
      kind: 'not-mine',
      reason: 'no AWS credentials were found',
    });
    expect((await errorOf(() => awsKmsKey({ arn: ARN, profile: 'gone' }).unwrap('AAAA', ambient(), context))).code).toBe(
      'KEY_SERVICE_DENIED',
    );
  });

  it('SOPS-71: credentials that were given see nothing of the environment', async () => {
    stub({
      AWS_ENDPOINT_URL: aws.url,
      AWS_ENDPOINT_URL_KMS: aws.url,
      AWS_REGION: 'us-east-1',
      AWS_PROFILE: 'gone',
      AWS_USE_FIPS_ENDPOINT: 'true',
    });
    stub({ AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-real-secret-access-key' });
    const urls: string[] = [];
    const world = contextWith({
      fetch: (url, init) => {
        urls.push(`${String(url)} ${/Credential=([^/]+)/.exec(new Headers(init?.headers).get('authorization') ?? '')?.[1]}`);
        return Promise.resolve(new Response('{}', { status: 500 }));
      },
    });
    const keys = { accessKeyId: 'AKIDTENANT', secretAccessKey: new Sensitive('tenant-secret') };
    await errorOf(() => awsKmsKey({ arn: ARN }).wrap(DATA_KEY, { aws: { keys } }, world));
    expect(urls).toEqual(['https://kms.eu-west-1.amazonaws.com/ AKIDTENANT']);
    expect((await awsKmsKey({ arn: ARN }).unwrap('AAAA', { aws: {} }, world)).kind).toBe('not-mine');
  });
});

describe('GCP', () => {
  const ambient = () => ({ gcp: { ambient: true, clientType: 'rest', endpoint: gcp.endpoint } }) as const;

  it('SOPS-25: application default credentials', async () => {
    clean();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const document = { type: 'service_account', client_email: 'a@b', private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) };
    writeFileSync(join(folder, 'gcp.json'), JSON.stringify(document));
    stub({ GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'gcp.json') });
    await gcpKmsKey(ID).wrap(DATA_KEY, ambient(), context);
    const claims = Buffer.from(gcp.calls[0]?.authorization.split('.')[1] ?? '', 'base64url').toString();
    expect(JSON.parse(claims)).toMatchObject({ iss: 'a@b' });
  });

  it('finds nothing: "not mine"', async () => {
    clean();
    expect(await gcpKmsKey(ID).unwrap('AAAA', ambient(), context)).toEqual({ kind: 'not-mine', reason: 'no GCP credentials were found' });
  });
});

describe('Azure', () => {
  const ambient = { azure: { identity: { kind: 'ambient' } } } as const;

  it('SOPS-26: the default chain', async () => {
    clean();
    stub({ AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID: CLIENT, AZURE_CLIENT_SECRET: CLIENT_SECRET });
    const world = contextWith({ fetch: azure.fetch });
    expect(await azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' }).wrap(DATA_KEY, { ...ambient }, world)).toMatch(/^[\w-]{342}$/);
  });

  it('finds nothing: "not mine"', async () => {
    clean();
    const world = contextWith({ fetch: azure.fetch });
    const key = azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops', version: 'a' });
    const credentials = { azure: { identity: { kind: 'ambient' } } } as const;
    expect(await key.unwrap('AAAA', credentials, world)).toEqual({ kind: 'not-mine', reason: 'no Azure credentials were found' });
  });
});
