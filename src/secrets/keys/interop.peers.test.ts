/**
 * Against the real sops and age: what they wrap opens here, and what is wrapped here opens there. sops makes a file; its
 * wrapped data key is opened and wrapped again by Sotto; sops must still read the file.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { installPlugin, PLUGIN_IDENTITY, PLUGIN_RECIPIENT } from './age-plugin.fixture.ts';
import { startFakeAws, type FakeAws } from './aws.fixture.ts';
import { encodeBech32 } from './bech32.ts';
import {
  ageKey,
  ageRecipientOf,
  generateAgeIdentity,
  masterKeyOf,
  openGpgHome,
  parseAgeIdentityFile,
  type Credentials,
  type MasterKeyType,
} from './index.ts';
import { bytesOf, context, DATA_KEY, DATA_KEY_NUMBERS, vector, vectorBytes } from './keys.fixture.ts';
import { startFakeVault, type FakeVault } from './vault.fixture.ts';

/** The folder on PATH that holds the real programs, all of them in one; empty when there is none. */
const PEERS =
  (process.env['PATH'] ?? '').split(delimiter).find((path) => existsSync(join(path, 'sops')) && existsSync(join(path, 'age'))) ?? '';
const hasPeers = PEERS !== '';
const run = promisify(execFile);
const SECRET = { password: 'correct horse' };

interface Peer {
  readonly flags: readonly string[];
  readonly env: Record<string, string>;
  readonly credentials: Credentials;
}

let folder: string;
let aws: FakeAws;
let vault: FakeVault;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-interop-'));
  [aws, vault] = await Promise.all([startFakeAws(), startFakeVault('test-token')]);
});
afterAll(() => Promise.all([rm(folder, { recursive: true }), aws.close(), vault.close()]));

const fixture = (name: string): string => fileURLToPath(new URL(`./vectors/${name}`, import.meta.url));

async function sops(args: readonly string[], env: Record<string, string>): Promise<string> {
  const { stdout } = await run(`${PEERS}/sops`, [...args], { env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env }, cwd: folder });
  return stdout;
}

/** sops writes a file, Sotto replaces the wrapped data key by one of its own, sops reads the file. */
async function exchange(type: MasterKeyType, { flags, env, credentials }: Peer): Promise<void> {
  const path = join(folder, `${type}.json`);
  await writeFile(path, JSON.stringify(SECRET));
  await sops(['--config', '/dev/null', 'encrypt', '-i', ...flags, path], env);
  const file = JSON.parse(await readFile(path, 'utf8')) as { sops: Record<string, unknown> };
  const [{ enc, created_at: _created, ...fields }] = file.sops[type] as [Record<string, string>];
  const key = masterKeyOf(type, fields);
  const opened = await key.unwrap(enc ?? '', credentials, context);
  if (opened.kind !== 'opened') throw new Error(opened.reason);
  expect(opened.dataKey.reveal()).toHaveLength(32);
  const again = await key.wrap(opened.dataKey, credentials, context);
  expect(again.endsWith('\n')).toBe(enc?.endsWith('\n'));
  const changed = { ...file, sops: { ...file.sops, [type]: [{ ...fields, created_at: '2026-01-01T00:00:00Z', enc: again }] } };
  await writeFile(path, JSON.stringify(changed));
  expect(JSON.parse(await sops(['--config', '/dev/null', 'decrypt', path], env))).toEqual(SECRET);
}

describe.skipIf(!hasPeers)('sops itself', () => {
  it.each(['ed25519', 'rsa'])('SOPS-20: age with ssh-%s', async (type) => {
    const file = `TEST-KEY-${type}`;
    await exchange('age', {
      flags: ['--age', vector(`${file}.pub`).trim()],
      env: { SOPS_AGE_SSH_PRIVATE_KEY_FILE: fixture(file) },
      credentials: { age: { identities: parseAgeIdentityFile(vectorBytes(file), file) } },
    });
  });

  it('SOPS-20: age with a hybrid recipient', async () => {
    const identity = generateAgeIdentity(context.entropy, { pq: true });
    await exchange('age', {
      flags: ['--age', await ageRecipientOf(identity, context.world)],
      env: { SOPS_AGE_KEY: identity.reveal() },
      credentials: { age: { identities: [{ source: 'test', identity }] } },
    });
  });

  it.each(['rsa1024', 'rsa2048', 'curve25519', 'elgamal'])('SOPS-23: OpenPGP with %s, by the library', async (name) => {
    const source = `TEST-KEY-pgp-${name}.asc`;
    const keys = [{ source, armored: new Sensitive(vector(source)) }];
    const env = { PATH: process.env['PATH'] ?? '' };
    const home = await openGpgHome({ keys, gpg: { env } }, context.world);
    try {
      const gnupg = home.pgp.gpg?.home ?? '';
      const { stdout } = await run('gpg', ['--homedir', gnupg, '--list-keys', '--with-colons'], { env });
      const fp = /^fpr:+([0-9A-F]{40}):/m.exec(stdout)?.[1] ?? '';
      await exchange('pgp', { flags: ['--pgp', fp], env: { GNUPGHOME: gnupg }, credentials: { pgp: { keys } } });
    } finally {
      await home.close();
    }
  });

  it('SOPS-24: AWS KMS with a context and a role, against one and the same fake service', async () => {
    const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: new Sensitive('not-a-real-secret-access-key') };
    const env = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey.reveal(), AWS_ENDPOINT_URL: aws.url };
    const credentials: Credentials = { aws: { keys, endpoint: aws.url, stsEndpoint: aws.url } };
    const arn = 'arn:aws:kms:eu-west-1:111122223333:key/a';
    await exchange('kms', { flags: ['--kms', arn, '--encryption-context', 'env:prod,app:web'], env, credentials });
    await exchange('kms', { flags: ['--kms', `${arn}+arn:aws:iam::111122223333:role/sops`], env, credentials });
  });

  it('SOPS-27: Vault transit, against one and the same fake service', async () => {
    await exchange('hc_vault', {
      flags: ['--hc-vault-transit', `${vault.address}/v1/team/transit/keys/main`],
      env: { VAULT_TOKEN: 'test-token' },
      credentials: { vault: { token: new Sensitive('test-token') } },
    });
    const paths = vault.calls.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(paths)).toEqual(new Set(['PUT /v1/team/transit/encrypt/main', 'PUT /v1/team/transit/decrypt/main']));
  });
});

describe.skipIf(!hasPeers)('age itself', () => {
  const ageWith = async (args: readonly string[], env: Record<string, string>): Promise<Buffer> =>
    (await run(`${PEERS}/age`, [...args], { encoding: 'buffer', env: { PATH: `${folder}:${PEERS}:${process.env['PATH'] ?? ''}`, ...env } }))
      .stdout;

  it('AGE-08: drives the same plugin as Sotto, both ways', async () => {
    installPlugin(folder);
    const env = { NOTES: join(folder, 'notes') };
    const identities = [{ source: 'flip', identity: new Sensitive(PLUGIN_IDENTITY) }];
    const credentials: Credentials = { age: { identities, plugins: { path: [folder], env } } };
    await writeFile(join(folder, 'flip.txt'), PLUGIN_IDENTITY);
    await writeFile(join(folder, 'flip.age'), await ageKey(PLUGIN_RECIPIENT).wrap(DATA_KEY, credentials, context));
    expect([...(await ageWith(['-d', '-i', join(folder, 'flip.txt'), join(folder, 'flip.age')], env))]).toEqual(DATA_KEY_NUMBERS);
    await writeFile(join(folder, 'key'), DATA_KEY.reveal());
    const theirs = await ageWith(['-a', '-r', PLUGIN_RECIPIENT, join(folder, 'key')], env);
    expect(bytesOf(await ageKey(PLUGIN_RECIPIENT).unwrap(theirs.toString(), credentials, context))).toEqual(DATA_KEY_NUMBERS);
  });

  it.skipIf(!existsSync(`${PEERS}/age-plugin-batchpass`))('AGE-08: Sotto drives a plugin that comes with age', async () => {
    const env = { AGE_PASSPHRASE: 'test passphrase', AGE_PASSPHRASE_WORK_FACTOR: '10' };
    await writeFile(join(folder, 'key'), DATA_KEY.reveal());
    const wrapped = await ageWith(['-e', '-a', '-j', 'batchpass', join(folder, 'key')], env);
    const identity = new Sensitive(encodeBech32('age-plugin-batchpass-', new Uint8Array()).toUpperCase());
    const credentials = (passphrase: string): Credentials => ({
      age: { identities: [{ source: 'batchpass', identity }], plugins: { path: [PEERS], env: { AGE_PASSPHRASE: passphrase } } },
    });
    expect(bytesOf(await ageKey('age1x').unwrap(wrapped.toString(), credentials('test passphrase'), context))).toEqual(DATA_KEY_NUMBERS);
    const wrong = await ageKey('age1x')
      .unwrap(wrapped.toString(), credentials('wrong'), context)
      .catch((error: unknown) => error);
    expect(wrong).not.toMatchObject({ kind: 'opened' });
  });

  it.each(['ed25519', 'rsa'])('AGE-06: opens what is wrapped here for ssh-%s', async (type) => {
    const wrapped = await ageKey(vector(`TEST-KEY-${type}.pub`)).wrap(DATA_KEY, {}, context);
    const path = join(folder, `${type}.age`);
    await writeFile(path, wrapped);
    const { stdout } = await run(`${PEERS}/age`, ['-d', '-i', fixture(`TEST-KEY-${type}`), path], { encoding: 'buffer' });
    expect([...stdout]).toEqual(DATA_KEY_NUMBERS);
  });
});
