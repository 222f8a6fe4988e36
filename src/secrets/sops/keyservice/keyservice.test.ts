import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Sensitive } from '../../../base/sensitive/index.ts';
import { systemEntropy, systemWorld } from '../../../base/world/index.ts';
import { ageKey, ageRecipientOf, generateAgeIdentity, type Credentials, type MasterKey, type MasterKeyType } from '../../keys/index.ts';
import {
  decrypt,
  encrypt,
  keyWithFields,
  localKeyService,
  remoteKeyService,
  startKeyService,
  type KeyService,
  type KeyServiceOptions,
} from '../index.ts';
import { keyMessage, keyOfMessage, loadCodec } from './protocol.ts';

const context = { world: systemWorld(), entropy: systemEntropy };
let key: MasterKey;
let credentials: Credentials;
const closing: (() => void)[] = [];

beforeAll(async () => {
  const identity = generateAgeIdentity(systemEntropy);
  key = ageKey(await ageRecipientOf(identity, context.world));
  credentials = { age: { identities: [{ source: 'test', identity }] } };
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(options: Partial<KeyServiceOptions> = {}): Promise<KeyService> {
  const service = await startKeyService({
    ...context,
    network: 'tcp',
    address: '127.0.0.1:0',
    credentials: () => Promise.resolve(credentials),
    ...options,
  });
  const address = options.network === 'unix' ? `unix://${options.address ?? ''}` : `tcp://127.0.0.1:${service.port}`;
  const client = remoteKeyService(address, context);
  closing.push(
    () => client.close(),
    () => service.close(),
  );
  return client;
}

describe('the protocol', () => {
  const fields: Record<MasterKeyType, Record<string, string | Record<string, string>>> = {
    kms: { arn: 'arn:aws:kms:eu-west-1:1:key/k', role: 'r', context: { a: 'b', c: 'd' }, aws_profile: 'p' },
    pgp: { fp: 'ABCD' },
    gcp_kms: { resource_id: 'projects/p' },
    azure_kv: { vault_url: 'https://v', name: 'n', version: '1' },
    hc_vault: { vault_address: 'https://v', engine_path: 'transit', key_name: 'k' },
    age: { recipient: 'age1x' },
    hckms: { key_id: 'r:k' },
  };
  it.each(Object.entries(fields) as [MasterKeyType, (typeof fields)['age']][])(
    'SOPS-30: a %s key survives the way',
    async (type, given) => {
      const codec = await loadCodec();
      const named: MasterKey = { ...ageKey(''), type, fields: given };
      const bytes = codec.encode('DecryptRequest', { key: keyMessage(named), ciphertext: new Uint8Array([1]) });
      expect(keyOfMessage(codec.decode('DecryptRequest', bytes)['key'])).toEqual({ type, fields: given });
    },
  );

  it('SOPS-30: the bytes are those of keyservice.proto', async () => {
    const codec = await loadCodec();
    const hex = (named: MasterKey): string =>
      Buffer.from(codec.encode('EncryptRequest', { key: keyMessage(named), plaintext: new Uint8Array([1, 2]) })).toString('hex');
    // field 1 { field 6 { field 1 "age1x" } }, field 2 0102
    expect(hex(keyWithFields('age', { recipient: 'age1x' }))).toBe('0a0932070a05616765317812020102');
    // field 1 { field 5 { 1 "a", 2 "e", 3 "k" } }
    expect(hex({ ...ageKey(''), type: 'hc_vault', fields: { vault_address: 'a', engine_path: 'e', key_name: 'k' } })).toBe(
      '0a0b2a090a01611201651a016b12020102',
    );
  });

  it('SOPS-31: an empty or unknown key names none', async () => {
    const codec = await loadCodec();
    expect(keyOfMessage(undefined)).toBeUndefined();
    expect(keyOfMessage(codec.decode('EncryptRequest', new Uint8Array())['key'])).toBeUndefined();
    // field 1 { field 15 {} }
    expect(keyOfMessage(codec.decode('EncryptRequest', Uint8Array.from([0x0a, 0x02, 0x7a, 0x00]))['key'])).toBeUndefined();
  });
});

describe('client and server', () => {
  it('SOPS-30, SOPS-31: encrypts and decrypts through the service, without keys of its own', async () => {
    const remote = await serve();
    const sealed = await encrypt(new TextEncoder().encode('a: x\n'), {
      ...context,
      format: 'yaml',
      groups: [[key]],
      keyServices: [remote],
    });
    const opened = await decrypt(sealed, { ...context, format: 'yaml', credentials: {}, keyServices: [remote] });
    expect(Buffer.from(opened.bytes).toString()).toBe('a: x\n');
  });

  it('SOPS-31: listens on a socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sotto-keyservice-'));
    closing.push(() => rmSync(directory, { recursive: true }));
    const address = join(directory, 's.sock');
    const remote = await serve({ network: 'unix', address });
    expect(statSync(address).isSocket()).toBe(true);
    const wrapped = await remote.wrap(key, new Sensitive(new Uint8Array(32)));
    expect(await remote.unwrap(key, wrapped)).toMatchObject({ kind: 'opened' });
  });

  it('SOPS-31: permission is asked before a key is used, and denial says so', async () => {
    const asked: string[] = [];
    let looked = 0;
    const remote = await serve({
      allow: (request, named) => {
        asked.push(`${request} ${named.display}`);
        return Promise.resolve(false);
      },
      credentials: () => {
        looked++;
        return Promise.resolve(credentials);
      },
    });
    await expect(remote.unwrap(key, 'x')).rejects.toThrow('Request rejected by user');
    await expect(remote.wrap(key, new Sensitive(new Uint8Array(32)))).rejects.toThrow('Request rejected by user');
    expect(asked).toEqual([`decrypt ${key.display}`, `encrypt ${key.display}`]);
    expect(looked).toBe(0);
  });

  it('SOPS-31: a key that does not fit is an error with its reason, and the service lives on', async () => {
    const warnings: string[] = [];
    const remote = await serve({ warn: (message) => warnings.push(message) });
    await expect(remote.unwrap(key, 'garbage')).rejects.toThrow('is not an armored age file');
    await expect(remote.unwrap({ ...key, type: 'hckms', fields: { key_id: 'k' } }, 'x')).rejects.toThrow('Huawei');
    expect(warnings.join()).not.toContain('garbage');
    const wrapped = await remote.wrap(key, new Sensitive(new Uint8Array(32).fill(7)));
    expect(await remote.unwrap(key, wrapped)).toMatchObject({ kind: 'opened' });
  });

  it('SOPS-29, SOPS-30: every key is offered to each service in turn; what each said is in the report', async () => {
    const remote = await serve();
    const nobody = localKeyService({}, context);
    const sealed = await encrypt(new TextEncoder().encode('a: x\n'), { ...context, format: 'yaml', groups: [[key]] });
    const options = { ...context, format: 'yaml' as const, credentials: {} };
    expect((await decrypt(sealed, { ...options, keyServices: [nobody, remote] })).openedBy).toBe(key.display);
    const dead = remoteKeyService('tcp://127.0.0.1:1', context);
    closing.push(() => dead.close());
    await expect(decrypt(sealed, { ...options, keyServices: [nobody, dead] })).rejects.toMatchObject({
      code: 'SOPS_KEY_FAILED',
      groups: [
        { failures: [{ reasons: ['no age identities were given', expect.stringContaining('key service tcp://127.0.0.1:1') as string] }] },
      ],
    });
    await expect(decrypt(sealed, { ...options, keyServices: [] })).rejects.toMatchObject({ code: 'SOPS_NO_IDENTITY' });
  });

  it('SOPS-30: wraps with the first service that can; none at all is an error', async () => {
    const remote = await serve();
    const broken: KeyService = {
      ...remote,
      wrap: () => localKeyService({}, context).wrap(keyWithFields('hckms', { key_id: 'k' }), new Sensitive(new Uint8Array())),
    };
    const wrap = (keyServices: readonly KeyService[]): Promise<Uint8Array> =>
      encrypt(new TextEncoder().encode('a: x\n'), { ...context, format: 'yaml', groups: [[key]], keyServices });
    await expect(wrap([broken, remote])).resolves.toBeInstanceOf(Uint8Array);
    await expect(wrap([broken])).rejects.toThrow('Huawei');
    await expect(wrap([])).rejects.toMatchObject({ code: 'SOPS_NO_KEY_SERVICE' });
  });

  it.each(['', 'x', 'http://a', 'tcp://', '127.0.0.1:5000'])('SOPS-30: refuses the address "%s"', (address) => {
    expect(() => remoteKeyService(address, context)).toThrow(expect.objectContaining({ code: 'SOPS_KEY_SERVICE_ADDRESS' }));
  });

  it('SOPS-31: an address that is taken is an error', async () => {
    const service = await startKeyService({ ...context, network: 'tcp', address: '127.0.0.1:0', credentials: () => Promise.resolve({}) });
    closing.push(() => service.close());
    const again = { ...context, network: 'tcp' as const, address: `127.0.0.1:${service.port}`, credentials: () => Promise.resolve({}) };
    await expect(startKeyService(again)).rejects.toMatchObject({ code: 'SOPS_KEY_SERVICE_LISTEN' });
  });
});
