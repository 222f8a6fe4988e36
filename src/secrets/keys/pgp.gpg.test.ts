import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { sweepTemporaryDirectories } from '../../base/files/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { openGpgHome, pgpKey, type Credentials, type GpgHome, type PgpCredentials } from './index.ts';
import { bytesOf, context, DATA_KEY, DATA_KEY_NUMBERS, errorOf, vector } from './keys.fixture.ts';

const hasGpg = spawnSync('gpg', ['--version']).status === 0;
const env = { PATH: process.env['PATH'] ?? '' };
const FP = /^fpr:+([0-9A-F]{40}):/m;

const privateKeys = (...names: string[]): PgpCredentials => ({
  keys: names.map((name) => ({ source: `${name}.asc`, armored: new Sensitive(vector(`TEST-KEY-pgp-${name}.asc`)) })),
  gpg: { env },
});
const fingerprintOf = (home: GpgHome): string =>
  FP.exec(execFileSync('gpg', ['--homedir', home.pgp.gpg?.home ?? '', '--list-keys', '--with-colons'], { encoding: 'utf8' }))?.[1] ?? '';

/** Of every process on this machine, as far as it has one. */
const commandLines = (): string[] =>
  readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
    } catch {
      // it ended meanwhile
      return [];
    }
  });

describe.skipIf(!hasGpg)('the gpg program', () => {
  const open: GpgHome[] = [];
  const openHome = async (pgp: PgpCredentials): Promise<GpgHome> => {
    const home = await openGpgHome(pgp, context.world);
    open.push(home);
    return home;
  };
  afterEach(async () => {
    for (const home of open.splice(0)) await home.close();
  });

  it.each(['rsa1024', 'rsa2048', 'curve25519', 'elgamal', 'expired'])(
    'SOPS-23: opens %s in a private home that is gone afterwards',
    async (name) => {
      const folder = mkdtempSync(join(tmpdir(), 'sotto-gpg-'));
      const script = (program: string): void =>
        writeFileSync(join(folder, program), `#!/bin/sh\necho "$2" >> ${folder}/homes\nexec ${program} "$@"\n`, { mode: 0o755 });
      for (const program of ['gpg', 'gpgconf']) script(program);
      const pgp: PgpCredentials = { ...privateKeys(name), gpg: { env, program: join(folder, 'gpg') } };
      expect(bytesOf(await pgpKey('FP').unwrap(vector(`pgp-${name}.gpg.txt`), { pgp }, context))).toEqual(DATA_KEY_NUMBERS);
      const homes = readFileSync(join(folder, 'homes'), 'utf8').trim().split('\n');
      // import, decrypt, end of the agent
      expect(homes).toHaveLength(3);
      expect(new Set(homes).size).toBe(1);
      expect(existsSync(homes[0] ?? '')).toBe(false);
      rmSync(folder, { recursive: true });
    },
  );

  it('SOPS-23, SOPS-71: a home for several calls is private, and removed with its agent', async () => {
    const home = await openHome(privateKeys('rsa2048'));
    const folder = home.pgp.gpg?.home ?? '';
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const key = pgpKey(fingerprintOf(home));
    const wrapped = await key.wrap(DATA_KEY, { pgp: home.pgp }, context);
    expect(wrapped).toMatch(/-----END PGP MESSAGE-----$/);
    expect(bytesOf(await key.unwrap(wrapped, { pgp: home.pgp }, context))).toEqual(DATA_KEY_NUMBERS);
    await home.close();
    expect(existsSync(folder)).toBe(false);
    expect(commandLines().filter((line) => line.includes(folder))).toEqual([]);
  });

  it('a home that a killed process left behind is swept', async () => {
    const gone = spawnSync(process.execPath, ['-e', '0']).pid;
    const left = join('/dev/shm', `sotto-gnupg-${gone}-abcdef`);
    mkdirSync(left, { mode: 0o700 });
    const home = await openHome(privateKeys('rsa2048'));
    await sweepTemporaryDirectories();
    expect(existsSync(left)).toBe(false);
    expect(existsSync(home.pgp.gpg?.home ?? '')).toBe(true);
  });

  it('tells "not mine" from "mine, but failed"', async () => {
    const home = await openHome(privateKeys('curve25519'));
    const other = await pgpKey('FP').unwrap(vector('pgp-rsa2048.gpg.txt'), { pgp: home.pgp }, context);
    expect(other.kind === 'not-mine' && other.reason).toMatch(/^the keyring has none of the secret keys [0-9A-F]{16}$/);
    const damaged = vector('pgp-curve25519.gpg.txt').replace(/^(.{10})(.)/m, '$1A');
    expect((await errorOf(() => pgpKey('FP').unwrap(damaged, { pgp: home.pgp }, context))).code).toBe('PGP_MESSAGE_INVALID');
    const locked = await openHome(privateKeys('protected'));
    const error = await errorOf(() => pgpKey('FP').unwrap(vector('pgp-protected.gpg.txt'), { pgp: locked.pgp }, context));
    expect(error.code).toBe('GPG_FAILED');
  });

  it('SOPS-23: keys given as text are tried before the keyring, for wrapping too', async () => {
    const home = await openHome(privateKeys('curve25519'));
    const both: Credentials = { pgp: { ...home.pgp, keys: privateKeys('rsa2048').keys ?? [] } };
    expect(bytesOf(await pgpKey('FP').unwrap(vector('pgp-rsa2048.gpg.txt'), both, context))).toEqual(DATA_KEY_NUMBERS);
    expect(bytesOf(await pgpKey('FP').unwrap(vector('pgp-curve25519.gpg.txt'), both, context))).toEqual(DATA_KEY_NUMBERS);
    const wrapped = await pgpKey(fingerprintOf(home)).wrap(DATA_KEY, both, context);
    expect(bytesOf(await pgpKey('FP').unwrap(wrapped, { pgp: home.pgp }, context))).toEqual(DATA_KEY_NUMBERS);
  });

  it('SOPS-23: gpg opens what the library wraps', async () => {
    const home = await openHome(privateKeys('rsa1024', 'curve25519', 'elgamal'));
    for (const name of ['rsa1024', 'curve25519', 'elgamal']) {
      const own = await openHome(privateKeys(name));
      const credentials: Credentials = { pgp: { keys: privateKeys(name).keys ?? [] } };
      const wrapped = await pgpKey(fingerprintOf(own)).wrap(DATA_KEY, credentials, context);
      expect(bytesOf(await pgpKey('FP').unwrap(wrapped, { pgp: home.pgp }, context))).toEqual(DATA_KEY_NUMBERS);
    }
  });

  it('names the key that gpg cannot encrypt for, and the program that is not there', async () => {
    const home = await openHome(privateKeys('expired'));
    const error = await errorOf(() => pgpKey('0'.repeat(40)).wrap(DATA_KEY, { pgp: home.pgp }, context));
    expect(error).toMatchObject({ code: 'PGP_ENCRYPT_FAILED' });
    expect(error.message).toContain('0'.repeat(40));
    expect((await errorOf(() => pgpKey('--version').wrap(DATA_KEY, { pgp: home.pgp }, context))).code).toBe('PGP_KEY_MISSING');
    const missing: Credentials = { pgp: { gpg: { program: '/nowhere/gpg', home: dirname(home.pgp.gpg?.home ?? '') } } };
    expect((await errorOf(() => pgpKey('F').unwrap(vector('pgp-expired.gpg.txt'), missing, context))).code).toBe('GPG_UNAVAILABLE');
  });
});
