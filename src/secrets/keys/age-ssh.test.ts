import { describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { bcryptPbkdf } from './bcrypt-pbkdf.ts';
import { ageKey, generateAgeIdentity, masterKeyOf, parseAgeIdentityFile, type AskPassphrase, type Credentials } from './index.ts';
import { bytesOf, context, DATA_KEY, DATA_KEY_NUMBERS, errorOf, PASSPHRASE, vector, vectorBytes } from './keys.fixture.ts';

const giving =
  (passphrase: string | undefined, asked: string[] = []): AskPassphrase =>
  () => {
    asked.push('asked');
    return Promise.resolve(passphrase === undefined ? undefined : new Sensitive(passphrase));
  };
const identity = (name: string, options: Parameters<typeof parseAgeIdentityFile>[2] = {}): Credentials => ({
  age: { identities: parseAgeIdentityFile(vectorBytes(name), name, options) },
});
const publicLine = (type: 'ed25519' | 'rsa'): string => vector(`TEST-KEY-${type}.pub`).trim();

describe('SSH keys as age recipients and identities', () => {
  it.each(['ed25519', 'rsa'] as const)('SOPS-20, AGE-06: wraps for ssh-%s and unwraps', async (type) => {
    const key = ageKey(publicLine(type));
    const wrapped = await key.wrap(DATA_KEY, {}, context);
    expect(bytesOf(await key.unwrap(wrapped, identity(`TEST-KEY-${type}`), context))).toEqual(DATA_KEY_NUMBERS);
    expect(masterKeyOf('age', { recipient: publicLine(type) })).toMatchObject({ type: 'age', display: publicLine(type) });
  });

  it.each(['ed25519', 'rsa'] as const)('AGE-06: opens what age wrote for ssh-%s', async (type) => {
    const opened = await ageKey(publicLine(type)).unwrap(vector(`ssh-${type}.age`), identity(`TEST-KEY-${type}`), context);
    expect(bytesOf(opened)).toEqual(DATA_KEY_NUMBERS);
  });

  const protectedKeys: [name: string, file: string, type: 'ed25519' | 'rsa'][] = [
    ['OpenSSH format, aes256-ctr', 'TEST-KEY-ed25519-protected', 'ed25519'],
    ['OpenSSH format, aes256-cbc', 'TEST-KEY-rsa-protected', 'rsa'],
    ['old PEM format', 'TEST-KEY-rsa-pem-protected', 'rsa'],
  ];
  it.each(protectedKeys)('SOPS-20: a protected key opens with its passphrase, asked once: %s', async (_name, file, type) => {
    const asked: string[] = [];
    const credentials = identity(file, { passphrase: giving(PASSPHRASE, asked) });
    for (const _time of ['first', 'second']) {
      const opened = await ageKey(publicLine(type)).unwrap(vector(`ssh-${type}.age`), credentials, context);
      expect(bytesOf(opened)).toEqual(DATA_KEY_NUMBERS);
    }
    expect(asked).toEqual(['asked']);
  });

  it.each(protectedKeys)('a wrong or missing passphrase is an error: %s', async (_name, file, type) => {
    for (const passphrase of ['wrong', undefined]) {
      const credentials = identity(file, { passphrase: giving(passphrase) });
      const error = await errorOf(() => ageKey(publicLine(type)).unwrap(vector(`ssh-${type}.age`), credentials, context));
      expect(error).toMatchObject({ code: 'SSH_PASSPHRASE_WRONG', at: { file } });
    }
  });

  it('asks for no passphrase when the file is for somebody else; old PEM needs the .pub line for that', async () => {
    const refuse: AskPassphrase = () => Promise.reject(new Error('must not be asked'));
    const files: [string, { publicKey?: string }][] = [
      ['TEST-KEY-rsa-protected', {}],
      ['TEST-KEY-rsa-pem-protected', { publicKey: publicLine('rsa') }],
    ];
    for (const [file, options] of files) {
      const opened = await ageKey(publicLine('ed25519')).unwrap(
        vector('ssh-ed25519.age'),
        identity(file, { ...options, passphrase: refuse }),
        context,
      );
      expect(opened).toEqual({ kind: 'not-mine', reason: 'no identity matched any of the recipients' });
    }
  });

  it('AGE-06: another tag is "not mine", the same tag with a damaged body is an error', async () => {
    const other = await ageKey(publicLine('rsa')).unwrap(vector('ssh-ed25519.age'), identity('TEST-KEY-rsa'), context);
    expect(other.kind).toBe('not-mine');
    for (const type of ['ed25519', 'rsa'] as const) {
      const error = await errorOf(() =>
        ageKey(publicLine(type)).unwrap(changeStanzaBody(vector(`ssh-${type}.age`)), identity(`TEST-KEY-${type}`), context),
      );
      expect(error.code).toBe('AGE_WRAPPED_KEY_INVALID');
      expect(error.message).toContain(`ssh-${type}`);
    }
  });

  it('SOPS-20: native identities and SSH keys are tried together', async () => {
    const native = { source: 'keys.txt', identity: generateAgeIdentity(context.entropy) };
    const both: Credentials = { age: { identities: [native, ...(identity('TEST-KEY-ed25519').age?.identities ?? [])] } };
    expect(bytesOf(await ageKey(publicLine('ed25519')).unwrap(vector('ssh-ed25519.age'), both, context))).toEqual(DATA_KEY_NUMBERS);
  });

  it.each([
    ['not base64', 'ssh-ed25519 ???'],
    ['another type than it says', `ssh-rsa ${publicLine('ed25519').split(' ')[1]}`],
    ['a type that age does not take', 'ssh-dss AAAAB3NzaC1kc3M='],
    [
      'a small RSA key',
      'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQDPo0gKpoLWLcV0kXBK4q6DE8FEKCLNKxkRwaO1Rwr8LLvCVtHOhkmVBnMHUxfu7bKUmnyeaRP1oUmSCQoxSFLR',
    ],
  ])('refuses a recipient that is %s', async (_name, line) => {
    const error = await errorOf(() => ageKey(line).wrap(DATA_KEY, {}, context));
    expect(error.code).toBe('AGE_RECIPIENT_INVALID');
    expect(error.message).toContain('failed to parse input as SSH public key');
  });

  it('never quotes a private key that it cannot read', async () => {
    const damaged = vector('TEST-KEY-ed25519').replace('b3BlbnNzaC1', 'b3BlbnNzaC0');
    const error = await errorOf(() => parseAgeIdentityFile(Buffer.from(damaged), 'id_ed25519'));
    expect(error).toMatchObject({ code: 'SSH_KEY_INVALID', at: { file: 'id_ed25519' } });
    expect(error.message).not.toMatch(/[A-Za-z0-9+/]{20}/);
  });
});

/** Changes the first line after the stanza's own line, inside the armor. */
function changeStanzaBody(armored: string): string {
  const lines = armored.trim().split('\n');
  const file = Buffer.from(lines.slice(1, -1).join(''), 'base64');
  const at = file.indexOf('\n', file.indexOf('-> ')) + 1;
  file[at] = file[at] === 65 ? 66 : 65;
  const base64 = file.toString('base64').match(/.{1,64}/g) ?? [];
  return [lines[0], ...base64, lines.at(-1), ''].join('\n');
}

describe('bcryptPbkdf', () => {
  it('is the function that OpenSSH uses', () => {
    // the published vector of OpenBSD's own regression test: password, salt, 4 rounds, 32 bytes
    const key = bcryptPbkdf(Buffer.from('password'), Buffer.from('salt'), 4, 32);
    expect(Buffer.from(key).toString('hex')).toBe('5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9');
  });

  it('gives as many bytes as asked for', () => {
    expect(bcryptPbkdf(Buffer.from('a'), Buffer.from('b'), 1, 48)).toHaveLength(48);
  });
});
