import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { awsEndpoint } from './aws-client.ts';
import { sessionName } from './aws-session.ts';
import { awsKmsKey, legacyAwsContexts, masterKeyOf, type AwsCredentials, type AwsKeyFields, type Credentials } from './index.ts';
import { startFakeAws, type FakeAws } from './aws.fixture.ts';
import { bytesOf, context, contextWith, DATA_KEY, DATA_KEY_NUMBERS, errorOf } from './keys.fixture.ts';

const ARN = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const ROLE = 'arn:aws:iam::111122223333:role/sops';
const SECRET = 'not-a-real-secret-access-key';

let aws: FakeAws;
beforeAll(async () => {
  aws = await startFakeAws();
});
beforeEach(() => void aws.calls.splice(0));
afterAll(() => aws.close());

const credentials = (more: Partial<AwsCredentials> = {}): Credentials => ({
  aws: { keys: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: new Sensitive(SECRET) }, endpoint: aws.url, stsEndpoint: aws.url, ...more },
});
const roundTrip = async (fields: AwsKeyFields, given = credentials()): Promise<number[] | string> => {
  const key = awsKmsKey(fields);
  return bytesOf(await key.unwrap(await key.wrap(DATA_KEY, given, context), given, context));
};

describe('AWS KMS', () => {
  it('SOPS-24: wraps and unwraps with signed requests; the key id goes along both times', async () => {
    expect(await roundTrip({ arn: ARN })).toEqual(DATA_KEY_NUMBERS);
    expect(aws.calls.map(({ action, user, region, service }) => [action, user, region, service])).toEqual([
      ['Encrypt', 'AKIDEXAMPLE', 'eu-west-1', 'kms'],
      ['Decrypt', 'AKIDEXAMPLE', 'eu-west-1', 'kms'],
    ]);
    expect(aws.calls.map(({ input }) => [input['KeyId'], Object.keys(input).toSorted()])).toEqual([
      [ARN, ['KeyId', 'Plaintext']],
      [ARN, ['CiphertextBlob', 'KeyId']],
    ]);
  });

  it('SOPS-24: enc is standard base64 of the CiphertextBlob', async () => {
    const enc = await awsKmsKey({ arn: ARN }).wrap(DATA_KEY, credentials(), context);
    expect(Buffer.from(enc, 'base64').toString('base64')).toBe(enc);
    expect(Buffer.from(enc, 'base64')).toHaveLength(12 + 16 + 32);
  });

  it('SOPS-24: the encryption context is sent and binds', async () => {
    expect(await roundTrip({ arn: ARN, context: { env: 'prod', app: 'web' } })).toEqual(DATA_KEY_NUMBERS);
    expect(aws.calls.map(({ input }) => input['EncryptionContext'])).toEqual([
      { env: 'prod', app: 'web' },
      { env: 'prod', app: 'web' },
    ]);
    const enc = await awsKmsKey({ arn: ARN, context: { env: 'prod' } }).wrap(DATA_KEY, credentials(), context);
    const error = await errorOf(() => awsKmsKey({ arn: ARN, context: { env: 'dev' } }).unwrap(enc, credentials(), context));
    expect(error.code).toBe('KEY_WRAPPED_INVALID');
    expect(error.message).toContain('InvalidCiphertextException');
    expect(error.message).not.toContain(enc);
  });

  it('SOPS-24: a role is assumed with the session name of the host, and its keys sign', async () => {
    expect(await roundTrip({ arn: ARN, role: ROLE }, credentials({ hostname: 'build-7.example+x' }))).toEqual(DATA_KEY_NUMBERS);
    expect(aws.calls.map(({ action, user, service }) => [action, user, service])).toEqual([
      ['AssumeRole', 'AKIDEXAMPLE', 'sts'],
      ['Encrypt', 'ASIAROLE', 'kms'],
      ['AssumeRole', 'AKIDEXAMPLE', 'sts'],
      ['Decrypt', 'ASIAROLE', 'kms'],
    ]);
    expect(aws.calls[0]?.input).toMatchObject({ RoleArn: ROLE, RoleSessionName: 'sops@build7.examplex' });
  });

  it.each([
    ['host-1.example.com', 'sops@host1.example.com'],
    ['a b/c:d=e,f@g_h', 'sops@abcd=e,f@g_h'],
    ['x'.repeat(100), `sops@${'x'.repeat(59)}`],
  ])('SOPS-24: the session name of %s', (host, name) => {
    expect(sessionName(host)).toBe(name);
  });

  it('SOPS-24: keys of a session and of workload identity sign', async () => {
    aws.users.set('ASIASESSION', { secret: 'session-secret', token: 'session-token' });
    const keys = {
      accessKeyId: 'ASIASESSION',
      secretAccessKey: new Sensitive('session-secret'),
      sessionToken: new Sensitive('session-token'),
    };
    expect(await roundTrip({ arn: ARN }, { aws: { keys, endpoint: aws.url } })).toEqual(DATA_KEY_NUMBERS);
    expect(await roundTrip({ arn: ARN }, { aws: { provider: () => Promise.resolve(keys), endpoint: aws.url } })).toEqual(DATA_KEY_NUMBERS);
  });

  it.each([
    ['arn:aws:kms:us-east-2:1:alias/sops', 'us-east-2'],
    ['arn:aws-cn:kms:cn-north-1:1:key/a', 'cn-north-1'],
    ['arn:aws-us-gov:kms:us-gov-west-1:1:key/a/b', 'us-gov-west-1'],
  ])('SOPS-24: %s is signed for its region', async (arn, region) => {
    expect(await roundTrip({ arn })).toEqual(DATA_KEY_NUMBERS);
    expect(aws.calls.map((call) => call.region)).toEqual([region, region]);
  });

  it.each([
    ['aws', 'https://kms.eu-west-1.amazonaws.com'],
    ['aws-cn', 'https://kms.eu-west-1.amazonaws.com.cn'],
    ['aws-us-gov', 'https://kms.eu-west-1.amazonaws.com'],
    ['aws-iso-b', 'https://kms.eu-west-1.sc2s.sgov.gov'],
    ['aws-eusc', 'https://kms.eu-west-1.amazonaws.eu'],
  ])('SOPS-24: the partition %s has its own domain', (partition, url) => {
    expect(awsEndpoint('kms', { partition, region: 'eu-west-1' })).toBe(url);
  });

  it('goes to the region of the key when nothing else is said', async () => {
    const seen: string[] = [];
    const world = contextWith({
      fetch: (url) => {
        seen.push(String(url));
        return Promise.resolve(new Response('{}', { status: 500 }));
      },
    });
    const { keys } = credentials().aws ?? {};
    await errorOf(() => awsKmsKey({ arn: ARN, role: ROLE }).wrap(DATA_KEY, { aws: keys === undefined ? {} : { keys } }, world));
    await errorOf(() => awsKmsKey({ arn: ARN }).wrap(DATA_KEY, { aws: keys === undefined ? {} : { keys } }, world));
    expect(seen).toEqual(['https://sts.eu-west-1.amazonaws.com/', 'https://kms.eu-west-1.amazonaws.com/']);
  });

  it.each([
    '1234abcd',
    'arn:aws:s3:::bucket',
    'arn:aws:kms:eu-west-1:x:key/a',
    'arn:aws:kms:evil.example/:1:key/a',
    'arn:aws:kms:eu-west-1:1:secret/a',
    'arn:other:kms:eu-west-1:1:key/a',
  ])('SOPS-24: refuses %s before it sends anything', async (arn) => {
    expect((await errorOf(() => awsKmsKey({ arn }).wrap(DATA_KEY, credentials(), context))).code).toBe('KEY_ID_INVALID');
    expect((await errorOf(() => awsKmsKey({ arn }).unwrap('AAAA', credentials(), context))).code).toBe('KEY_ID_INVALID');
    expect(aws.calls).toEqual([]);
  });

  it('SOPS-24: display string and fields', () => {
    const fields = { arn: ARN, role: ROLE, context: { b: '2', a: '1' }, aws_profile: 'dev' };
    expect(masterKeyOf('kms', fields)).toMatchObject({ type: 'kms', display: `${ARN}+${ROLE}|a:1,b:2|dev`, fields });
    expect(awsKmsKey({ arn: ARN }).display).toBe(ARN);
    expect(awsKmsKey({ arn: ARN, profile: 'dev' }).display).toBe(`${ARN}||dev`);
  });

  it('is "not mine" without credentials, and wrapping says so', async () => {
    expect(await awsKmsKey({ arn: ARN }).unwrap('AAAA', {}, context)).toEqual({
      kind: 'not-mine',
      reason: 'no AWS credentials were given',
    });
    expect(await awsKmsKey({ arn: ARN }).unwrap('AAAA', { aws: {} }, context)).toEqual({
      kind: 'not-mine',
      reason: 'no AWS credentials were found',
    });
    expect((await errorOf(() => awsKmsKey({ arn: ARN }).wrap(DATA_KEY, {}, context))).code).toBe('KEY_CREDENTIALS_MISSING');
  });

  it.each([
    ['AccessDeniedException', 400, 'KEY_SERVICE_DENIED', false],
    ['NotFoundException', 400, 'KEY_UNAVAILABLE', false],
    ['DisabledException', 400, 'KEY_UNAVAILABLE', false],
    ['ThrottlingException', 400, 'KEY_SERVICE_THROTTLED', true],
    ['KMSInternalException', 500, 'KEY_SERVICE_BUSY', true],
    ['SomethingNew', 400, 'KEY_SERVICE_FAILED', false],
    ['SomethingNew', 503, 'KEY_SERVICE_BUSY', true],
  ])('SOPS-24: %s with status %i is %s', async (type, status, code, retry) => {
    aws.failNext = { status, type, message: `no, and your secret is ${SECRET}` };
    const error = await errorOf(() => awsKmsKey({ arn: ARN }).wrap(DATA_KEY, credentials(), context));
    expect(error).toMatchObject({ code, retry });
    expect(error.message).toContain(ARN);
    expect(error.message).toContain('your secret is ***');
    expect(error.cause).toBeUndefined();
    expect(aws.calls).toHaveLength(1);
  });

  it('a wrong secret is denied, an unreachable service can be tried again, bad base64 is neither', async () => {
    const wrong = credentials({ keys: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: new Sensitive('wrong-secret') } });
    expect((await errorOf(() => awsKmsKey({ arn: ARN }).wrap(DATA_KEY, wrong, context))).code).toBe('KEY_SERVICE_DENIED');
    const nowhere = credentials({ endpoint: 'http://127.0.0.1:1' });
    expect(await errorOf(() => awsKmsKey({ arn: ARN }).unwrap('AAAA', nowhere, context))).toMatchObject({
      code: 'KEY_SERVICE_UNREACHABLE',
      retry: true,
    });
    expect((await errorOf(() => awsKmsKey({ arn: ARN }).unwrap('A*A', credentials(), context))).code).toBe('KEY_WRAPPED_INVALID');
  });

  it('SOPS-24: the contexts of files before 3.3.0', () => {
    expect(legacyAwsContexts({ arn: ARN, context: { a: '1', b: '2', c: '1' } })).toEqual([
      { a: '1', b: '1', c: '1' },
      { a: '2', b: '2', c: '2' },
    ]);
    for (const context of [{}, { a: '1' }, { a: '1', b: '1' }]) expect(legacyAwsContexts({ arn: ARN, context })).toEqual([]);
  });

  it('stops with its signal', async () => {
    const stop = new AbortController();
    stop.abort();
    const error = await errorOf(() => awsKmsKey({ arn: ARN }).wrap(DATA_KEY, credentials(), { ...context, signal: stop.signal }));
    expect(error.code).toBe('ABORTED');
  });

  it("the profile of a file counts for the user's own chain only", async () => {
    expect(await roundTrip({ arn: ARN, profile: 'somebody-else' })).toEqual(DATA_KEY_NUMBERS);
  });
});
