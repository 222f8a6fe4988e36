import { afterAll, beforeAll, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { systemEntropy, virtualWorld, type Fetch } from '../../base/world/index.ts';
import { startFakeAws, type FakeAws } from './aws.fixture.ts';
import { CLIENT, CLIENT_SECRET, startFakeAzure, TENANT, VAULT, type FakeAzure } from './azure.fixture.ts';
import {
  awsKmsKey,
  ageKey,
  azureKeyVaultKey,
  parseAgeIdentityFile,
  pgpKey,
  vaultTransitKey,
  type Credentials,
  type MasterKey,
} from './index.ts';
import { bytesOf, context, contextWith, DATA_KEY, DATA_KEY_NUMBERS, vector, vectorBytes } from './keys.fixture.ts';
import { startFakeVault, type FakeVault } from './vault.fixture.ts';

let aws: FakeAws;
let vault: FakeVault;
let azure: FakeAzure;
beforeAll(async () => {
  [aws, vault, azure] = await Promise.all([startFakeAws(), startFakeVault('test-token'), startFakeAzure()]);
});
afterAll(() => Promise.all([aws.close(), vault.close(), azure.close()]));

interface Case {
  readonly key: MasterKey;
  readonly credentials: Credentials;
  readonly wrapped: () => string | Promise<string>;
}

function cases(): Record<string, Case> {
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: new Sensitive('not-a-real-secret-access-key') };
  const awsCase = { key: awsKmsKey({ arn: 'arn:aws:kms:eu-west-1:1:key/a' }), credentials: { aws: { keys, endpoint: aws.url } } };
  const vaultKey = vaultTransitKey({ address: vault.address, enginePath: 'sops', keyName: 'main' });
  const vaultCase = { key: vaultKey, credentials: { vault: { token: new Sensitive('test-token') } } };
  const identity = { kind: 'secret', tenantId: TENANT, clientId: CLIENT, clientSecret: new Sensitive(CLIENT_SECRET) } as const;
  const azureCase = { key: azureKeyVaultKey({ vaultUrl: VAULT, name: 'sops' }), credentials: { azure: { identity } } };
  const armored = new Sensitive(vector('TEST-KEY-pgp-curve25519.asc'));
  return {
    aws: { ...awsCase, wrapped: () => awsCase.key.wrap(DATA_KEY, awsCase.credentials, context) },
    vault: { ...vaultCase, wrapped: () => vaultKey.wrap(DATA_KEY, vaultCase.credentials, context) },
    azure: { ...azureCase, wrapped: () => azureCase.key.wrap(DATA_KEY, azureCase.credentials, contextWith({ fetch: azure.fetch })) },
    ssh: {
      key: ageKey(vector('TEST-KEY-ed25519.pub')),
      credentials: { age: { identities: parseAgeIdentityFile(vectorBytes('TEST-KEY-ed25519'), 'id') } },
      wrapped: () => vector('ssh-ed25519.age'),
    },
    pgp: {
      key: pgpKey('FP'),
      credentials: { pgp: { keys: [{ source: 'a.asc', armored }] } },
      wrapped: () => vector('pgp-curve25519.gpg.txt'),
    },
  };
}

it.each(['aws', 'vault', 'azure', 'ssh', 'pgp'])('a %s key opens in a simulation, while virtual time stands still', async (name) => {
  const { key, credentials, wrapped } = cases()[name] ?? cases()['ssh'] ?? fail();
  const enc = await wrapped();
  // the simulation's network: answers come from outside, so its clock waits for them
  const network: Fetch = (url, init) => world.outside(() => azure.fetch(url, init).then(buffered));
  const world = virtualWorld({ seed: 1, fetch: network });
  const started = world.clock.now();
  let opened: number[] | string | undefined;
  const work = key.unwrap(enc, credentials, { world, entropy: systemEntropy }).then((result) => {
    opened = bytesOf(result);
  });
  expect(await world.run(1000, () => opened !== undefined)).toBe(true);
  await work;
  expect(opened).toEqual(DATA_KEY_NUMBERS);
  expect(world.clock.now()).toBe(started);
});

async function buffered(response: Response): Promise<Response> {
  return new Response(await response.arrayBuffer(), { status: response.status, headers: response.headers });
}

function fail(): never {
  throw new Error('no such case');
}
