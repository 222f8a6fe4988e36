import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { startFakeGrpc, startFakeRest, type FakeGcp } from './gcp.fixture.ts';
import { gcpKmsKey, masterKeyOf, type Credentials, type GcpCredentials } from './index.ts';
import { bytesOf, context, DATA_KEY, DATA_KEY_NUMBERS, errorOf } from './keys.fixture.ts';

const ID = 'projects/test-project/locations/global/keyRings/sops/cryptoKeys/main';
const TOKEN = 'ya29.not-a-real-token';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const document = {
  type: 'service_account',
  client_email: 'sops@test-project.iam.gserviceaccount.com',
  private_key_id: 'abc',
  private_key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }),
};

/** A token that the key of the document signed, for the service. */
function isSelfSigned(authorization: string): boolean {
  const [head = '', claims = '', signature = ''] = authorization.replace('Bearer ', '').split('.');
  const { iss } = JSON.parse(Buffer.from(claims, 'base64url').toString() || '{}') as { iss?: string };
  const key = createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' }));
  return iss === document.client_email && verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'));
}

let rest: FakeGcp;
let grpc: FakeGcp;
beforeAll(async () => {
  [rest, grpc] = await Promise.all([startFakeRest((header) => header === `Bearer ${TOKEN}` || isSelfSigned(header)), startFakeGrpc()]);
});
beforeEach(() => {
  rest.calls.splice(0);
  grpc.calls.splice(0);
});
afterAll(() => Promise.all([rest.close(), grpc.close()]));

const overRest = (more: Partial<GcpCredentials> = { accessToken: new Sensitive(TOKEN) }): Credentials => ({
  gcp: { clientType: 'rest', endpoint: rest.endpoint, ...more },
});
const overGrpc = (): Credentials => ({ gcp: { endpoint: grpc.endpoint, accessToken: new Sensitive(TOKEN) } });
const roundTrip = async (given: Credentials): Promise<number[] | string> => {
  const key = gcpKmsKey(ID);
  return bytesOf(await key.unwrap(await key.wrap(DATA_KEY, given, context), given, context));
};

describe('GCP KMS', () => {
  it('SOPS-25: wraps and unwraps over REST', async () => {
    expect(await roundTrip(overRest())).toEqual(DATA_KEY_NUMBERS);
    expect(rest.calls).toEqual(['encrypt', 'decrypt'].map((action) => ({ action, name: ID, authorization: `Bearer ${TOKEN}` })));
    expect(grpc.calls).toEqual([]);
  });

  it('SOPS-25: wraps and unwraps over gRPC, which is the default', async () => {
    expect(await roundTrip(overGrpc())).toEqual(DATA_KEY_NUMBERS);
    expect(grpc.calls).toEqual(['encrypt', 'decrypt'].map((action) => ({ action, name: ID, authorization: `Bearer ${TOKEN}` })));
    expect(rest.calls).toEqual([]);
  });

  it('SOPS-25: enc is standard base64 of the ciphertext', async () => {
    const reversed = Buffer.from(DATA_KEY.reveal().toReversed()).toString('base64');
    expect(await gcpKmsKey(ID).wrap(DATA_KEY, overRest(), context)).toBe(reversed);
    expect(await gcpKmsKey(ID).wrap(DATA_KEY, overGrpc(), context)).toBe(reversed);
  });

  it('SOPS-25: a service account key signs by itself; workload identity gives a token for every call', async () => {
    expect(await roundTrip(overRest({ json: new Sensitive(JSON.stringify(document)) }))).toEqual(DATA_KEY_NUMBERS);
    let asked = 0;
    const tokenSource = () => Promise.resolve(new Sensitive(++asked > 0 ? TOKEN : ''));
    expect(await roundTrip(overRest({ tokenSource }))).toEqual(DATA_KEY_NUMBERS);
    expect(asked).toBe(2);
  });

  it.each([
    ['a key version', `${ID}/cryptoKeyVersions/1`],
    ['only a part', 'projects/p/locations/l/keyRings/r'],
    ['a leading slash', `/${ID}`],
    ['an empty part', 'projects//locations/l/keyRings/r/cryptoKeys/k'],
    ['blanks', 'projects/p q/locations/l/keyRings/r/cryptoKeys/k'],
  ])('SOPS-25: refuses a resource id with %s', async (_name, id) => {
    expect((await errorOf(() => gcpKmsKey(id).wrap(DATA_KEY, overRest(), context))).code).toBe('KEY_ID_INVALID');
    expect((await errorOf(() => gcpKmsKey(id).unwrap('AAAA', overRest(), context))).code).toBe('KEY_ID_INVALID');
    expect(rest.calls).toEqual([]);
  });

  it('SOPS-25: metadata fields and display string', () => {
    expect(masterKeyOf('gcp_kms', { resource_id: ID })).toMatchObject({ type: 'gcp_kms', display: ID, fields: { resource_id: ID } });
  });

  it.each([
    [3, 'KEY_WRAPPED_INVALID', false],
    [5, 'KEY_UNAVAILABLE', false],
    [7, 'KEY_SERVICE_DENIED', false],
    [8, 'KEY_SERVICE_THROTTLED', true],
    [9, 'KEY_UNAVAILABLE', false],
    [14, 'KEY_SERVICE_UNREACHABLE', true],
    [16, 'KEY_SERVICE_DENIED', false],
  ])('SOPS-25: status %i, over REST and gRPC', async (code, expected, retry) => {
    for (const [server, given] of [
      [rest, overRest()],
      [grpc, overGrpc()],
    ] as const) {
      server.failNext = { code, message: 'no, and you sent BBBBBBBB' };
      const error = await errorOf(() => gcpKmsKey(ID).unwrap('BBBBBBBB', given, context));
      expect(error).toMatchObject({ code: expected, retry });
      expect(error.message).toContain('you sent ***');
      expect(error.cause).toBeUndefined();
      expect(server.calls).toHaveLength(1);
    }
  });

  it('an unreachable service can be tried again; bad base64 cannot', async () => {
    const nowhere = overRest({ accessToken: new Sensitive(TOKEN), endpoint: 'http://127.0.0.1:1' });
    expect(await errorOf(() => gcpKmsKey(ID).wrap(DATA_KEY, nowhere, context))).toMatchObject({
      code: 'KEY_SERVICE_UNREACHABLE',
      retry: true,
    });
    expect((await errorOf(() => gcpKmsKey(ID).unwrap('A*', overRest(), context))).code).toBe('KEY_WRAPPED_INVALID');
  });

  it.each(['external_account', 'impersonated_service_account', 'gdch_service_account', '', 'x'])(
    'flux/DEC-09: a document of type %j cannot make this program read its own files or call addresses',
    async (type) => {
      const json = new Sensitive(
        JSON.stringify({
          type,
          audience: 'a',
          subject_token_type: 't',
          token_url: 'http://127.0.0.1:1',
          credential_source: { file: '/etc/passwd' },
        }),
      );
      expect((await errorOf(() => gcpKmsKey(ID).wrap(DATA_KEY, overRest({ json }), context))).code).toBe('KEY_CREDENTIALS_INVALID');
    },
  );

  it('never quotes a document that is no JSON, and sends no token in the clear', async () => {
    const error = await errorOf(() => gcpKmsKey(ID).wrap(DATA_KEY, overRest({ json: new Sensitive('not-json-but-secret') }), context));
    expect(error).toMatchObject({ code: 'KEY_CREDENTIALS_INVALID', message: 'the GCP credentials are no JSON document' });
    const plain = overRest({ accessToken: new Sensitive(TOKEN), endpoint: 'http://kms.example' });
    expect((await errorOf(() => gcpKmsKey(ID).wrap(DATA_KEY, plain, context))).message).toContain('must use https');
  });

  it('is "not mine" without credentials', async () => {
    expect(await gcpKmsKey(ID).unwrap('AAAA', {}, context)).toEqual({ kind: 'not-mine', reason: 'no GCP credentials were given' });
    expect(await gcpKmsKey(ID).unwrap('AAAA', { gcp: {} }, context)).toEqual({ kind: 'not-mine', reason: 'no GCP credentials were found' });
    expect((await errorOf(() => gcpKmsKey(ID).wrap(DATA_KEY, {}, context))).code).toBe('KEY_CREDENTIALS_MISSING');
    expect((await errorOf(() => gcpKmsKey(ID).wrap(DATA_KEY, { gcp: {} }, context))).code).toBe('KEY_CREDENTIALS_MISSING');
  });
});
